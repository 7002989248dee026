import { answerTimeoutMs, expireAttempt } from './lane-admission.ts';
import { expireAlarms, openTooLongDue } from './lane-alarms.ts';
import type { Move } from './lane-move.ts';
import { become, inOrder, stay, when } from './lane-move.ts';
import { expirePassage } from './lane-passage.ts';
import { waitScreenDue } from './lane-screen.ts';
import { entryFailed } from './lane-staff.ts';
import type { LaneState, Phase } from './lane-state.ts';

/** Monotonic milliseconds at which the lane wants its next `tick`; undefined while nothing runs out. */
export function deadlineOf(state: LaneState): number | undefined {
	const waitMs = waitScreenDue(state);
	const due = [
		waitMs !== undefined && waitMs > state.nowMs ? waitMs : undefined,
		phaseDue(state.phase),
		state.verdict?.untilMs,
		state.forcedUntilMs,
		state.unverifiedUntilMs,
		state.passagesDueMs,
		openTooLongDue(state),
	].filter((atMs) => atMs !== undefined);
	return due.length === 0 ? undefined : Math.min(...due);
}

function phaseDue(phase: Phase): number | undefined {
	switch (phase.kind) {
		case 'idle':
			return undefined;
		case 'checking':
		case 'redeeming':
		case 'recording':
			return phase.askedMs + answerTimeoutMs;
		case 'confirming':
			return phase.untilMs;
		case 'passing':
			return phase.open.untilMs;
	}
}

/** Handles all that has run out by now. What is handled sets no deadline that has come already. */
export const expire: Move = (state) => {
	const { nowMs, verdict, phase } = state;
	return inOrder(
		when(verdict !== undefined && verdict.untilMs <= nowMs, become({ verdict: undefined })),
		when((phaseDue(phase) ?? Number.POSITIVE_INFINITY) <= nowMs, expirePhase(phase)),
		expireAlarms,
	)(state);
};

function expirePhase(phase: Phase): Move {
	if (phase.kind === 'idle') return stay;
	if (phase.kind === 'passing') return expirePassage(phase.open);
	return phase.kind === 'recording' ? entryFailed : expireAttempt;
}
