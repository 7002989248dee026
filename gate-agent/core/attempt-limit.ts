/** Keys that are remembered; the oldest is forgotten first, so that strangers cannot fill the memory. */
const keysMax = 10_000;

/** How many failures are free, and how long a key then waits: doubling from `firstMs` to `lastMs`. */
export interface AttemptRule {
	readonly free: number;
	readonly firstMs: number;
	readonly lastMs: number;
	/** Failures older than this are forgotten. */
	readonly windowMs: number;
}

/** Counts failures by key. */
export interface AttemptLimit {
	/** Milliseconds until the key may try again; 0 where it may now. */
	waitMs(key: string, nowMs: number): number;
	failed(key: string, nowMs: number): void;
	succeeded(key: string): void;
}

/** Makes an empty count. */
export function createAttemptLimit({ free, firstMs, lastMs, windowMs }: AttemptRule): AttemptLimit {
	const failures = new Map<string, { count: number; lastMs: number; untilMs: number }>();
	return {
		waitMs: (key, nowMs) => Math.max(0, (failures.get(key)?.untilMs ?? 0) - nowMs),
		failed: (key, nowMs) => {
			const before = failures.get(key);
			const count = before && nowMs - before.lastMs < windowMs ? before.count + 1 : 1;
			const wait = count < free ? 0 : Math.min(lastMs, firstMs * 2 ** Math.min(30, count - free));
			// Set anew, so that the map's order is that of the last failure.
			failures.delete(key);
			failures.set(key, { count, lastMs: nowMs, untilMs: nowMs + wait });
			const [oldest] = failures.keys();
			if (failures.size > keysMax && oldest !== undefined) failures.delete(oldest);
		},
		succeeded: (key) => void failures.delete(key),
	};
}
