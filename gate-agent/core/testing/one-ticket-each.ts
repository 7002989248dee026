import { wholeTicket } from '../allowance.ts';
import type { Decision, History } from '../decide.ts';
import type { RedeemRequest } from '../ledger.ts';
import type { RedemptionId } from '../redemption.ts';
import { ticketId } from '../ticket.ts';

/** The redemption of ticket `idx`. */
export function requestOf(idx: number): RedeemRequest {
	return {
		redemptionId: `redemption-${idx}` as RedemptionId,
		ticketId: ticketId('lantern-2026', idx),
		evt: 'lantern-2026',
		idx,
		allowance: wholeTicket,
		cls: 'adult',
		use: 1,
		lane: 'lane-1',
		zone: 'main',
		atMs: 1_790_000_000_000 + idx,
	};
}

/** Grants a whole ticket once. */
export function once({ used, held, listedRedeemed }: History): Decision {
	if (used + held > 0 || listedRedeemed) return { kind: 'deny', refusal: { reason: 'already_redeemed' } };
	const rest = { allowance: wholeTicket, uses: 1, reentry: false, rung: 'local', left: 0 } as const;
	return { kind: 'grant', direction: 'entry', ...rest };
}
