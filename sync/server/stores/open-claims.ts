import type { HubClaim } from '../../protocol/hub.ts';
import type { Work } from './dialect.ts';
import { loadRedemptions, type RedemptionRecord, redemptionText, saveRedemptions } from './redemptions-table.ts';
import { loadRights } from './rights-table.ts';
import { partial } from './schema.ts';

/** Claims that no row of a journal has ended, of all devices. The next authority holds their uses. */
export async function readOpenClaims({ tx }: Work, venue: string): Promise<readonly HubClaim[]> {
	const rows = await tx
		.selectFrom('redemptions as r')
		.leftJoin('rights as k', (join) =>
			join
				.onRef('k.venue_id', '=', 'r.venue_id')
				.onRef('k.evt', '=', 'r.evt')
				.onRef('k.idx', '=', 'r.idx')
				.onRef('k.allowance', '=', 'r.allowance'),
		)
		.select(['r.device', 'r.redemption', 'r.claim_journal', 'r.evt', 'r.idx', 'r.allowance', 'r.uses', 'r.lane'])
		.select(['r.at_ms', 'k.use'])
		.where('r.venue_id', '=', venue)
		.where(partial.claimed)
		.orderBy('r.at_ms')
		.orderBy('r.redemption')
		.execute();
	return rows.map(({ claim_journal, at_ms, use, ...rest }) => ({
		...rest,
		journal: claim_journal ?? '-',
		use: use ?? 1,
		atMs: at_ms,
	}));
}

/** Holds what another authority granted, in a locked venue. A redemption whose row is here already is not a claim. */
export async function adoptClaims(work: Work, venue: string, claims: readonly HubClaim[]): Promise<void> {
	if (claims.length === 0) return;
	const records = claims.map((claim): RedemptionRecord => {
		const { device, redemption, journal, evt, idx, allowance, uses, lane, atMs } = claim;
		return {
			...{ venue, device, redemption, evt, idx, allowance, uses, lane, atMs, claimJournal: journal },
			...{ state: 'claimed', reentry: uses === 0, rung: 'authority', taken: 0, returned: 0 },
		};
	});
	const known = await loadRedemptions(work, records);
	const open = records.filter((record) => {
		const state = known.get(redemptionText(record))?.state;
		return state === undefined || state === 'released' || state === 'denied';
	});
	const rights = await loadRights(work, open);
	const use = new Map(claims.map((claim) => [`${claim.device}/${claim.redemption}`, claim.use]));
	for (const record of open) {
		if (record.uses === 0) continue;
		const right = rights.get(record, use.get(`${record.device}/${record.redemption}`) ?? 1);
		const { lane, atMs } = record;
		rights.set(record, { ...right, held: right.held + record.uses, last: { lane, atMs } });
	}
	await saveRedemptions(work, open);
	await rights.save();
}
