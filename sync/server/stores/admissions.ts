import { sql } from 'kysely';
import type { AdmissionChange } from '../../protocol/feed.ts';
import type { Right } from '../rights.ts';
import { columns, names, type Work } from './dialect.ts';
import { takeAdmissionNumbers } from './heads.ts';
import type { RedemptionRecord } from './redemptions-table.ts';

/** A change of a right on its way to the admissions log. */
export interface LoggedChange {
	readonly record: Pick<RedemptionRecord, 'evt' | 'idx' | 'allowance' | 'redemption' | 'device' | 'lane'>;
	readonly right: Right;
	/** The device's row; none where staff released a claim. */
	readonly row?: { readonly deviceEpoch: string; readonly seq: number };
	readonly atMs: number;
}

/** Stands for the row where no device wrote one. */
const noRow = { deviceEpoch: '-', seq: 0 };

const logColumns = columns('venue_id', 'epoch:bigint', 'n:bigint', 'change');

/** Gives changes of a locked venue the next numbers of its admissions log, and says the first of them (0: none). */
export async function logAdmissions(
	work: Work,
	log: { readonly venue: string; readonly epoch: number; readonly changes: readonly LoggedChange[] },
): Promise<number> {
	const { venue, epoch, changes } = log;
	if (changes.length === 0) return 0;
	const first = await takeAdmissionNumbers(work, venue, changes.length);
	const rows = changes.map((change, index) => [venue, epoch, first + index, JSON.stringify(entryOf(change))]);
	await sql`
		INSERT INTO admission_log (${names(logColumns)})
		SELECT ${names(logColumns)} FROM ${work.dialect.given(logColumns, rows)}`.execute(work.tx);
	return first;
}

function entryOf({ record, right, row = noRow, atMs }: LoggedChange): AdmissionChange {
	const { evt, idx, allowance, redemption, device, lane } = record;
	const { use, used, held } = right;
	return { evt, idx, allowance, use, used, held, redemption, device, ...row, lane, atMs };
}
