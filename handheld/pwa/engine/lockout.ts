/** Wrong PINs of one name before it must wait. */
export const wrongPinsMax = 5;

/** The first wait; each further one is twice as long. */
export const firstLockMs = 60_000;

/** The longest wait. */
export const lockMsMax = 3_600_000;

/** Wrong PINs of one name. `leftMs` is counted down between looks, so that it never depends on what the clock said before. */
export interface Lock {
	/** Wrong PINs since the last wait. */
	readonly wrong: number;
	/** Waits so far. */
	readonly locks: number;
	readonly leftMs: number;
	/** When `leftMs` was counted, milliseconds since 1970. */
	readonly seenMs: number;
}

/** A name that nobody has tried. */
export const noLock: Lock = { wrong: 0, locks: 0, leftMs: 0, seenMs: 0 };

/** The wait that is left now. A clock that was set back shortens nothing. */
export function lockAt(lock: Lock, nowMs: number): Lock {
	const passedMs = Math.max(0, nowMs - lock.seenMs);
	return { ...lock, leftMs: Math.max(0, lock.leftMs - passedMs), seenMs: nowMs };
}

/** One more wrong PIN. */
export function countWrong(before: Lock, nowMs: number): Lock {
	const lock = lockAt(before, nowMs);
	const wrong = lock.wrong + 1;
	if (wrong < wrongPinsMax) return { ...lock, wrong };
	return { ...lock, wrong: 0, locks: lock.locks + 1, leftMs: Math.min(lockMsMax, firstLockMs * 2 ** lock.locks) };
}
