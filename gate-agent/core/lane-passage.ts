import { clear, clearOpenTooLong, passedWithoutGrant, raise } from './lane-alarms.ts';
import { closedFor } from './lane-closed.ts';
import type { Move } from './lane-move.ts';
import { become, emit, inOrder, stay, when } from './lane-move.ts';
import { finish, lateFor, takeLate } from './lane-settlement.ts';
import type { Claim, LaneState, OpenPassage, Screen } from './lane-state.ts';
import type { Direction } from './redemption.ts';

/** A relay that has not answered a pulse for this long has failed. Drivers answer sooner, with their own timeout. */
export const pulseAnswerMs = 5_000;

/** What the gate is opened for. */
export interface Opening {
	readonly claim: Claim;
	readonly direction: Direction;
	readonly people: number;
	/** How long one person may take; the lane's own time when absent. */
	readonly timeoutMs: number | undefined;
	readonly screen: Screen & { kind: 'granted' };
}

/** Opens the gate for one person, or for several one after the other. */
export function openGate({ timeoutMs, ...opening }: Opening): Move {
	return (state) => {
		const open: OpenPassage = {
			...opening,
			taken: 0,
			pulse: { id: 0, answer: 'awaited', passed: false },
			sensed: state.sensor === 'working',
			blind: false,
			timeoutMs: timeoutMs ?? state.config.passageTimeoutMs,
			untilMs: 0,
			openedMs: state.nowMs,
		};
		return inOrder(become({ verdict: undefined, late: lateWithout(opening.claim, state) }), pulse(open))(state);
	};
}

/** A ticket that is granted again has taken its returned use already; a later passage must not take another. */
function lateWithout(claim: Claim, { late }: LaneState): LaneState['late'] {
	return claim.kind === 'ticket' ? late.filter(({ ticketId }) => ticketId !== claim.grant.ticketId) : late;
}

/** One pulse, one person. */
function pulse(open: OpenPassage): Move {
	return (state) => {
		const pulseId = state.nextId;
		const next: OpenPassage = {
			...open,
			pulse: { id: pulseId, answer: 'awaited', passed: false },
			untilMs: state.nowMs + waitMs(open, state),
		};
		return inOrder(
			become({ phase: { kind: 'passing', open: next }, nextId: pulseId + 1, pulsedMs: state.nowMs }),
			emit({ kind: 'pulse', pulseId, direction: open.direction }),
		)(state);
	};
}

/** How long after a pulse the lane gives up. */
function waitMs(open: OpenPassage, { config }: LaneState): number {
	if (!open.sensed) return pulseAnswerMs;
	return open.people > 1 ? config.groupIdleMs : open.timeoutMs;
}

/** The relay has answered. An answer to a pulse that is over still tells how the relay is. */
export function onPulsed(pulseId: number, ok: boolean): Move {
	return inOrder(ok ? clear('relay_failed') : raise('relay_failed'), (state) => {
		const { phase } = state;
		if (phase.kind !== 'passing') return stay(state);
		const { pulse } = phase.open;
		if (pulse.id !== pulseId || pulse.answer !== 'awaited') return stay(state);
		const open: OpenPassage = { ...phase.open, pulse: { ...pulse, answer: ok ? 'ok' : 'failed' } };
		return afterPulse(open)(state);
	});
}

function afterPulse(open: OpenPassage): Move {
	const { answer, passed } = open.pulse;
	if (answer === 'failed' && !passed) return finish(open, 'failed');
	if (open.sensed) return goOn(open);
	return open.claim.kind === 'staff' ? assumeNext(open) : finish(open, 'assumed');
}

/**
 * Without a working sensor a staff order for several is paced by time. A group's ticket is not: it would burn uses
 * unseen, so each of its people is scanned for.
 */
function assumeNext(open: OpenPassage): Move {
	const taken = open.taken + 1;
	if (taken >= open.people) return finish(open, 'assumed');
	return (state) =>
		become({
			phase: {
				kind: 'passing',
				open: { ...open, taken, pulse: { ...open.pulse, passed: true }, untilMs: state.nowMs + open.timeoutMs },
			},
		})(state);
}

/** Waits for the passage; once it has come and the relay and the contact are ready, opens for the next person. */
function goOn(open: OpenPassage): Move {
	return (state) => {
		const isReady =
			open.pulse.passed && open.pulse.answer !== 'awaited' && state.contacts[open.direction] === undefined;
		if (!isReady) return become({ phase: { kind: 'passing', open } })(state);
		return openForNext(open)(state);
	};
}

function openForNext(open: OpenPassage): Move {
	return (state) => (closedFor(state, open.direction) ? finish(open, 'stopped') : pulse(open))(state);
}

/** The passage contact of a direction changed. Only a change to active is a passage. */
export function onPassage(direction: Direction, active: boolean): Move {
	return (state) => {
		if (state.sensor === 'none' || active === (state.contacts[direction] !== undefined)) return stay(state);
		const contacts = { ...state.contacts, [direction]: active ? state.nowMs : undefined };
		const after = active ? inOrder(sensorWorks, passed(direction)) : inOrder(clearOpenTooLong, nextInRun);
		return inOrder(become({ contacts }), after)(state);
	};
}

const sensorWorks: Move = inOrder(become({ missedInRow: 0, sensor: 'working' }), clear('sensor_dead'));

function passed(direction: Direction): Move {
	return (state) => {
		const { phase } = state;
		if (phase.kind === 'passing' && phase.open.direction === direction) return personPassed(phase.open)(state);
		const late = lateFor(state, direction);
		return (late ? takeLate(late) : passedWithoutGrant(direction))(state);
	};
}

function personPassed(open: OpenPassage): Move {
	// A confirmed pulse without a sensor was counted already; this is the same person, seen by a sensor that recovered.
	const taken = open.taken + (!open.sensed && open.pulse.passed ? 0 : 1);
	if (taken >= open.people) return finish({ ...open, taken }, 'taken');
	return (state) =>
		goOn({
			...open,
			taken,
			sensed: true,
			pulse: { ...open.pulse, passed: true },
			untilMs: state.nowMs + state.config.groupIdleMs,
		})(state);
}

const nextInRun: Move = (state) => (state.phase.kind === 'passing' ? goOn(state.phase.open) : stay)(state);

/** Handles the end of an open passage's time. */
export function expirePassage(open: OpenPassage): Move {
	const { answer, passed } = open.pulse;
	if (!open.sensed && passed) return openForNext(open);
	if (answer === 'awaited' && !passed) return inOrder(raise('relay_failed'), finish(open, 'failed'));
	if (passed) return finish(open, 'stopped');
	return finish(open, open.blind ? 'assumed' : 'missed');
}

/** Ends a run of several people early. */
export const stopRun: Move = (state) => {
	const { phase } = state;
	return when(phase.kind === 'passing' && phase.open.people > 1, endOpen('stopped'))(state);
};

/** Ends whatever passage is open. */
export function endOpen(end: 'stopped' | 'emergency'): Move {
	return (state) => (state.phase.kind === 'passing' ? finish(state.phase.open, end) : stay)(state);
}

/** A passage may have gone unseen: when nobody is seen to pass in time, somebody is assumed to have. */
export const mayHaveMissed: Move = (state) => {
	const { phase } = state;
	return phase.kind === 'passing' ? markBlind(phase.open)(state) : stay(state);
};

/** A device went missing: a passage may go unseen, and a contact that was active may be so no longer. */
export const goBlind: Move = inOrder(
	become({ contacts: { entry: undefined, exit: undefined } }),
	clearOpenTooLong,
	mayHaveMissed,
);

function markBlind(open: OpenPassage): Move {
	return become({ phase: { kind: 'passing', open: { ...open, blind: true } } });
}
