import { isControlled } from './lane-closed.ts';
import type { Move } from './lane-move.ts';
import { become, emit, inOrder, stay, when } from './lane-move.ts';
import type { LaneState, PassageCount, UnverifiedLimit } from './lane-state.ts';
import type { AlarmKind, Direction } from './redemption.ts';

/** A forced passage raises its alarm for this long; each further one anew. The staff button ends it at once. */
export const forcedOpenMs = 10_000;

/**
 * Passages without a grant wait this long for their journal row, so that a free lane writes six rows a minute and
 * not one per person. A power cut loses at most as much of the count.
 */
export const passagesFlushMs = 10_000;

/** Begins an alarm, once. */
export function raise(alarm: AlarmKind): Move {
	return (state) =>
		state.alarms.includes(alarm)
			? stay(state)
			: inOrder(become({ alarms: [...state.alarms, alarm] }), tellAlarm(alarm, true))(state);
}

/** Ends an alarm, if it is on. */
export function clear(alarm: AlarmKind): Move {
	return (state) =>
		state.alarms.includes(alarm)
			? inOrder(become({ alarms: state.alarms.filter((on) => on !== alarm) }), tellAlarm(alarm, false))(state)
			: stay(state);
}

function tellAlarm(alarm: AlarmKind, on: boolean): Move {
	return (state) =>
		emit(
			{ kind: 'alarm', alarm, on },
			{ kind: 'record', fact: { kind: 'alarm', lane: state.config.id, alarm, on } },
		)(state);
}

/** A passage that no grant explains: counted where the lane is open to all, an alarm where it is not. */
export function passedWithoutGrant(direction: Direction): Move {
	return (state) => {
		if (state.emergency) return count(direction, 'emergency')(state);
		if (state.mode === 'free' || state.mode === 'drop_arm') return count(direction, state.mode)(state);
		const forcedUntilMs = state.nowMs + forcedOpenMs;
		return inOrder(raise('forced_open'), become({ forcedUntilMs }), count(direction, 'forced'))(state);
	};
}

function count(direction: Direction, during: PassageCount['during']): Move {
	return (state) => {
		const isSame = (other: PassageCount) => other.direction === direction && other.during === during;
		const before = state.passages.find(isSame)?.count ?? 0;
		const others = state.passages.filter((other) => !isSame(other));
		return become({
			passages: [...others, { direction, during, count: before + 1 }],
			passagesDueMs: state.passagesDueMs ?? state.nowMs + passagesFlushMs,
		})(state);
	};
}

/** Writes down the passages that were counted. */
export const flushPassages: Move = (state) =>
	inOrder(
		become({ passages: [], passagesDueMs: undefined }),
		...state.passages.map((passages) =>
			emit({ kind: 'record', fact: { kind: 'passages', lane: state.config.id, ...passages } }),
		),
	)(state);

/** Staff have looked, or enough time has passed. */
export const clearForced: Move = inOrder(clear('forced_open'), become({ forcedUntilMs: undefined }));

/** Somebody opened the turnstile's case, or closed it. */
export function onTamper(active: boolean): Move {
	return active ? raise('tamper') : clear('tamper');
}

/** Too many were admitted on the lane's own word in this hour: alarms until it ends. */
export function onUnverifiedLimit({ unverifiedLimitMs }: UnverifiedLimit): Move {
	if (unverifiedLimitMs === undefined) return stay;
	return (state) =>
		inOrder(raise('unverified_limit'), become({ unverifiedUntilMs: state.nowMs + unverifiedLimitMs }))(state);
}

/** When a passage contact will have been active for too long; undefined while none is or where it may be. */
export function openTooLongDue(state: LaneState): number | undefined {
	if (!isControlled(state) || state.alarms.includes('open_too_long')) return undefined;
	const since = Object.values(state.contacts).filter((atMs) => atMs !== undefined);
	return since.length === 0 ? undefined : Math.min(...since) + state.config.openTooLongMs;
}

/** Ends `open_too_long` once no contact is active. */
export const clearOpenTooLong: Move = (state) =>
	when(state.contacts.entry === undefined && state.contacts.exit === undefined, clear('open_too_long'))(state);

/** Handles the deadlines of the alarms that have come. */
export const expireAlarms: Move = (state) =>
	inOrder(
		when(isDue(state.forcedUntilMs, state), clearForced),
		when(
			isDue(state.unverifiedUntilMs, state),
			inOrder(clear('unverified_limit'), become({ unverifiedUntilMs: undefined })),
		),
		when(isDue(openTooLongDue(state), state), raise('open_too_long')),
		when(isDue(state.passagesDueMs, state), flushPassages),
	)(state);

function isDue(dueMs: number | undefined, { nowMs }: LaneState): boolean {
	return dueMs !== undefined && dueMs <= nowMs;
}
