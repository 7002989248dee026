import type { ClientClock } from '../client-clock.ts';

/** Time that stands still until it is moved on, for a simulator or a test. */
export interface VirtualClock extends ClientClock {
	/** Counts work that is not waiting but computing, such as a signature: no time passes while there is any. */
	busy<T>(work: Promise<T>): Promise<T>;
	/** Moves on by so much, and wakes every sleeper at its moment, in order. */
	advance(ms: number): Promise<void>;
	/** Lets everything happen that needs no time. */
	settle(): Promise<void>;
	/** Sleepers at this moment. */
	sleepers(): number;
}

/**
 * Makes a clock at 0. `turn` lets the runtime finish what is ready, e.g. by `setImmediate`: with signatures made on
 * other threads, promises alone are not enough.
 */
export function createVirtualClock(turn: () => Promise<void>): VirtualClock {
	let nowMs = 0;
	let busyCount = 0;
	let order = 0;
	const sleepers = new Map<number, { readonly atMs: number; readonly wake: () => void }>();

	async function settle(): Promise<void> {
		do await turn();
		while (busyCount > 0);
		await turn();
	}

	function next(
		untilMs: number,
	): { readonly id: number; readonly atMs: number; readonly wake: () => void } | undefined {
		let first: { id: number; atMs: number; wake: () => void } | undefined;
		for (const [id, { atMs, wake }] of sleepers) {
			if (atMs <= untilMs && (first === undefined || atMs < first.atMs)) first = { id, atMs, wake };
		}
		return first;
	}

	return {
		monoMs: () => nowMs,
		settle,
		sleepers: () => sleepers.size,
		sleep: (ms, signal) =>
			new Promise((resolve) => {
				if (signal?.aborted) {
					resolve();
					return;
				}
				const id = order++;
				const wake = () => {
					sleepers.delete(id);
					signal?.removeEventListener('abort', wake);
					resolve();
				};
				sleepers.set(id, { atMs: nowMs + Math.max(0, ms), wake });
				signal?.addEventListener('abort', wake, { once: true });
			}),
		busy: async (work) => {
			busyCount += 1;
			try {
				return await work;
			} finally {
				busyCount -= 1;
			}
		},
		advance: async (ms) => {
			const untilMs = nowMs + ms;
			await settle();
			for (let sleeper = next(untilMs); sleeper !== undefined; sleeper = next(untilMs)) {
				nowMs = sleeper.atMs;
				sleeper.wake();
				await settle();
			}
			nowMs = untilMs;
		},
	};
}
