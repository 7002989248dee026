import { admit, confirm, onChecked, onRedeemed, onScan, onStaffButton, reject } from './lane-admission.ts';
import { clear, flushPassages, onTamper, raise } from './lane-alarms.ts';
import { closedFor, missingOf } from './lane-closed.ts';
import { expire } from './lane-deadlines.ts';
import { onFire, openForEmergency, recordLane, resetEmergency } from './lane-emergency.ts';
import { doubtHold, withHold } from './lane-hold.ts';
import type { Move, Step } from './lane-move.ts';
import { andThen, become, inOrder, stay, when } from './lane-move.ts';
import { goBlind, mayHaveMissed, onPassage, onPulsed, stopRun } from './lane-passage.ts';
import { isStale } from './lane-scans.ts';
import { screenOf, withScreen } from './lane-screen.ts';
import { enterByStaff, onRecorded, onStaffEntry } from './lane-staff.ts';
import type {
	FireState,
	LaneCommand,
	LaneConfig,
	LaneInput,
	LaneMode,
	LaneState,
	Phase,
	Screen,
} from './lane-state.ts';
import type { AlarmKind, Direction } from './redemption.ts';

export { deadlineOf } from './lane-deadlines.ts';
export { screenOf } from './lane-screen.ts';

/** What of a lane outlives a restart: the newest `lane` row of its journal. */
export interface RememberedLane {
	readonly mode: LaneMode;
	readonly emergency: boolean;
}

/**
 * A lane's state when the agent starts, and the effects that belong to it. A remembered mode wins over the
 * configured one, and a remembered emergency goes on: nothing touches its gate until it is reset. The agent first
 * settles the grants that a crash left open as `taken_assumed`, so the lane starts with none; then it feeds `fire`
 * and `devices` before the first scan.
 */
export function initialLane(config: LaneConfig, memory: RememberedLane | undefined, atMs: number): Step {
	const mode = memory?.mode ?? config.mode;
	const state: LaneState = {
		config,
		nowMs: atMs,
		mode,
		fire: config.fireInput ? 'unknown' : 'clear',
		emergency: memory?.emergency ? { hold: 'keep' } : undefined,
		missing: [],
		hold: memory?.emergency ? 'unknown' : 'released',
		pulsedMs: undefined,
		phase: { kind: 'idle' },
		queue: [],
		heldUpMs: atMs,
		recent: [],
		late: [],
		contacts: { entry: undefined, exit: undefined },
		sensor: config.passageSensor ? 'working' : 'none',
		missedInRow: 0,
		alarms: [],
		forcedUntilMs: undefined,
		unverifiedUntilMs: undefined,
		passages: [],
		passagesDueMs: undefined,
		verdict: undefined,
		shown: { screen: { kind: 'please_wait' }, verdictId: undefined },
		nextId: 1,
	};
	return withScreen(withHold(when(mode === 'free', raise('free_access'))(state)));
}

/**
 * The next state of a lane and what is to be done. Pure and total: no input in any order makes it throw, and time
 * that runs backwards stands still. Deadlines that have come by `input.atMs` are handled before the input.
 */
export function step(state: LaneState, input: LaneInput): Step {
	const nowMs = Math.max(input.atMs, state.nowMs);
	const move = inOrder(become({ nowMs }), expire, takeNext, handle(input), expire, endVainWait, takeNext);
	return withScreen(withHold(move(state)));
}

function handle(input: LaneInput): Move {
	switch (input.kind) {
		case 'scan':
			return onScan(input.scan, input.side);
		case 'checked':
			return onChecked(input.scanId, input.result);
		case 'redeemed':
			return onRedeemed(input.scanId, input.result);
		case 'recorded':
			return onRecorded(input.entryId, input.ok);
		case 'pulsed':
			return onPulsed(input.pulseId, input.ok);
		case 'passage':
			return onPassage(input.direction, input.active);
		case 'fire':
			return onFire(input.state);
		case 'tamper':
			return onTamper(input.active);
		case 'staff_button':
			return onStaffButton;
		case 'command':
			return obey(input.command);
		case 'devices':
			return onDevices(input);
		case 'unseen':
			return mayHaveMissed;
		case 'closing':
			return flushPassages;
		case 'tick':
			return stay;
	}
}

function obey(command: LaneCommand): Move {
	switch (command.kind) {
		case 'set_mode':
			return setMode(command.mode, command.by);
		case 'staff_entry':
			return onStaffEntry(command);
		case 'confirm':
			return confirm;
		case 'reject':
			return reject;
		case 'stop_group':
			return stopRun;
		case 'emergency_open':
			return openForEmergency(command.by);
		case 'emergency_reset':
			return resetEmergency(command.by);
	}
}

/** A passage under way goes on to its settlement; the new mode holds for all that comes after. */
function setMode(mode: LaneMode, by: string): Move {
	return (state) => {
		if (mode === state.mode) return stay(state);
		const alarm = mode === 'free' ? raise('free_access') : clear('free_access');
		return inOrder(flushPassages, become({ mode }), recordLane(by), alarm)(state);
	};
}

function onDevices({ missing, relayOpened }: LaneInput & { kind: 'devices' }): Move {
	return inOrder(
		become({ missing: [...missing] }),
		when(missing.length > 0, goBlind),
		when(relayOpened === true, doubtHold),
	);
}

/** Nobody waits for staff before a lane that has closed. */
const endVainWait: Move = (state) => {
	const { phase } = state;
	return when(phase.kind === 'confirming' && closedFor(state, phase.attempt.side) !== undefined, reject)(state);
};

/** Serves who waits, once the lane is free. Each turn shortens the queue, so this ends. */
const takeNext: Move = (start) => {
	let now: Step = [start, []];
	while (now[0].phase.kind === 'idle' && now[0].queue.length > 0) now = andThen(now, serveFirst);
	return now;
};

const serveFirst: Move = (state) => {
	const [first, ...queue] = state.queue;
	if (!first) return stay(state);
	const serve = first.kind === 'scan' ? admit(first.scan, first.side) : enterByStaff(first.order);
	return inOrder(become({ queue }), isStale(state, first) ? stay : serve)(state);
};

/** Whether nobody is on the way through or may still come late: what ends a lane now ends it between two visitors. */
export function isAtRest({ phase, queue, late }: LaneState, nowMs: number): boolean {
	return phase.kind === 'idle' && queue.length === 0 && late.every(({ untilMs }) => untilMs <= nowMs);
}

/** A lane in a few words, for health and metrics. */
export interface LaneStatus {
	readonly mode: LaneMode;
	readonly phase: Phase['kind'];
	readonly screen: Screen['kind'];
	readonly alarms: readonly AlarmKind[];
	readonly emergency: boolean;
	readonly fire: FireState;
	readonly sensor: LaneState['sensor'];
	/** Directions whose passage contact is active now. */
	readonly passing: readonly Direction[];
	readonly missing: readonly string[];
	/** Scans and orders that wait for their turn. */
	readonly waiting: number;
}

/** Whether a lane has what it needs. One that is closed by its mode works; one whose gate may not open does not. Lamps are not essential. */
export function laneWorks({
	missing,
	alarms,
}: {
	readonly missing: readonly string[];
	readonly alarms: readonly string[];
}): boolean {
	return missing.length === 0 && !alarms.includes('relay_failed');
}

/** Whether somebody is served, or a fire or an emergency is on, or perhaps on. */
export function laneInUse({
	phase,
	emergency,
	fire,
}: {
	readonly phase: string;
	readonly emergency: boolean;
	readonly fire: string;
}): boolean {
	return phase !== 'idle' || emergency || fire !== 'clear';
}

const directions: readonly Direction[] = ['entry', 'exit'];

/** @see LaneStatus */
export function laneStatus(state: LaneState): LaneStatus {
	const { mode, phase, alarms, emergency, fire, sensor, queue } = state;
	return {
		mode,
		phase: phase.kind,
		screen: screenOf(state).kind,
		alarms,
		emergency: emergency !== undefined,
		fire,
		sensor,
		passing: directions.filter((direction) => state.contacts[direction] !== undefined),
		missing: missingOf(state),
		waiting: queue.length,
	};
}
