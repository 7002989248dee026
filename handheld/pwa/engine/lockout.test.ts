import { expect, test } from 'vitest';
import { countWrong, firstLockMs, type Lock, lockAt, lockMsMax, noLock, wrongPinsMax } from './lockout.ts';

const nowMs = 1_790_000_000_000;

function wrongTimes(lock: Lock, times: number, atMs: number): Lock {
	return Array.from({ length: times }).reduce<Lock>((before) => countWrong(before, atMs), lock);
}

test('the fifth wrong PIN makes a name wait, and each further five twice as long, up to an hour', () => {
	expect(wrongTimes(noLock, wrongPinsMax - 1, nowMs).leftMs).toBe(0);
	let lock = noLock;
	const waits = Array.from({ length: 8 }, () => {
		lock = wrongTimes(lock, wrongPinsMax, nowMs);
		return lock.leftMs / firstLockMs;
	});
	expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
	expect(lock.leftMs).toBe(lockMsMax);
});

test('a wait passes with the clock, and a clock that is set back does not shorten it', () => {
	const lock = wrongTimes(noLock, wrongPinsMax, nowMs);
	expect(lockAt(lock, nowMs + 10_000).leftMs).toBe(firstLockMs - 10_000);
	const back = lockAt(lock, nowMs - 86_400_000);
	expect(back.leftMs).toBe(firstLockMs);
	expect(lockAt(back, back.seenMs + firstLockMs).leftMs).toBe(0);
});
