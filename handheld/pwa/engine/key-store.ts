/**
 * What a handheld keeps beside its ledger: who it is, its keys, who may sign in. Values are what a browser can copy into
 * IndexedDB, also keys that nobody can read. What `put` resolved is there after a crash.
 */
export interface KeyStore {
	get(name: KeptName): Promise<unknown>;
	put(name: KeptName, value: unknown): Promise<void>;
	remove(name: KeptName): Promise<void>;
}

/** What is kept. */
export type KeptName = 'identity' | 'pin_key' | 'foreign_key' | 'staff' | 'locks' | 'session' | 'post';

/** A store that lives as long as its program: for the simulator, for tests and for a demonstration. */
export function createMemoryKeyStore(): KeyStore {
	const values = new Map<KeptName, unknown>();
	return {
		get: async (name) => values.get(name),
		put: async (name, value) => void values.set(name, value),
		remove: async (name) => void values.delete(name),
	};
}
