import type { Authority, ClaimRequest, ClaimVerdict } from '../../gate-agent/core/authority.ts';
import type { Refusal } from '../../gate-agent/core/refusal.ts';
import type { Claimer, ClaimResult } from './claimer.ts';

/** The venue's authority as lanes see it, over a claimer. `journal` is the device epoch that rows are written in. */
export function authorityOf(claimer: Claimer, journal: () => string): Authority {
	return {
		state: claimer.authority,
		claim: async (request) => {
			const { redemptionId: redemption, ...rest } = request;
			return verdictOf(request, await claimer.claim({ redemption, journal: journal(), ...rest }));
		},
		done: (redemptionId) => claimer.done(redemptionId),
	};
}

function verdictOf(request: ClaimRequest, result: ClaimResult): ClaimVerdict {
	switch (result.kind) {
		case 'granted':
			return { kind: 'granted' };
		case 'denied':
			return { kind: 'denied', refusal: refusalOf(request, result), left: result.answer.left ?? 0 };
		case 'out_of_reach':
		case 'no_authority':
			return { kind: 'out_of_reach' };
	}
}

/** What the visitor is told. Where and when another use was taken is the authority's knowledge. */
function refusalOf({ use, lane: own }: ClaimRequest, { answer }: ClaimResult & { kind: 'denied' }): Refusal {
	const { reason, lane, atMs } = answer;
	const place = { ...(lane !== undefined && { lane }), ...(atMs !== undefined && { atMs }) };
	switch (reason) {
		case 'already_redeemed':
			return { reason, ...place };
		case 'no_uses_left':
			return { reason, use, ...place };
		case 'in_progress':
			return { reason, lane: lane ?? own };
		case 'revoked':
		case 'capacity':
			return { reason };
	}
}
