import { allowanceOf } from './allowance.ts';
import type { DecideContext, Decision, History } from './decide.ts';
import { decide } from './decide.ts';
import { StilewardError } from './errors.ts';
import type { Keyset } from './keyset.ts';
import type { Checked, RedeemResult } from './lane-state.ts';
import type { Ledger, RedeemRequest } from './ledger.ts';
import type { Policy } from './policy.ts';
import { classPolicyDefaults, classPolicyOf } from './policy.ts';
import type { Direction, RedemptionId } from './redemption.ts';
import type { Ticket } from './ticket.ts';
import { verify } from './verify.ts';

/** What an admission needs from its surroundings; all of it is a parameter, so that a simulator can run it. */
export interface AdmitDeps {
	readonly keyset: () => Keyset;
	readonly ledger: Ledger;
	readonly policy: Policy;
	readonly agent: string;
	readonly lane: { readonly id: string; readonly zone: string };
	readonly clock: () => DecideContext['clock'];
	readonly authority: () => DecideContext['authority'];
	readonly newRedemptionId: () => RedemptionId;
	/** Told of an operating error that became the refusal `ledger_error`. */
	readonly onError: (error: unknown) => void;
}

/** The two halves of an admission at one lane. Neither ever rejects: what goes wrong is a refusal. */
export interface Admitter {
	/** Verifies a code and decides on the history as it is, without redeeming anything. */
	check(text: string, direction: Direction): Promise<Checked>;
	/** Decides again inside the ledger's transaction and commits. After `granted` the gate may open. */
	redeem(ticket: Ticket, direction: Direction): Promise<RedeemResult>;
}

/** Joins verification, decision and ledger into the admissions of one lane. */
export function createAdmitter(deps: AdmitDeps): Admitter {
	return {
		check: (text, direction) => guard(deps, () => check(deps, text, direction)),
		redeem: (ticket, direction) =>
			guard(deps, () => (direction === 'exit' ? recordExit(deps, ticket) : redeemEntry(deps, ticket))),
	};
}

async function check(deps: AdmitDeps, text: string, direction: Direction): Promise<Checked> {
	const verified = await verify(text, deps.keyset());
	if (verified.kind === 'refused') return verified;
	const { ticket } = verified;
	const { request, context } = asked(deps, ticket, direction);
	const decision = decide(ticket, await deps.ledger.history(request), context);
	if (decision.kind === 'deny') return { kind: 'refused', refusal: decision.refusal, ticketId: ticket.id };
	const classPolicy = classPolicyOf(deps.policy, ticket.cls) ?? classPolicyDefaults;
	return { kind: 'admissible', admissible: { ticket, decision, classPolicy } };
}

async function redeemEntry(deps: AdmitDeps, ticket: Ticket): Promise<RedeemResult> {
	const { request, context } = asked(deps, ticket, 'entry');
	let granted: { decision: Decision & { kind: 'grant' }; history: History } | undefined;
	const redeemed = await deps.ledger.redeem(request, (history) => {
		const decision = decide(ticket, history, context);
		if (decision.kind === 'grant') granted = { decision, history };
		return decision;
	});
	if (redeemed.kind === 'denied') return { kind: 'refused', refusal: redeemed.decision.refusal };
	return {
		kind: 'granted',
		grant: redeemed.grant,
		left: granted?.decision.left ?? 0,
		givenBack: granted?.history.givenBack ?? 0,
	};
}

async function recordExit(deps: AdmitDeps, ticket: Ticket): Promise<RedeemResult> {
	const { request, context } = asked(deps, ticket, 'exit');
	const decision = decide(ticket, await deps.ledger.history(request), context);
	if (decision.kind === 'deny') return { kind: 'refused', refusal: decision.refusal };
	const { allowance } = decision;
	const fact = { kind: 'exited', ticket: ticket.id, allowance, cls: ticket.cls, lane: deps.lane.id } as const;
	await deps.ledger.record(fact, request.atMs);
	return { kind: 'exited', ticketId: ticket.id };
}

function asked(
	deps: AdmitDeps,
	ticket: Ticket,
	direction: Direction,
): { request: RedeemRequest; context: DecideContext } {
	const { policy, agent, lane } = deps;
	const clock = deps.clock();
	return {
		request: {
			redemptionId: deps.newRedemptionId(),
			ticketId: ticket.id,
			evt: ticket.evt,
			idx: ticket.idx,
			allowance: allowanceOf(ticket, policy, { nowMs: clock.nowMs, zone: lane.zone }),
			cls: ticket.cls,
			lane: lane.id,
			zone: lane.zone,
			atMs: clock.nowMs,
		},
		context: { policy, agent, lane, direction, authority: deps.authority(), clock },
	};
}

/** A ledger that fails keeps the gate shut; a bug is not hidden behind a refusal. */
async function guard<T>(
	deps: AdmitDeps,
	work: () => Promise<T>,
): Promise<T | { kind: 'refused'; refusal: { reason: 'ledger_error' } }> {
	try {
		return await work();
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		deps.onError(error);
		return { kind: 'refused', refusal: { reason: 'ledger_error' } };
	}
}
