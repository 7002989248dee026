/** How long to wait between attempts. */
export interface BackoffOptions {
	readonly firstMs: number;
	readonly maxMs: number;
	/** Uniform in [0, 1): a parameter, so that a simulator repeats every wait. */
	readonly random: () => number;
}

/**
 * Waits in milliseconds, without end: each doubles up to the longest, and each lies between its half and its whole, so
 * that a thousand gates that lost one server do not come back to it in the same second.
 */
export function* backoff({ firstMs, maxMs, random }: BackoffOptions): Generator<number, never> {
	for (let wholeMs = firstMs; ; wholeMs = Math.min(maxMs, wholeMs * 2)) {
		yield Math.round(wholeMs * (0.5 + random() / 2));
	}
}
