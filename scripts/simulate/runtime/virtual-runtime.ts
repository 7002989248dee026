import { createHash, KeyObject, type webcrypto } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Chance } from './chance.ts';
import type { Later, VirtualTime } from './virtual-time.ts';

/** What a world puts in the place of the runtime's own. */
export interface WorldRuntime {
	readonly time: VirtualTime;
	/** What the runtime's generators draw from. */
	readonly chance: Chance;
	/** Milliseconds since 1970 at the beginning of the world. */
	readonly startMs: number;
}

/** The runtime of a process that simulates. */
export interface VirtualRuntime {
	/** From now on timers, clock and chance of this process are this world's. */
	enter(world: WorldRuntime): void;
	/** Waits for one round of the real event loop. */
	readonly turn: () => Promise<void>;
}

/** The exports of a built-in module, open to be replaced. */
type Exports = Record<string, unknown>;

/**
 * Replaces what makes a run differ from the next: timers and the clock become the world's, random bytes come from its
 * seed, and work for other threads (signatures, hashes, compression) is done in place, because threads end in any order.
 * The algorithms stay the runtime's own. It cannot be undone, so a process that simulates does nothing else; modules that
 * are loaded before this keep the originals.
 */
export function installVirtualRuntime(): VirtualRuntime {
	const realImmediate = globalThis.setImmediate;
	let world: WorldRuntime | undefined;
	const here = (): WorldRuntime => {
		if (world === undefined) throw new Error('assertion failed: no world was entered');
		return world;
	};
	replaceTimers(() => here().time);
	replaceChance(() => here().chance);
	replaceCrypto();
	replaceZlib();
	Date.now = () => (world === undefined ? 0 : Math.floor(world.startMs + world.time.nowMs()));
	performance.now = () => world?.time.nowMs() ?? 0;
	syncBuiltinESMExports();
	return {
		enter: (next) => {
			world = next;
		},
		turn: () => new Promise((resolve) => void realImmediate(resolve)),
	};
}

function builtin(name: string): Exports {
	return process.getBuiltinModule(name) as unknown as Exports;
}

/** A timer of the world, with the members that Node's timers have. */
class VirtualTimer {
	#later: Later;
	readonly #again: () => Later;

	constructor(again: () => Later) {
		this.#again = again;
		this.#later = again();
	}

	ref(): this {
		return this;
	}

	unref(): this {
		return this;
	}

	hasRef(): boolean {
		return true;
	}

	refresh(): this {
		this.#later.cancel();
		this.#later = this.#again();
		return this;
	}

	close(): this {
		this.#later.cancel();
		return this;
	}

	/** @see VirtualTimer */
	[Symbol.dispose](): void {
		this.close();
	}
}

function replaceTimers(time: () => VirtualTime): void {
	const clear = (timer: unknown) => {
		if (timer instanceof VirtualTimer) timer.close();
	};
	const every = (act: () => void, ms: number): (() => Later) => {
		const next = (): Later => time().after(Math.max(1, ms), run);
		let later: Later | undefined;
		const run = () => {
			later = next();
			act();
		};
		return () => {
			later = next();
			return { cancel: () => later?.cancel() };
		};
	};
	const timers = {
		setTimeout: (act: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) =>
			new VirtualTimer(() => time().after(Math.max(1, ms), () => act(...args))),
		setInterval: (act: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) =>
			new VirtualTimer(every(() => act(...args), ms)),
		setImmediate: (act: (...args: unknown[]) => void, ...args: unknown[]) =>
			new VirtualTimer(() => time().soon(() => act(...args))),
		clearTimeout: clear,
		clearInterval: clear,
		clearImmediate: clear,
	};
	Object.assign(globalThis, timers);
	Object.assign(builtin('node:timers'), timers);
	Object.assign(builtin('node:timers/promises'), {
		setTimeout: (ms = 1, value?: unknown, options?: WaitOptions) =>
			waited((act) => time().after(Math.max(1, ms), act), value, options),
		setImmediate: (value?: unknown, options?: WaitOptions) => waited((act) => time().soon(act), value, options),
	});
}

interface WaitOptions {
	readonly signal?: AbortSignal;
}

function waited(begin: (act: () => void) => Later, value: unknown, { signal }: WaitOptions = {}): Promise<unknown> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) return reject(abortError(signal));
		const later = begin(() => {
			signal?.removeEventListener('abort', stop);
			resolve(value);
		});
		const stop = () => {
			later.cancel();
			reject(abortError(signal));
		};
		signal?.addEventListener('abort', stop, { once: true });
		return undefined;
	});
}

function abortError(signal: AbortSignal | undefined): Error {
	const cause: unknown = signal?.reason;
	return Object.assign(new Error('The operation was aborted', { cause }), { name: 'AbortError', code: 'ABORT_ERR' });
}

function replaceChance(chance: () => Chance): void {
	const fill = <T extends NodeJS.ArrayBufferView>(view: T, offset = 0, size = view.byteLength - offset): T => {
		chance().fill(new Uint8Array(view.buffer, view.byteOffset + offset, size));
		return view;
	};
	const uuid = () => {
		const hex = fill(Buffer.alloc(16)).toString('hex');
		return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join(
			'-',
		);
	};
	Object.assign(builtin('node:crypto'), {
		randomBytes: (size: number) => fill(Buffer.alloc(size)),
		randomFillSync: fill,
		randomUUID: uuid,
		randomInt: (least: number, most: number) => chance().whole(least, most - 1),
	});
	// The methods of web crypto lie on its prototype.
	Object.assign(Object.getPrototypeOf(globalThis.crypto) as object, { getRandomValues: fill, randomUUID: uuid });
	Math.random = () => chance().next();
}

type AlgorithmName = string | { readonly name: string };

/** Signs, verifies and hashes in place. Only what the product uses is there; anything else is a bug of the simulator. */
function replaceCrypto(): void {
	const node = builtin('node:crypto') as unknown as typeof import('node:crypto');
	const { sign, verify } = node;
	const keys = new WeakMap<webcrypto.CryptoKey, KeyObject>();
	const keyOf = (key: webcrypto.CryptoKey): KeyObject => {
		const kept = keys.get(key) ?? KeyObject.from(key);
		keys.set(key, kept);
		return kept;
	};
	const nameOf = (algorithm: AlgorithmName) => (typeof algorithm === 'string' ? algorithm : algorithm.name);
	const hashFor = (algorithm: AlgorithmName): string | null => {
		const name = nameOf(algorithm);
		if (name === 'Ed25519') return null;
		if (name === 'ECDSA') return 'sha256';
		throw new Error(`assertion failed: the simulator does not know ${name}`);
	};
	const bytes = (data: webcrypto.BufferSource): Uint8Array =>
		ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
	const original = globalThis.crypto.subtle;
	const importKey = original.importKey.bind(original) as (...given: unknown[]) => Promise<webcrypto.CryptoKey>;
	const exact = (data: Uint8Array): ArrayBuffer => new Uint8Array(data).buffer;
	const dsaEncoding = 'ieee-p1363';
	const inPlace = {
		// Only a key that may be read again can be handed to the functions that work in place.
		importKey: (...[format, data, algorithm, , usages]: readonly unknown[]) =>
			importKey(format, data, algorithm, true, usages),
		sign: async (...[algorithm, key, data]: [AlgorithmName, webcrypto.CryptoKey, webcrypto.BufferSource]) =>
			exact(sign(hashFor(algorithm), bytes(data), { key: keyOf(key), dsaEncoding })),
		verify: async (
			...[algorithm, key, signature, data]: [
				AlgorithmName,
				webcrypto.CryptoKey,
				webcrypto.BufferSource,
				webcrypto.BufferSource,
			]
		) => verify(hashFor(algorithm), bytes(data), { key: keyOf(key), dsaEncoding }, bytes(signature)),
		digest: async (algorithm: AlgorithmName, data: webcrypto.BufferSource) =>
			exact(createHash(nameOf(algorithm).replace('SHA-', 'sha')).update(bytes(data)).digest()),
	};
	Object.assign(Object.getPrototypeOf(globalThis.crypto.subtle) as object, inPlace);
}

type ZlibCallback = (error: Error | null, result?: Buffer) => void;

/** Compresses in place; the answer comes in the same moment, but not before the caller goes on. */
function replaceZlib(): void {
	const zlib = builtin('node:zlib');
	for (const name of ['deflate', 'inflate', 'gzip', 'gunzip']) {
		const inPlace = zlib[`${name}Sync`] as (bytes: Uint8Array, options?: object) => Buffer;
		zlib[name] = (bytes: Uint8Array, ...rest: [ZlibCallback] | [object, ZlibCallback]) => {
			const [options, answer] = rest.length === 1 ? [undefined, rest[0]] : rest;
			const made = attempt(() => inPlace(bytes, options));
			queueMicrotask(() => answer(...made));
		};
	}
}

function attempt(work: () => Buffer): Parameters<ZlibCallback> {
	try {
		return [null, work()];
	} catch (error) {
		return [error instanceof Error ? error : new Error(String(error))];
	}
}
