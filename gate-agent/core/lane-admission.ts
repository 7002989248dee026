import { clearForced, onUnverifiedLimit } from './lane-alarms.ts';
import { closedFor, sayClosed } from './lane-closed.ts';
import type { Move } from './lane-move.ts';
import { become, emit, inOrder, say, stay } from './lane-move.ts';
import { openGate } from './lane-passage.ts';
import { enqueue, heldOff, isOpenCode, isUnderWay, refusedCode, rememberCode } from './lane-scans.ts';
import { giveBackUnused } from './lane-settlement.ts';
import { enterByStaff } from './lane-staff.ts';
import type { Admissible, Attempt, Checked, Claim, LaneState, Phase, RedeemResult, Screen } from './lane-state.ts';
import { giveBackMax } from './policy.ts';
import type { Direction, Grant } from './redemption.ts';
import type { Refusal } from './refusal.ts';
import type { Scan } from './scan.ts';
import type { Ticket, TicketId } from './ticket.ts';

/**
 * A check or a redemption that has no answer for this long is refused; a grant that comes later is given back. A lane that
 * waits for its authority has `claimMsMax` of it, so that its own decision still comes in time.
 */
export const answerTimeoutMs = 5_000;

/** The longest that a lane may wait for its authority. */
export const claimMsMax = answerTimeoutMs - 1_000;

type CodeScan = Scan & { kind: 'code' };

const idle: Phase = { kind: 'idle' };

/** A scanner has read something. */
export function onScan(scan: Scan, side: Direction): Move {
	if (scan.kind === 'unreadable') return refuseUnreadable(scan);
	return (state) => {
		const recent = heldOff(state, scan, side);
		if (recent) return sayAgain(recent.verdict)(state);
		if (isOpenCode(state, scan, side)) {
			return inOrder(rememberCode(scan, side), say({ kind: 'go_through' }))(state);
		}
		if (isUnderWay(state, scan, side)) return stay(state);
		const isBusy = state.phase.kind !== 'idle' && !closedFor(state, side);
		return (isBusy ? enqueue({ kind: 'scan', scan, side, atMs: state.nowMs }) : admit(scan, side))(state);
	};
}

/** A held code says its refusal again, but only where nobody else is being spoken to. */
function sayAgain(verdict: Screen | undefined): Move {
	return (state) => (verdict && !state.verdict && state.phase.kind === 'idle' ? say(verdict) : stay)(state);
}

/** Noise is refused one by one, but said only once while it lasts. */
function refuseUnreadable(scan: Scan): Move {
	const refusal = { reason: 'unreadable' } as const;
	return (state) => {
		const { verdict, phase } = state;
		const isSaid = verdict?.screen.kind === 'refused' && verdict.screen.refusal.reason === 'unreadable';
		const isSilent = isSaid || phase.kind !== 'idle';
		return inOrder(emit({ kind: 'deny', refusal, scan }), isSilent ? stay : say({ kind: 'refused', refusal }))(state);
	};
}

/** Begins the admission of a code whose turn has come. */
export function admit(scan: CodeScan, side: Direction): Move {
	return (state) => {
		const mode = closedFor(state, side);
		// A free lane asks for no ticket, so none is refused.
		if (mode === 'free') return stay(state);
		if (mode) {
			const refusal = { reason: 'lane_closed', mode } as const;
			return inOrder(rememberCode(scan, side), emit({ kind: 'deny', refusal, scan }), sayClosed(mode))(state);
		}
		return inOrder(rememberCode(scan, side), beginCheck(scan, side))(state);
	};
}

function beginCheck(scan: CodeScan, side: Direction): Move {
	return (state) => {
		const scanId = state.nextId;
		const attempt: Attempt = { scanId, scan, side };
		return inOrder(
			become({ phase: { kind: 'checking', attempt, askedMs: state.nowMs }, nextId: scanId + 1 }),
			emit({ kind: 'check', scanId, scan, direction: side }),
		)(state);
	};
}

/** What a refusal is about. */
interface Refused {
	readonly attempt: Attempt;
	readonly refusal: Refusal;
	readonly ticketId?: TicketId | undefined;
	readonly seat?: string | undefined;
}

/** Ends an attempt: nothing was redeemed. */
function refuse({ attempt: { scan, side }, refusal, ticketId, seat }: Refused): Move {
	const screen: Screen = { kind: 'refused', refusal, ...(seat !== undefined && { seat }) };
	return inOrder(
		become({ phase: idle }),
		emit({ kind: 'deny', refusal, scan, ...(ticketId !== undefined && { ticketId }) }),
		refusedCode({ scan, side, screen }),
		say(screen),
	);
}

function refuseTicket(attempt: Attempt, { id, seat }: Ticket, refusal: Refusal): Move {
	return refuse({ attempt, refusal, ticketId: id, seat });
}

/** The answer to a check; one that nobody waits for any more changes nothing. */
export function onChecked(scanId: number, result: Checked): Move {
	return (state) => {
		const { phase } = state;
		if (phase.kind !== 'checking' || phase.attempt.scanId !== scanId) return stay(state);
		const { attempt } = phase;
		if (result.kind === 'refused') return inOrder(onUnverifiedLimit(result), refuse({ attempt, ...result }))(state);
		const { admissible } = result;
		const waits = admissible.classPolicy.lane === 'confirm' && attempt.side === 'entry';
		return (waits ? waitForStaff(attempt, admissible) : redeem(attempt, admissible))(state);
	};
}

function waitForStaff(attempt: Attempt, admissible: Admissible): Move {
	return (state) =>
		become({
			verdict: undefined,
			phase: { kind: 'confirming', attempt, admissible, untilMs: state.nowMs + state.config.confirmTimeoutMs },
		})(state);
}

function redeem(attempt: Attempt, admissible: Admissible): Move {
	const { ticket } = admissible;
	return (state) => {
		const mode = closedFor(state, attempt.side);
		if (mode) return refuseTicket(attempt, ticket, { reason: 'lane_closed', mode })(state);
		return inOrder(
			become({ phase: { kind: 'redeeming', attempt, admissible, askedMs: state.nowMs } }),
			emit({ kind: 'redeem', scanId: attempt.scanId, ticket, direction: attempt.side }),
		)(state);
	};
}

/** Staff let in who waits for them. */
export const confirm: Move = (state) => {
	const { phase } = state;
	if (phase.kind !== 'confirming') return stay(state);
	return inOrder(become({ heldUpMs: state.nowMs }), redeem(phase.attempt, phase.admissible))(state);
};

/** Staff turn away who waits for them, or nobody came to look, or the lane was closed meanwhile. */
export const reject: Move = (state) => {
	const { phase } = state;
	if (phase.kind !== 'confirming') return stay(state);
	const mode = closedFor(state, phase.attempt.side);
	const refusal: Refusal = mode ? { reason: 'lane_closed', mode } : { reason: 'staff_needed', why: 'not_confirmed' };
	return inOrder(
		become({ heldUpMs: state.nowMs }),
		refuseTicket(phase.attempt, phase.admissible.ticket, refusal),
	)(state);
};

/** The staff button lets in who waits, else acknowledges a forced passage, else opens once where it may. */
export const onStaffButton: Move = (state) => {
	const { config, phase, alarms } = state;
	if (phase.kind === 'confirming') return confirm(state);
	if (alarms.includes('forced_open')) return clearForced(state);
	if (config.staffButton !== 'open_once' || phase.kind !== 'idle') return stay(state);
	const order = { cls: config.staffButtonClass, count: 1, by: 'button', reason: 'button' };
	return enterByStaff({ kind: 'staff_entry', ...order })(state);
};

/** The answer to a redemption. A grant that nobody waits for any more goes back, so that none is ever lost. */
export function onRedeemed(scanId: number, result: RedeemResult): Move {
	return inOrder(result.kind === 'exited' ? stay : onUnverifiedLimit(result), (state) => {
		const { phase } = state;
		if (phase.kind !== 'redeeming' || phase.attempt.scanId !== scanId) return disown(result)(state);
		const { attempt, admissible } = phase;
		if (result.kind === 'refused') return refuseTicket(attempt, admissible.ticket, result.refusal)(state);
		const mode = closedFor(state, attempt.side);
		if (mode) return inOrder(become({ phase: idle }), disown(result), sayClosed(mode))(state);
		return openFor(attempt, admissible, result)(state);
	});
}

function disown(result: RedeemResult): Move {
	return (state) => {
		if (result.kind !== 'granted' || isOpenGrant(state, result.grant)) return stay(state);
		return giveBackUnused(result.grant)(state);
	};
}

function isOpenGrant({ phase }: LaneState, { redemptionId }: Grant): boolean {
	if (phase.kind !== 'passing' || phase.open.claim.kind !== 'ticket') return false;
	return phase.open.claim.grant.redemptionId === redemptionId;
}

function openFor(
	attempt: Attempt,
	admissible: Admissible,
	result: RedeemResult & { kind: 'granted' | 'exited' },
): Move {
	const { classPolicy } = admissible;
	const people = result.kind === 'granted' ? Math.max(1, result.grant.uses) : 1;
	return openGate({
		claim: claimOf(attempt, admissible, result),
		direction: attempt.side,
		people,
		timeoutMs: classPolicy.passageTimeoutMs,
		screen: grantedScreen(attempt, admissible, result),
	});
}

function claimOf(
	attempt: Attempt,
	{ classPolicy }: Admissible,
	result: RedeemResult & { kind: 'granted' | 'exited' },
): Claim {
	if (result.kind === 'exited') return { kind: 'exit', attempt };
	const givesBack = classPolicy.giveBack && result.givenBack < giveBackMax;
	return { kind: 'ticket', grant: result.grant, givesBack, attempt };
}

function grantedScreen(
	{ side }: Attempt,
	{ ticket, classPolicy }: Admissible,
	result: RedeemResult & { kind: 'granted' | 'exited' },
): Screen & { kind: 'granted' } {
	const { lane, cue } = classPolicy;
	const isEntry = side === 'entry';
	return {
		kind: 'granted',
		direction: side,
		cls: ticket.cls,
		...(isEntry && lane === 'cue' && cue !== undefined && { cue }),
		...(isEntry && ticket.seat !== undefined && { seat: ticket.seat }),
		...(result.kind === 'granted' && ticket.use > 1 && { left: result.left }),
	};
}

/** Handles the deadline of an attempt that has come: no answer, or nobody confirmed. */
export const expireAttempt: Move = (state) => {
	const { phase } = state;
	if (phase.kind === 'confirming') return reject(state);
	if (phase.kind === 'checking') return refuse({ attempt: phase.attempt, refusal: { reason: 'ledger_error' } })(state);
	if (phase.kind === 'redeeming') {
		return refuseTicket(phase.attempt, phase.admissible.ticket, { reason: 'ledger_error' })(state);
	}
	return stay(state);
};
