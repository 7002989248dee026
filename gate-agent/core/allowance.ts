import { classPolicyOf, type Policy } from './policy.ts';
import type { Allowance } from './redemption.ts';
import type { Ticket } from './ticket.ts';
import { venueDay } from './venue-day.ts';

/** The allowance of a ticket whose uses count for its whole life. */
export const wholeTicket = 'ticket' as Allowance; // The brand is given here and in `allowanceOf` only.

/**
 * What a use of this ticket is counted on, here and now: `ticket`, `day:2026-11-22`, `session:evening` or
 * `zone:hall-2`. A class that counts by session falls back to the whole ticket where a ticket names none, and so does
 * a class without rules: the narrowest count is the safe one.
 */
export function allowanceOf(
	ticket: Ticket,
	policy: Policy,
	at: { readonly nowMs: number; readonly zone: string },
): Allowance {
	switch (classPolicyOf(policy, ticket.cls)?.allowance ?? 'ticket') {
		case 'ticket':
			return wholeTicket;
		case 'day':
			return `day:${venueDay(at.nowMs, policy)}` as Allowance;
		case 'session':
			return ticket.ses === undefined ? wholeTicket : (`session:${ticket.ses}` as Allowance);
		case 'zone':
			return `zone:${at.zone}` as Allowance;
	}
}
