import { expect, test } from 'vitest';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import type { ClaimRequest, ClaimVerdict } from '../../gate-agent/core/authority.ts';
import type { RedemptionId } from '../../gate-agent/core/redemption.ts';
import type { ClaimAnswer } from '../protocol/claims.ts';
import { authorityOf } from './claim-authority.ts';
import type { ClaimResult } from './claimer.ts';

const redemption = 'R'.repeat(22);
const request: ClaimRequest = {
	redemptionId: redemption as RedemptionId,
	...{ evt: 'lantern-2026', idx: 7, allowance: wholeTicket, cls: 'tour', use: 20, uses: 20 },
	...{ lane: 'lane-1', atMs: 1_790_000_000_000 },
};

async function verdictOf(result: ClaimResult): Promise<ClaimVerdict> {
	const asked: unknown[] = [];
	const authority = authorityOf(
		{
			claim: async (claim) => {
				asked.push(claim);
				return result;
			},
			done: () => undefined,
			isInFlight: () => false,
			authority: () => 'reachable',
		},
		() => 'journal-2',
	);
	const verdict = await authority.claim(request);
	const { redemptionId: _, ...rest } = request;
	expect(asked).toEqual([{ redemption, journal: 'journal-2', ...rest }]);
	return verdict;
}
const denied = (answer: Omit<Extract<ClaimAnswer, { result: 'denied' }>, 'redemption' | 'result'>): ClaimResult => ({
	kind: 'denied',
	epoch: 1,
	answer: { redemption, result: 'denied', ...answer },
});

test('a lane hears the authority’s answer as a refusal of its own words, with place and time', async () => {
	const place = { lane: 'lane-9', atMs: 1_790_000_000_001 };
	const cases: readonly [ClaimResult, ClaimVerdict][] = [
		[{ kind: 'granted', epoch: 1 }, { kind: 'granted' }],
		[
			denied({ reason: 'already_redeemed', ...place }),
			{ kind: 'denied', refusal: { reason: 'already_redeemed', ...place }, left: 0 },
		],
		[
			denied({ reason: 'no_uses_left', ...place, left: 8 }),
			{ kind: 'denied', refusal: { reason: 'no_uses_left', use: 20, ...place }, left: 8 },
		],
		[
			denied({ reason: 'in_progress', ...place }),
			{ kind: 'denied', refusal: { reason: 'in_progress', lane: 'lane-9' }, left: 0 },
		],
		[denied({ reason: 'revoked' }), { kind: 'denied', refusal: { reason: 'revoked' }, left: 0 }],
		[denied({ reason: 'capacity' }), { kind: 'denied', refusal: { reason: 'capacity' }, left: 0 }],
		[{ kind: 'out_of_reach', why: 'timeout' }, { kind: 'out_of_reach' }],
		[{ kind: 'no_authority', why: 'no_authority' }, { kind: 'out_of_reach' }],
	];
	for (const [result, verdict] of cases) expect(await verdictOf(result)).toEqual(verdict);
});
