import { allowanceOf } from './allowance.ts';
import type { Authority, ClaimRequest, ClaimVerdict } from './authority.ts';
import type { DecideContext, Decision, History, Standing } from './decide.ts';
import { decide } from './decide.ts';
import { StilewardError } from './errors.ts';
import type { Keyset } from './keyset.ts';
import type { Checked, RedeemResult, UnverifiedLimit } from './lane-state.ts';
import type { Ledger, RedeemRequest } from './ledger.ts';
import { hourMs } from './ledger-rules.ts';
import { decideOverride } from './override.ts';
import type { Policy } from './policy.ts';
import { classPolicyDefaults, classPolicyOf } from './policy.ts';
import type { Direction, RedemptionId } from './redemption.ts';
import type { Refusal } from './refusal.ts';
import type { Ticket } from './ticket.ts';
import { claimOf } from './verify.ts';

/** What an admission needs from its surroundings; all of it is a parameter, so that a simulator can run it. */
export interface AdmitDeps {
	readonly keyset: () => Keyset;
	readonly ledger: Ledger;
	/** The rules of an event, undefined where this gate does not serve it. */
	readonly policyOf: (evt: string) => Policy | undefined;
	readonly agent: string;
	readonly lane: { readonly id: string; readonly zone: string };
	readonly clock: () => DecideContext['clock'];
	readonly authority: Authority;
	/** How the venue takes this device, and whether its lists are stale for a policy. */
	readonly standing: () => Standing;
	readonly listsStale: (policy: Policy) => boolean;
	readonly newRedemptionId: () => RedemptionId;
	/** Told of an operating error that became the refusal `ledger_error`. */
	readonly onError: (error: unknown) => void;
}

/** The two halves of an admission at one lane. Neither ever rejects: what goes wrong is a refusal. */
export interface Admitter {
	/** Verifies a code and decides on the history as it is, without redeeming anything. */
	check(text: string, direction: Direction): Promise<Checked>;
	/** Decides like `check` on a ticket that is known otherwise than by its code, such as by its typed number. */
	consider(ticket: Ticket, direction: Direction): Promise<Checked>;
	/**
	 * Asks the authority, then decides again inside the ledger's transaction and commits. After `granted` the gate may
	 * open.
	 */
	redeem(ticket: Ticket, direction: Direction, word?: StaffWord): Promise<RedeemResult>;
	/**
	 * Admits on a person's word what is refused, without asking the authority: commits on the rung `staff`. What nobody may
	 * override stays refused.
	 */
	override(ticket: Ticket, word: StaffWord): Promise<RedeemResult>;
}

/** What staff say of an admission, for the journal and the count. */
export interface StaffWord {
	readonly by: string;
	readonly reason?: string;
	/** How many enter now, absent means as the class says. */
	readonly people?: number;
	/** No code was read: the admission stands on the rung `staff`, whoever was asked. */
	readonly typed?: true;
}

/** Joins verification, decision and ledger into the admissions of one lane. */
export function createAdmitter(deps: AdmitDeps): Admitter {
	return {
		check: (text, direction) => guard(deps, () => check(deps, text, direction)),
		consider: (ticket, direction) => guard(deps, () => consider(deps, ticket, direction)),
		redeem: (ticket, direction, word) =>
			guard(deps, () => (direction === 'exit' ? recordExit(deps, ticket) : redeemEntry(deps, ticket, word))),
		override: (ticket, word) => guard(deps, () => overrideEntry(deps, ticket, word)),
	};
}

async function check(deps: AdmitDeps, text: string, direction: Direction): Promise<Checked> {
	const claim = claimOf(text, deps.keyset());
	if (claim.kind === 'refused') return claim;
	const asking = asked(deps, claim.ticket, { direction });
	// A ticket of an event without rules here is still told from a forged one.
	if (asking === undefined) return refuseUnserved(claim);
	const { request, context } = asking;
	// The history is read while another thread checks the signature; nothing follows from it, or from a ledger that
	// fails, unless the signature holds.
	const [proof, reading] = await Promise.allSettled([claim.prove(), meanwhile(() => deps.ledger.history(request))]);
	const verified = outcomeOf(proof);
	if (verified.kind === 'refused') return verified;
	return judge(verified.ticket, outcomeOf(reading), context);
}

async function consider(deps: AdmitDeps, ticket: Ticket, direction: Direction): Promise<Checked> {
	const asking = asked(deps, ticket, { direction });
	if (asking === undefined) return unserved(ticket);
	return judge(ticket, await deps.ledger.history(asking.request), asking.context);
}

function judge(ticket: Ticket, history: History, context: DecideContext): Checked {
	const decision = decide(ticket, history, context);
	if (decision.kind === 'deny') {
		const limit = limitOf({ ticket, history, context, decision });
		return { kind: 'refused', refusal: decision.refusal, ticketId: ticket.id, ticket, ...limit };
	}
	const classPolicy = classPolicyOf(context.policy, ticket.cls) ?? classPolicyDefaults;
	return { kind: 'admissible', admissible: { ticket, decision, classPolicy } };
}

async function refuseUnserved(claim: ReturnType<typeof claimOf> & { kind: 'claim' }): Promise<Checked> {
	const verified = await claim.prove();
	if (verified.kind === 'refused') return verified;
	return unserved(verified.ticket);
}

function unserved(ticket: Ticket): Checked {
	return { kind: 'refused', refusal: { reason: 'wrong_event', evt: ticket.evt }, ticketId: ticket.id, ticket };
}

/** Microtasks until jose has handed a signature to Web Crypto's thread. With too few, the two only take longer. */
const turnsToThread = 4;

async function meanwhile<T>(work: () => Promise<T>): Promise<T> {
	for (let turn = 0; turn < turnsToThread; turn += 1) await undefined;
	return work();
}

function outcomeOf<T>(settled: PromiseSettledResult<T>): T {
	if (settled.status === 'rejected') throw settled.reason;
	return settled.value;
}

async function redeemEntry(deps: AdmitDeps, ticket: Ticket, word?: StaffWord): Promise<RedeemResult> {
	const asking = asked(deps, ticket, { direction: 'entry', word });
	if (asking === undefined) return { kind: 'refused', refusal: { reason: 'wrong_event', evt: ticket.evt } };
	const permit = await askAuthority(deps, ticket, asking);
	if (permit.kind === 'refused') return permit;
	try {
		return await commit(deps, ticket, permit);
	} finally {
		deps.authority.done(permit.request.redemptionId);
	}
}

async function overrideEntry(deps: AdmitDeps, ticket: Ticket, word: StaffWord): Promise<RedeemResult> {
	const asking = asked(deps, ticket, { direction: 'entry', word });
	if (asking === undefined) return { kind: 'refused', refusal: { reason: 'wrong_event', evt: ticket.evt } };
	return commit(deps, ticket, { kind: 'unasked', ...asking, decide: decideOverride });
}

interface Asking {
	readonly request: RedeemRequest;
	readonly context: DecideContext;
	/** `decide` where it is absent. */
	readonly decide?: typeof decide;
}

/** With what the ledger decides: the authority's word, or that nobody could be asked. */
interface Permit extends Asking {
	readonly kind: 'granted' | 'unasked';
}

/**
 * Asks the authority, unless it is out of reach or has no part in this ticket. A group that is more than what is left
 * asks once more for that. The first decision says how many uses to ask for; a refusal here costs no claim.
 */
async function askAuthority(
	deps: AdmitDeps,
	ticket: Ticket,
	asking: Asking,
): Promise<Permit | (RedeemResult & { kind: 'refused' })> {
	const { authority, ledger } = deps;
	const unasked: Permit = { kind: 'unasked', ...asking, context: { ...asking.context, authority: 'out_of_reach' } };
	if (asking.context.authority === 'out_of_reach') return unasked;
	const first = decide(ticket, await ledger.history(asking.request), asking.context);
	if (first.kind === 'deny') return { kind: 'refused', refusal: first.refusal };
	if (first.rung !== 'authority') return unasked;
	let { request } = asking;
	let { uses } = first;
	for (;;) {
		const verdict = await authority.claim(claimRequestOf(request, uses));
		if (verdict.kind === 'granted') {
			return { ...asking, kind: 'granted', request, context: { ...asking.context, usesMax: uses } };
		}
		if (verdict.kind === 'out_of_reach') return { ...unasked, request };
		authority.done(request.redemptionId);
		if (asking.context.people !== undefined) return { kind: 'refused', refusal: withLeft(request, verdict) };
		if (verdict.left === 0 || verdict.left >= uses) return { kind: 'refused', refusal: verdict.refusal };
		uses = verdict.left;
		// Another question has another id: the answer to the first one stays what it is.
		request = { ...request, redemptionId: deps.newRedemptionId() };
	}
}

/** People were counted: they enter together or are told how many may. */
function withLeft({ use }: RedeemRequest, { refusal, left }: ClaimVerdict & { kind: 'denied' }): Refusal {
	return left === 0 ? refusal : { reason: 'no_uses_left', use, left };
}

function claimRequestOf(
	{ ticketId: _, zone: __, by: ___, reason: ____, ...request }: RedeemRequest,
	uses: number,
): ClaimRequest {
	return { ...request, uses };
}

/** Decides inside the ledger's transaction. What the authority granted and this ledger refuses goes back at once. */
async function commit(deps: AdmitDeps, ticket: Ticket, permit: Permit): Promise<RedeemResult> {
	const { kind, request, context } = permit;
	const decideNow = permit.decide ?? decide;
	let made: { decision: Decision; history: History } | undefined;
	const redeemed = await deps.ledger.redeem(request, (history) => {
		const decision = decideNow(ticket, history, context);
		made = { decision, history };
		return decision;
	});
	const limit = made === undefined ? {} : limitOf({ ticket, context, ...made });
	if (redeemed.kind === 'denied') {
		const { redemptionId, lane, atMs } = request;
		if (kind === 'granted') await deps.ledger.release(redemptionId, lane, atMs);
		return { kind: 'refused', refusal: redeemed.decision.refusal, ...limit };
	}
	return {
		kind: 'granted',
		grant: redeemed.grant,
		left: made?.decision.kind === 'grant' ? made.decision.left : 0,
		givenBack: made?.history.givenBack ?? 0,
		...limit,
	};
}

interface Decided {
	readonly ticket: Ticket;
	readonly context: DecideContext;
	readonly history: History;
	readonly decision: Decision;
}

/** Whether this decision reached, or was made at, the limit of admissions that the authority has not confirmed. */
function limitOf({ ticket, context, history, decision }: Decided): UnverifiedLimit {
	const limit = classPolicyOf(context.policy, ticket.cls)?.unverifiedPerHour;
	const isAdmitted = decision.kind === 'grant' && decision.rung === 'local';
	const isRefused = decision.kind === 'deny' && decision.refusal.reason === 'offline_refused';
	if (limit === undefined || !(isAdmitted || isRefused)) return {};
	if (history.unverifiedInHour + (isAdmitted ? 1 : 0) < limit) return {};
	return { unverifiedLimitMs: hourMs - (context.clock.nowMs % hourMs) };
}

async function recordExit(deps: AdmitDeps, ticket: Ticket): Promise<RedeemResult> {
	const asking = asked(deps, ticket, { direction: 'exit' });
	if (asking === undefined) return { kind: 'refused', refusal: { reason: 'wrong_event', evt: ticket.evt } };
	const { request, context } = asking;
	const decision = decide(ticket, await deps.ledger.history(request), context);
	if (decision.kind === 'deny') return { kind: 'refused', refusal: decision.refusal };
	const { allowance } = decision;
	const fact = { kind: 'exited', ticket: ticket.id, allowance, cls: ticket.cls, lane: deps.lane.id } as const;
	await deps.ledger.record(fact, request.atMs);
	return { kind: 'exited', ticketId: ticket.id };
}

/** The rules are those of every ticket; only that nobody has verified it is not hidden. */
function decideTyped(ticket: Ticket, history: History, context: DecideContext): Decision {
	const decision = decide(ticket, history, context);
	return decision.kind === 'grant' ? { ...decision, rung: 'staff' } : decision;
}

/** Which way a visitor goes, and what staff say of it. */
interface Asked {
	readonly direction: Direction;
	readonly word?: StaffWord | undefined;
}

/** What is asked about a ticket; undefined where this gate has no rules for its event. */
function asked(deps: AdmitDeps, ticket: Ticket, { direction, word }: Asked): Asking | undefined {
	const { agent, lane } = deps;
	const { people, typed, ...named } = word ?? {};
	const policy = deps.policyOf(ticket.evt);
	if (policy === undefined) return undefined;
	const clock = deps.clock();
	return {
		request: {
			redemptionId: deps.newRedemptionId(),
			ticketId: ticket.id,
			evt: ticket.evt,
			idx: ticket.idx,
			allowance: allowanceOf(ticket, policy, { nowMs: clock.nowMs, zone: lane.zone }),
			cls: ticket.cls,
			use: ticket.use,
			lane: lane.id,
			zone: lane.zone,
			...named,
			// A clock that follows a server has fractions.
			atMs: Math.trunc(clock.nowMs),
		},
		context: {
			...{ policy, agent, lane, direction, clock, standing: deps.standing() },
			authority: deps.authority.state(),
			listsStale: deps.listsStale(policy),
			...(people !== undefined && { people }),
		},
		...(typed && { decide: decideTyped }),
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
