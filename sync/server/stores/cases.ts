import type { Selectable } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { causeOf } from '../case-cause.ts';
import type { Case, CaseRedemption, Store } from '../store.ts';
import { type Database, readAtOnce, type Work } from './dialect.ts';
import type { Tables } from './schema.ts';

/** The cases' part of a store. */
export function caseMethods(database: Database): Pick<Store, 'cases' | 'closeCase'> {
	const { db } = database;
	return {
		cases: (venue) => readAtOnce(database, (work) => readCases(work, venue)),
		closeCase: async ({ venue, id, text, by, atMs }) => {
			const changed = await db
				.updateTable('cases')
				.set((row) => ({ closed_text: text, closed_by: by, closed_ms: atMs, closed_over: row.ref('over') }))
				.where('venue_id', '=', venue)
				.where('case_id', '=', id)
				.executeTakeFirst();
			if (changed.numUpdatedRows === 0n) throw new StilewardError('case_unknown', `${venue} has no case ${id}`);
		},
	};
}

async function readCases({ tx }: Work, venue: string): Promise<readonly Case[]> {
	const rows = await tx
		.selectFrom('cases')
		.selectAll()
		.where('venue_id', '=', venue)
		.orderBy('opened_ms')
		.orderBy('case_id')
		.execute();
	const filed = await tx
		.selectFrom('case_redemptions as f')
		.innerJoin('redemptions as r', (join) =>
			join
				.onRef('r.venue_id', '=', 'f.venue_id')
				.onRef('r.device', '=', 'f.device')
				.onRef('r.redemption', '=', 'f.redemption'),
		)
		.select(['f.case_id', 'r.redemption', 'r.device', 'r.lane', 'r.rung', 'r.at_ms', 'r.taken'])
		.where('f.venue_id', '=', venue)
		.orderBy('r.taken_epoch')
		.orderBy('r.taken_n')
		.execute();
	const redemptions = Map.groupBy(filed, ({ case_id }) => case_id);
	return rows.map((row) => {
		const list = redemptions.get(row.case_id) ?? [];
		return caseOf(
			row,
			list.map(({ redemption, device, lane, rung, at_ms, taken }) => {
				return { redemption, device, lane, rung, atMs: at_ms, taken };
			}),
		);
	});
}

/** An outcome holds for what the person saw: a case that has grown since is open again. */
function caseOf(row: Selectable<Tables['cases']>, redemptions: readonly CaseRedemption[]): Case {
	const { evt, idx, allowance, device, over, closed_text, closed_by, closed_ms, closed_over } = row;
	const closed = closed_text !== null && closed_by !== null && closed_ms !== null && closed_over === over;
	// Written by `case-files.ts` alone.
	const kind = row.kind as Case['kind'];
	return {
		id: row.case_id,
		venue: row.venue_id,
		kind,
		...(evt === null || idx === null || allowance === null ? {} : { evt, idx, allowance }),
		...(row.kind === 'double_entry' ? { over } : {}),
		redemptions,
		cause: causeOf({ kind, redemptions }),
		...(device === null ? {} : { device }),
		openedMs: row.opened_ms,
		...(closed ? { outcome: { text: closed_text, by: closed_by, atMs: closed_ms } } : {}),
	};
}
