import { allowanceOf, wholeTicket } from './allowance.ts';
import { type ClassPolicy, classPolicyOf, type Policy, sessionPolicyOf } from './policy.ts';
import type { Allowance, Direction, Grant, Rung } from './redemption.ts';
import type { Refusal } from './refusal.ts';
import type { Ticket } from './ticket.ts';
import { venueDay } from './venue-day.ts';

/** What is known of a ticket's allowance when a decision is made. */
export interface History {
	readonly revoked: boolean;
	/** A list from others says that this whole ticket is used up. */
	readonly listedRedeemed: boolean;
	/** Uses taken on this allowance, as far as this ledger knows. */
	readonly used: number;
	/** Uses held by grants that are not settled. */
	readonly held: number;
	/** Times a use was given back (counted ones). */
	readonly givenBack: number;
	/** The newest grant on this allowance, settled or not. */
	readonly last?: { readonly lane: string; readonly atMs: number };
	/** Unsettled grants of this ticket. */
	readonly open: readonly Grant[];
	/** An exit scan whose re-entry is not taken yet. */
	readonly exitedAtMs?: number;
	/** Grants of this class on the rung `local` at this lane within this clock hour. */
	readonly unverifiedInHour: number;
}

/** Where and under which rules a decision is made. */
export interface DecideContext {
	readonly policy: Policy;
	/** This agent's name: the home gate of `home_only` tickets. */
	readonly agent: string;
	readonly lane: { readonly id: string; readonly zone: string };
	readonly direction: Direction;
	/**
	 * Before a claim: whether the venue's authority can be asked. After it: `reachable` where the claim was granted. A
	 * standalone gate has none.
	 */
	readonly authority: 'reachable' | 'out_of_reach';
	/** Uses that the claim holds: a group is given no more. Absent means as many as are free. */
	readonly usesMax?: number;
	/** People who enter now, as staff have counted them: exactly so many uses or none, in any class. */
	readonly people?: number;
	/** How the venue takes this device, absent means `active`. */
	readonly standing?: Standing;
	/** Whether the lists of revoked and used tickets are older than the policy bears. */
	readonly listsStale?: boolean;
	/** `trusted`: `nowMs` is the time. Otherwise it is only a lower bound of the time. */
	readonly clock: { readonly nowMs: number; readonly trusted: boolean };
}

/**
 * How a venue takes a device. A `successor` has the name of another one that may still be at work somewhere: it has no
 * right to the `home_only` tickets of that name until an operator says that the other is off. A quarantined one admits
 * on the authority's word only, a disabled one not at all.
 */
export type Standing = 'active' | 'successor' | 'quarantined' | 'disabled';

/** What a decision says. `grant` for an exit lane holds no use. */
export type Decision =
	| {
			readonly kind: 'grant';
			readonly direction: Direction;
			readonly allowance: Allowance;
			readonly uses: number;
			readonly reentry: boolean;
			readonly rung: Rung;
			/** Uses left after this grant. */
			readonly left: number;
	  }
	| { readonly kind: 'deny'; readonly refusal: Refusal };

/**
 * Decides on a genuine ticket. Pure and synchronous, so that it runs inside the ledger's transaction.
 *
 * The first reason that applies is given. What nothing can change comes first, then what another place can change,
 * then what time can change, then what a person or the network can change: nobody is sent to another gate to hear
 * there that the ticket has expired.
 *
 * | order | refusal | the visitor should |
 * | --- | --- | --- |
 * | 1 | `wrong_event` | go to the event on the ticket |
 * | 2 | `revoked` | go to the box office |
 * | 3 | `staff_needed` `unknown_class`, `unknown_session` | ask staff: the rules of this ticket are not known here |
 * | 4 | `expired` | buy another ticket |
 * | 5 | `wrong_zone`, then `wrong_gate` | go to that zone or gate |
 * | 6 | `not_yet_valid` or `clock_untrusted` | come back then, or ask staff |
 * | 7 | `in_progress` | wait: somebody goes through with this ticket now |
 * | 8 | `already_redeemed` or `no_uses_left` | ask staff, who see where and when |
 * | 9 | `staff_needed` `holder_bound` | show who they are |
 * | 10 | `offline_refused` | wait for the network, or ask staff |
 *
 * An exit knows only the first: people always get out, also with a ticket that is used up, expired or revoked.
 * More people than uses that are free are `no_uses_left` too, with what is left.
 * A re-entry comes before 7; it takes no use, and the rest of the rules hold for it as for any entry.
 */
export function decide(ticket: Ticket, history: History, context: DecideContext): Decision {
	const { policy, lane, clock } = context;
	if (ticket.evt !== policy.evt) return deny({ reason: 'wrong_event', evt: ticket.evt });
	const allowance = allowanceOf(ticket, policy, { nowMs: clock.nowMs, zone: lane.zone });
	const rules = classPolicyOf(policy, ticket.cls);
	const taken = usesTaken(ticket, history, allowance);
	const free = Math.max(0, ticket.use - taken - history.held);
	const rung = rungOf(rules, context);
	if (context.direction === 'exit') {
		return { kind: 'grant', direction: 'exit', allowance, uses: 0, reentry: false, rung, left: free };
	}

	if (history.revoked) return deny({ reason: 'revoked' });
	if (rules === undefined) return deny({ reason: 'staff_needed', why: 'unknown_class' });
	const reentry = mayReenter(rules, history, context);
	const uses = reentry ? 0 : usesOf(rules, free, context);
	const refusal =
		refusalOfWindowAndPlace(ticket, rules, context) ??
		(reentry || free > 0 ? tooFew(ticket, { free, uses }) : refusalOfUses(ticket, history, allowance)) ??
		refusalOfTrust({ ticket, rules, history, context, rung });
	if (refusal !== undefined) return deny(refusal);
	return { kind: 'grant', direction: 'entry', allowance, uses, reentry, rung, left: free - uses };
}

/** What a supervisor grants whatever the rules say: so many uses as people enter, also beyond what is left. */
export function grantOverride(ticket: Ticket, history: History, context: DecideContext): Decision {
	const { policy, clock, lane, people: uses = 1 } = context;
	const allowance = allowanceOf(ticket, policy, { nowMs: clock.nowMs, zone: lane.zone });
	const left = Math.max(0, ticket.use - usesTaken(ticket, history, allowance) - history.held - uses);
	return { kind: 'grant', direction: 'entry', allowance, uses, reentry: false, rung: 'staff', left };
}

function usesOf(rules: ClassPolicy, free: number, { people, usesMax = free }: DecideContext): number {
	return people ?? (rules.group === 'run' ? Math.min(free, usesMax) : 1);
}

/** More people want to enter than uses are left: fewer may. */
function tooFew(ticket: Ticket, { free, uses }: { free: number; uses: number }): Refusal | undefined {
	return uses > free ? { reason: 'no_uses_left', use: ticket.use, left: free } : undefined;
}

function deny(refusal: Refusal): Decision {
	return { kind: 'deny', refusal };
}

/** A list from others speaks of the whole ticket; it says nothing about today's use of an annual pass. */
function usesTaken(ticket: Ticket, history: History, allowance: Allowance): number {
	return history.listedRedeemed && allowance === wholeTicket ? Math.max(ticket.use, history.used) : history.used;
}

function rungOf(rules: ClassPolicy | undefined, context: DecideContext): Rung {
	if (rules?.homeOnly) return 'home';
	return context.authority === 'reachable' ? 'authority' : 'local';
}

/** An exit permits one re-entry until its venue day ends. */
function mayReenter(rules: ClassPolicy, history: History, { policy, clock, people = 1 }: DecideContext): boolean {
	if (rules.reentry !== 'after_exit' || history.exitedAtMs === undefined || people > 1) return false;
	return venueDay(history.exitedAtMs, policy) === venueDay(clock.nowMs, policy);
}

function refusalOfWindowAndPlace(ticket: Ticket, rules: ClassPolicy, context: DecideContext): Refusal | undefined {
	const window = windowOf(ticket, context.policy);
	if (window === undefined) return { reason: 'staff_needed', why: 'unknown_session' };
	// The clock's bound suffices here: a time that is past at the bound is past for certain.
	if (context.clock.nowMs >= window.untilMs) return { reason: 'expired', untilMs: window.untilMs };
	return refusalOfPlace(ticket, rules, context) ?? refusalOfStart(window.fromMs, rules, context.clock);
}

/**
 * When a ticket is valid, from the first to before the last millisecond. A session's window overrides `nbf` and `exp`,
 * because a rain delay must not kill signed tickets; a session that the policy does not know has none.
 */
function windowOf(ticket: Ticket, policy: Policy): { fromMs: number; untilMs: number } | undefined {
	if (ticket.ses === undefined) {
		return { fromMs: (ticket.nbf ?? 0) * 1000, untilMs: (ticket.exp ?? Number.POSITIVE_INFINITY) * 1000 };
	}
	const session = sessionPolicyOf(policy, ticket.ses);
	if (session === undefined) return undefined;
	const { fromMs, untilMs, graceMs, postponedMs } = session;
	return { fromMs: fromMs + postponedMs, untilMs: untilMs + graceMs + postponedMs };
}

function refusalOfPlace(ticket: Ticket, rules: ClassPolicy, { lane, agent }: DecideContext): Refusal | undefined {
	if (ticket.zon !== undefined && !ticket.zon.includes(lane.zone)) return { reason: 'wrong_zone', zones: ticket.zon };
	if (!rules.homeOnly || ticket.home === agent) return undefined;
	return ticket.home === undefined ? { reason: 'wrong_gate' } : { reason: 'wrong_gate', home: ticket.home };
}

function refusalOfStart(fromMs: number, rules: ClassPolicy, clock: DecideContext['clock']): Refusal | undefined {
	if (clock.nowMs >= fromMs) return undefined;
	if (clock.trusted) return { reason: 'not_yet_valid', fromMs };
	return rules.clockUntrusted === 'refuse' ? { reason: 'clock_untrusted' } : undefined;
}

/** Called when no use is free: somebody holds the last of them at this moment, or they are gone. */
function refusalOfUses(ticket: Ticket, history: History, allowance: Allowance): Refusal {
	const holder = history.open.findLast((grant) => grant.allowance === allowance);
	if (holder !== undefined) return { reason: 'in_progress', lane: holder.lane };
	// Held at another gate, as the authority says: whoever holds it may still give it back.
	if (history.held > 0 && history.used < ticket.use && history.last !== undefined) {
		return { reason: 'in_progress', lane: history.last.lane };
	}
	// Where no use is known here, the last grant was given back, and it is not the one that used the ticket up.
	const place = history.used > 0 && history.last !== undefined ? history.last : {};
	return ticket.use === 1
		? { reason: 'already_redeemed', ...place }
		: { reason: 'no_uses_left', use: ticket.use, ...place };
}

interface TrustQuestion {
	readonly ticket: Ticket;
	readonly rules: ClassPolicy;
	readonly history: History;
	readonly context: DecideContext;
	readonly rung: Rung;
}

function refusalOfTrust({ ticket, rules, history, context, rung }: TrustQuestion): Refusal | undefined {
	const { standing = 'active', listsStale = false, policy } = context;
	if (ticket.holderBound) return { reason: 'staff_needed', why: 'holder_bound' };
	if (standing === 'disabled') return { reason: 'offline_refused' };
	if (rung === 'authority') return undefined;
	if (standing === 'quarantined') return { reason: 'offline_refused' };
	if (standing === 'successor' && rung === 'home') return { reason: 'staff_needed', why: 'gate_replaced' };
	if (rung !== 'local') return undefined;
	const limitReached = rules.unverifiedPerHour !== undefined && history.unverifiedInHour >= rules.unverifiedPerHour;
	const isStale = listsStale && policy.staleList === 'refuse';
	const refuse = rules.offline === 'refuse' || isStale || (limitReached && rules.unverifiedLimit === 'refuse');
	return refuse ? { reason: 'offline_refused' } : undefined;
}
