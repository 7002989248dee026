/** The time as the client sees it: a clock that never goes back, and a way to wait. */
export interface ClientClock {
	/** Monotonic milliseconds from any beginning. */
	monoMs(): number;
	/** Resolves after so many milliseconds, or as soon as the signal aborts. Never rejects. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** How work with a deadline ended. */
export type Ended<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'timeout' | 'aborted' };

/** Why a call was ended that nobody waits for any more. */
const over = 'over';

/**
 * Runs work for at most so long. Work that does not heed its signal is left behind, so a transport that hangs for ever
 * cannot keep its caller. Rejects only with what the work itself rejects with in time.
 */
export async function withDeadline<T>(
	clock: ClientClock,
	limit: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
	work: (signal: AbortSignal) => Promise<T>,
): Promise<Ended<T>> {
	const inner = new AbortController();
	// A reason of our own: making the usual `AbortError` with its stack costs more than the call.
	const stop = () => inner.abort(over);
	if (limit.signal?.aborted) return { kind: 'aborted' };
	limit.signal?.addEventListener('abort', stop, { once: true });
	// The timer also ends when the caller gives up, so one race serves both.
	const ending = clock
		.sleep(limit.timeoutMs, inner.signal)
		.then((): Ended<T> => ({ kind: limit.signal?.aborted ? 'aborted' : 'timeout' }));
	let ended: Ended<T> | undefined;
	try {
		ended = await Promise.race([work(inner.signal).then((value): Ended<T> => ({ kind: 'done', value })), ending]);
		return ended;
	} finally {
		limit.signal?.removeEventListener('abort', stop);
		// Tearing down a connection takes milliseconds, and a visitor waits: what is left behind ends a turn later.
		if (ended?.kind === 'timeout') void clock.sleep(0).then(stop);
		else stop();
	}
}
