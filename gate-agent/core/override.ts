import { type DecideContext, type Decision, decide, grantOverride, type History } from './decide.ts';
import type { RefusalReason } from './refusal.ts';
import type { Ticket } from './ticket.ts';

/**
 * What a supervisor may decide otherwise, because a person at the gate can see more than the rules: the visitor who stands
 * outside with a ticket that was used, a train that was late, a network that is gone. The rest nobody may:
 *
 * - `unreadable`, `not_a_ticket`, `bad_signature`, `unknown_key`: nothing proves that there is a ticket.
 * - `wrong_event`: its rules are not known here, and its use would be counted on another event.
 * - `revoked`: its money went back or another ticket took its place; the box office restores it.
 * - `lane_closed`: it says nothing of the ticket.
 * - `ledger_error`: an admission that is not written down never happened.
 */
const overridable: Readonly<Record<RefusalReason, boolean>> = {
	unreadable: false,
	not_a_ticket: false,
	bad_signature: false,
	unknown_key: false,
	wrong_event: false,
	wrong_zone: true,
	wrong_gate: true,
	not_yet_valid: true,
	expired: true,
	revoked: false,
	already_redeemed: true,
	in_progress: true,
	no_uses_left: true,
	offline_refused: true,
	capacity: true,
	lane_closed: false,
	staff_needed: true,
	clock_untrusted: true,
	ledger_error: false,
};

/** Whether a supervisor may admit what was refused for this. */
export function canOverride(reason: RefusalReason): boolean {
	return overridable[reason];
}

/**
 * Decides like `decide`, on a supervisor's word: what that would refuse and a person may permit is granted, on the rung
 * `staff` always, because no authority was asked. A device that its venue has disabled admits nobody, whoever says so.
 */
export function decideOverride(ticket: Ticket, history: History, context: DecideContext): Decision {
	const decision = decide(ticket, history, context);
	if (context.standing === 'disabled') return { kind: 'deny', refusal: { reason: 'offline_refused' } };
	if (decision.kind === 'grant') return { ...decision, rung: 'staff' };
	return canOverride(decision.refusal.reason) ? grantOverride(ticket, history, context) : decision;
}
