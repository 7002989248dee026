import { type DBSchema, openDB } from 'idb';
import type { KeyStore } from './key-store.ts';

interface KeySchema extends DBSchema {
	readonly kept: { readonly key: string; readonly value: unknown };
}

/** Opens the store of keys in IndexedDB. Rejects where the browser gives no storage. */
export async function openKeyStore(name: string): Promise<KeyStore> {
	const db = await openDB<KeySchema>(name, 1, { upgrade: (fresh) => void fresh.createObjectStore('kept') });
	const write = async (change: (store: ReturnType<typeof storeOf>) => Promise<unknown>): Promise<void> => {
		const tx = db.transaction('kept', 'readwrite', { durability: 'strict' });
		await Promise.all([change(tx.store), tx.done]);
	};
	const storeOf = () => db.transaction('kept', 'readwrite').store;
	return {
		get: (key) => db.get('kept', key),
		put: (key, value) => write((store) => store.put(value, key)),
		remove: (key) => write((store) => store.delete(key)),
	};
}
