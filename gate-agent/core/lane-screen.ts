import { missingOf } from './lane-closed.ts';
import type { Step } from './lane-move.ts';
import type { LaneState, OpenPassage, Phase, Screen } from './lane-state.ts';

/** A check that takes longer than this says so; most are over in a few milliseconds and would only flicker. */
export const waitScreenMs = 150;

/** What is shown now, also for a display that connects late. */
export function screenOf(state: LaneState): Screen {
	if (state.emergency) return { kind: 'emergency' };
	const missing = missingOf(state);
	if (missing.length > 0) return { kind: 'out_of_service', missing };
	if (isWaitingLong(state)) return { kind: 'please_wait' };
	return state.verdict?.screen ?? phaseScreen(state.phase) ?? modeScreen(state);
}

/** When the visitor is told to wait; undefined where nothing is being asked. */
export function waitScreenDue({ phase }: LaneState): number | undefined {
	return 'askedMs' in phase ? phase.askedMs + waitScreenMs : undefined;
}

function isWaitingLong(state: LaneState): boolean {
	const dueMs = waitScreenDue(state);
	return dueMs !== undefined && dueMs <= state.nowMs;
}

function phaseScreen(phase: Phase): Screen | undefined {
	if (phase.kind === 'passing') return openScreen(phase.open);
	if (phase.kind !== 'confirming') return undefined;
	const { ticket, classPolicy } = phase.admissible;
	return {
		kind: 'wait_staff',
		cls: ticket.cls,
		...(classPolicy.cue !== undefined && { cue: classPolicy.cue }),
		...(ticket.seat !== undefined && { seat: ticket.seat }),
	};
}

function openScreen({ screen, people, taken }: OpenPassage): Screen {
	return people > 1 ? { ...screen, group: { taken, of: people } } : screen;
}

function modeScreen({ mode }: LaneState): Screen {
	if (mode === 'free') return { kind: 'free' };
	return mode === 'locked' || mode === 'drop_arm' ? { kind: 'closed', mode } : { kind: 'idle', mode };
}

/** Tells the display where the screen changed, or where the same verdict is to be said again. */
export function withScreen([state, effects]: Step): Step {
	const screen = screenOf(state);
	const verdictId = state.verdict?.screen === screen ? state.verdict.id : undefined;
	const isSaidAgain = verdictId !== undefined && verdictId !== state.shown.verdictId;
	if (!isSaidAgain && isEqual(screen, state.shown.screen)) return [state, effects];
	return [{ ...state, shown: { screen, verdictId } }, [...effects, { kind: 'show', screen }]];
}

/** Screens are small plain data that is always built in one order of keys. */
function isEqual(one: Screen, other: Screen): boolean {
	return one === other || JSON.stringify(one) === JSON.stringify(other);
}
