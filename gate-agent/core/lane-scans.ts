import type { Move } from './lane-move.ts';
import { become, stay } from './lane-move.ts';
import type { Attempt, LaneState, RecentCode, Screen, Waiting } from './lane-state.ts';
import type { Direction } from './redemption.ts';
import type { Scan } from './scan.ts';

type CodeScan = Scan & { kind: 'code' };

/** Scans and orders that wait for their turn. A burst of garbage fits, and each of it gets its refusal. */
export const queueMax = 256;

/** Who waited longer than this behind another visitor presents again, and must not find the gate opened for nobody. */
export const staleMs = 3_000;

/** An order to open that waited longer than this behind a visitor is over; staff give it again. */
export const staleOrderMs = 5_000;

/** Codes remembered for the hold-off: several phones held before one scanner do not take turns. */
export const recentMax = 8;

/** The code, where it is still held off since its first read. */
export function heldOff(state: LaneState, { text }: CodeScan, side: Direction): RecentCode | undefined {
	const isHeld = (code: RecentCode) => state.nowMs - code.firstReadMs < state.config.holdOffMs;
	return state.recent.find((code) => code.text === text && code.side === side && isHeld(code));
}

/** Starts the hold-off of a code. */
export function rememberCode({ text }: CodeScan, side: Direction): Move {
	return (state) => {
		const others = state.recent.filter((code) => code.text !== text || code.side !== side);
		const code: RecentCode = { text, side, firstReadMs: state.nowMs, verdict: undefined };
		return become({ recent: [...others, code].slice(-recentMax) })(state);
	};
}

/** Keeps the reason of a refusal with the code, for as long as it is held off. */
export function refusedCode({ scan, side, screen }: { scan: CodeScan; side: Direction; screen: Screen }): Move {
	return (state) =>
		become({
			recent: state.recent.map((code) =>
				code.text === scan.text && code.side === side ? { ...code, verdict: screen } : code,
			),
		})(state);
}

/** Whether the gate is open for this very code. */
export function isOpenCode({ phase }: LaneState, scan: CodeScan, side: Direction): boolean {
	if (phase.kind !== 'passing' || phase.open.claim.kind === 'staff') return false;
	return isSame(phase.open.claim.attempt, scan, side);
}

/** Whether this very code is being checked, confirmed or redeemed. */
export function isUnderWay({ phase }: LaneState, scan: CodeScan, side: Direction): boolean {
	return 'attempt' in phase && isSame(phase.attempt, scan, side);
}

function isSame(attempt: Attempt, { text }: CodeScan, side: Direction): boolean {
	return attempt.scan.text === text && attempt.side === side;
}

/** Has a scan or an order wait. A code that waits already keeps its place and counts as presented now. */
export function enqueue(waiting: Waiting): Move {
	return (state) => {
		const at = state.queue.findIndex((other) => isSameCode(other, waiting));
		if (at >= 0) return become({ queue: state.queue.with(at, waiting) })(state);
		return (state.queue.length < queueMax ? become({ queue: [...state.queue, waiting] }) : stay)(state);
	};
}

function isSameCode(one: Waiting, other: Waiting): boolean {
	if (one.kind !== 'scan' || other.kind !== 'scan') return false;
	return one.scan.text === other.scan.text && one.side === other.side;
}

/** Whether a visitor on the way kept this one waiting too long. Slow checks alone make nothing stale. */
export function isStale({ nowMs, heldUpMs }: LaneState, { kind, atMs }: Waiting): boolean {
	const limitMs = kind === 'scan' ? staleMs : staleOrderMs;
	return nowMs - atMs > limitMs && heldUpMs >= atMs;
}
