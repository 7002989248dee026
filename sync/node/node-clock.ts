import type { ClientClock } from '../client/client-clock.ts';

/** The monotonic clock of Node. Its sleepers keep no process alive. */
export const nodeClock: ClientClock = {
	monoMs: () => performance.now(),
	sleep: (ms, signal) =>
		new Promise((resolve) => {
			if (signal?.aborted) return resolve();
			const wake = () => {
				clearTimeout(timer);
				signal?.removeEventListener('abort', wake);
				resolve();
			};
			const timer = setTimeout(wake, ms).unref();
			signal?.addEventListener('abort', wake, { once: true });
		}),
};
