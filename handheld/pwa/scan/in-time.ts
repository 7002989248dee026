/** Work of the browser that did not settle in its time. It may still be under way. */
export class NotInTimeError extends Error {
	override readonly name = 'NotInTimeError';
}

/**
 * Settles as the work does, or rejects with `NotInTimeError` once its time is over or the signal aborts: a promise of
 * a browser may never settle.
 */
export async function inTime<T>(work: Promise<T>, limitMs: number, signal?: AbortSignal): Promise<T> {
	const settled = new AbortController();
	const over = passed(limitMs, AbortSignal.any([settled.signal, ...(signal ? [signal] : [])])).then(() => {
		throw new NotInTimeError(`not settled within ${limitMs} ms`);
	});
	try {
		return await Promise.race([work, over]);
	} finally {
		settled.abort();
	}
}

/** Resolves after so many milliseconds, or as soon as the signal aborts. */
export function passed(ms: number, signal: AbortSignal): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	if (signal.aborted) return Promise.resolve();
	const end = () => {
		clearTimeout(timer);
		// A signal that lives for a shift would keep every one of its listeners.
		signal.removeEventListener('abort', end);
		resolve();
	};
	const timer = setTimeout(end, ms);
	signal.addEventListener('abort', end);
	return promise;
}
