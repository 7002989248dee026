/** How long a code must be out of sight before it counts as shown again. */
export const holdOffMs = 3000;

/** Codes that a hold-off knows at once; more are not in one picture. */
const heldMax = 32;

/** Says which of the codes in sight are new. */
export interface HoldOff {
	/** Whether this text was not in sight for `holdOffMs`; it is in sight now. `nowMs` is monotonic. */
	isNew(text: string, nowMs: number): boolean;
}

/**
 * A camera sees a code in every picture, a visitor shows it once. A text is new when it was last seen `holdOffMs` ago:
 * one that stays in view is new once, another one at once, and two side by side are new once each.
 */
export function createHoldOff(): HoldOff {
	const seenMs = new Map<string, number>();
	return {
		isNew(text, nowMs) {
			for (const [other, atMs] of seenMs) if (nowMs - atMs >= holdOffMs) seenMs.delete(other);
			const isNew = !seenMs.has(text);
			// Set anew it moves to the end, so that the first one is the one unseen for longest.
			seenMs.delete(text);
			seenMs.set(text, nowMs);
			const [oldest] = seenMs.keys();
			if (seenMs.size > heldMax && oldest !== undefined) seenMs.delete(oldest);
			return isNew;
		},
	};
}
