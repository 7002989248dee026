import type { ClientClock } from './client-clock.ts';

/** A bell between two loops. A ring that nobody waits for is kept, so none is missed. */
export interface Wake {
	ring(): void;
	/** Resolves at the next ring, after so long, or when the signal aborts. */
	wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Makes a bell. One loop waits for it. */
export function createWake(clock: ClientClock): Wake {
	let rung = false;
	let answer: (() => void) | undefined;
	return {
		ring: () => {
			rung = true;
			answer?.();
		},
		wait: async (ms, signal) => {
			if (!rung) {
				const inner = new AbortController();
				const stop = () => inner.abort();
				answer = stop;
				signal.addEventListener('abort', stop, { once: true });
				if (!signal.aborted) await clock.sleep(ms, inner.signal);
				signal.removeEventListener('abort', stop);
				answer = undefined;
			}
			rung = false;
		},
	};
}
