import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves when `work` does, or after `ms`; rejects as `work` does. Until then it keeps the process alive, which would
 * end in the middle of closing where nothing else does.
 */
export async function within(work: Promise<unknown>, ms: number): Promise<void> {
	const timer = new AbortController();
	try {
		await Promise.race([work, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
	} finally {
		timer.abort();
	}
}
