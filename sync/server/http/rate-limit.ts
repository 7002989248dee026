/** Keys that are remembered; the one unused for longest is forgotten first. */
const keysMax = 20_000;

/** A bucket: this many at once, refilled at this rate. */
export interface RateRule {
	readonly burst: number;
	readonly perSecond: number;
}

/** Limits of one key: a device, or an address. */
export interface RateLimit {
	/** Takes one request; gives 0, or the milliseconds until the next is allowed. */
	take(key: string, nowMs: number): number;
}

/** Makes a token bucket for each key. */
export function createRateLimit({ burst, perSecond }: RateRule): RateLimit {
	const buckets = new Map<string, { level: number; atMs: number }>();
	return {
		take: (key, nowMs) => {
			const before = buckets.get(key);
			const elapsedMs = before ? Math.max(0, nowMs - before.atMs) : 0;
			const level = before ? Math.min(burst, before.level + (elapsedMs * perSecond) / 1000) : burst;
			const taken = level >= 1;
			buckets.delete(key);
			buckets.set(key, { level: taken ? level - 1 : level, atMs: nowMs });
			const [oldest] = buckets.keys();
			if (buckets.size > keysMax && oldest !== undefined) buckets.delete(oldest);
			return taken ? 0 : Math.max(1, Math.ceil(((1 - level) * 1000) / perSecond));
		},
	};
}
