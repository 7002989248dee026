import { raise } from './lane-alarms.ts';
import type { Move } from './lane-move.ts';
import { become, emit, inOrder, keepSaying, say, stay, when } from './lane-move.ts';
import type { Claim, LanePassageEnd, LaneState, LatePassage, OpenPassage } from './lane-state.ts';
import type { Grant, Settlement } from './redemption.ts';

/** Passages that may still come are remembered for at most so many openings. */
export const lateMax = 8;

/**
 * Ends an open passage: settles its grant, remembers that somebody may still come, and tells the visitor.
 * The lane is idle afterwards.
 */
export function finish(open: OpenPassage, end: LanePassageEnd): Move {
	return (state) => {
		const settlement = open.claim.kind === 'ticket' ? settlementOf(open, open.claim, end) : undefined;
		return inOrder(
			become({ phase: { kind: 'idle' }, heldUpMs: state.nowMs, verdict: undefined }),
			when(settlement !== undefined, settle(settlement)),
			expectLate(open, end, settlement),
			countMissed(open, end),
			when(end !== 'assumed', forgetCode(open.claim)),
			sayEnd(open, end, settlement),
		)(state);
	};
}

function settle(settlement: Settlement | undefined): Move {
	return settlement ? emit({ kind: 'settle', settlement }) : stay;
}

/** How a grant ends. Only a single visitor who did not pass counts toward the give-back limit. */
function settlementOf(
	{ taken, people }: OpenPassage,
	{ grant, givesBack }: Claim & { kind: 'ticket' },
	end: LanePassageEnd,
): Settlement {
	const { redemptionId } = grant;
	if (end === 'assumed') {
		const assumed = taken + 1;
		return { redemptionId, outcome: 'taken_assumed', taken: assumed, back: assumed < people, counted: false };
	}
	if (taken > 0) return { redemptionId, outcome: 'taken', taken, back: taken < people, counted: false };
	const counts = end === 'missed' && people === 1;
	return { redemptionId, outcome: 'not_taken', taken: 0, back: !counts || givesBack, counted: counts && givesBack };
}

/** Gives a grant back that never reached the relay. */
export function giveBackUnused({ redemptionId }: Grant): Move {
	const settlement = { redemptionId, outcome: 'not_taken', taken: 0, back: true, counted: false } as const;
	return emit({ kind: 'settle', settlement });
}

/**
 * After an opening that nobody was seen to use, one more passage is explained: it takes a returned use again where
 * there is one. After an assumed passage the next one that a recovered sensor sees may be that visitor.
 */
function expectLate(open: OpenPassage, end: LanePassageEnd, settlement: Settlement | undefined): Move {
	return (state) => {
		if (state.sensor === 'none' || end === 'taken' || end === 'emergency') return stay(state);
		const takesAgain = end !== 'assumed' && settlement?.back;
		const late: LatePassage = {
			direction: open.direction,
			untilMs: state.nowMs + (end === 'assumed' ? open.timeoutMs : state.config.latePassageMs),
			ticketId: open.claim.kind === 'ticket' ? open.claim.grant.ticketId : undefined,
			settlement: takesAgain
				? { ...settlement, outcome: 'taken', taken: 1, back: false, counted: false, late: true }
				: undefined,
		};
		return become({ late: [...stillExpected(state), late].slice(-lateMax) })(state);
	};
}

function stillExpected({ late, nowMs }: LaneState): readonly LatePassage[] {
	return late.filter(({ untilMs }) => untilMs > nowMs);
}

/** The newest ended opening that a passage in this direction may belong to. */
export function lateFor(state: LaneState, direction: LatePassage['direction']): LatePassage | undefined {
	return stillExpected(state).findLast((late) => late.direction === direction);
}

/** The passage has come after all. */
export function takeLate(late: LatePassage): Move {
	return (state) =>
		inOrder(become({ late: state.late.filter((other) => other !== late) }), settle(late.settlement))(state);
}

/** A sensor that sees nobody several times in a row is dead, not unlucky. */
function countMissed({ taken }: OpenPassage, end: LanePassageEnd): Move {
	if (end !== 'missed' || taken > 0) return stay;
	return (state) => {
		const missedInRow = state.missedInRow + 1;
		const isDead = missedInRow >= state.config.deadSensorAfter;
		return inOrder(
			become({ missedInRow }),
			when(isDead, inOrder(become({ sensor: 'dead' }), raise('sensor_dead'))),
		)(state);
	};
}

/** The visitor may present the code again at once: for the next use, or because the gate did not open. */
function forgetCode(claim: Claim): Move {
	if (claim.kind === 'staff') return stay;
	const { scan, side } = claim.attempt;
	return (state) =>
		become({ recent: state.recent.filter((code) => code.text !== scan.text || code.side !== side) })(state);
}

function sayEnd(open: OpenPassage, end: LanePassageEnd, settlement: Settlement | undefined): Move {
	switch (end) {
		case 'assumed':
			return (state) => {
				const untilMs = open.openedMs + state.config.verdictMs;
				return when(untilMs > state.nowMs, keepSaying(open.screen, untilMs))(state);
			};
		case 'failed':
			return say({ kind: 'refused', refusal: { reason: 'lane_closed', mode: 'out_of_service' } });
		case 'missed':
			return settlement?.outcome === 'not_taken' ? say({ kind: 'not_taken', back: settlement.back }) : stay;
		case 'taken':
		case 'stopped':
		case 'emergency':
			return stay;
	}
}
