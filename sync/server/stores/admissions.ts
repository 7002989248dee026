import { sql } from 'kysely';
import { assert } from '../../../gate-agent/core/errors.ts';
import type { AdmissionChange } from '../../protocol/feed.ts';
import type { Right } from '../rights.ts';
import type { VenueHead } from '../store.ts';
import { columns, later, names, type Work } from './dialect.ts';
import type { RedemptionRecord } from './redemptions-table.ts';

/** A change of a right on its way to the admissions log. */
export interface LoggedChange {
	readonly record: Pick<RedemptionRecord, 'venue' | 'evt' | 'idx' | 'allowance' | 'redemption' | 'device' | 'lane'>;
	readonly right: Right;
	/** The device's row; none where staff released a claim. */
	readonly row?: { readonly deviceEpoch: string; readonly seq: number };
	readonly atMs: number;
}

/** Stands for the row where no device wrote one: staff released a claim. */
export const noRow = { deviceEpoch: '-', seq: 0 };

/** A number of an epoch's admissions log. */
export interface LogEntry {
	readonly epoch: number;
	readonly n: number;
}

const logColumns = columns('venue_id', 'epoch:bigint', 'n:bigint', 'change');

/**
 * Gives changes the next numbers of their locked venues' admissions logs, in order, and says which entry each became.
 * All venues take two statements, so that a transaction of many small segments costs what one of a large one does.
 */
export async function logAdmissions<Change extends LoggedChange>(
	work: Work,
	changes: readonly Change[],
	heads: ReadonlyMap<string, VenueHead>,
): Promise<readonly { readonly change: Change; readonly entry: LogEntry }[]> {
	if (changes.length === 0) return [];
	const next = await takeAdmissionNumbers(
		work,
		Map.groupBy(changes, ({ record }) => record.venue),
	);
	const logged = changes.map((change) => {
		const { venue } = change.record;
		const epoch = heads.get(venue)?.epoch;
		const n = next.get(venue);
		assert(epoch !== undefined && n !== undefined, 'changes are logged in locked venues');
		next.set(venue, n + 1);
		return { change, entry: { epoch, n } };
	});
	const rows = logged.map(({ change, entry: { epoch, n } }) => {
		return [change.record.venue, epoch, n, JSON.stringify(entryOf(change))];
	});
	await sql`${later}
		INSERT INTO admission_log (${names(logColumns)})
		SELECT ${names(logColumns)} FROM ${work.dialect.given(logColumns, rows)}`.execute(work.tx);
	return logged;
}

const countColumns = columns('venue_id', 'taken:bigint');

/** Takes the next numbers of the admissions logs of locked venues and gives the first of each. */
async function takeAdmissionNumbers(
	{ tx, dialect }: Work,
	changes: ReadonlyMap<string, readonly LoggedChange[]>,
): Promise<Map<string, number>> {
	const counts = [...changes].map(([venue, list]) => [venue, list.length]);
	const { rows } = await sql<{ venue_id: string; admissions: number }>`
		UPDATE heads SET admissions = heads.admissions + given.taken FROM ${dialect.given(countColumns, counts)}
		WHERE heads.venue_id = given.venue_id RETURNING heads.venue_id, heads.admissions`.execute(tx);
	return new Map(
		rows.map(({ venue_id, admissions }) => [venue_id, admissions - (changes.get(venue_id)?.length ?? 0) + 1]),
	);
}

function entryOf({ record, right, row = noRow, atMs }: LoggedChange): AdmissionChange {
	const { evt, idx, allowance, redemption, device, lane } = record;
	const { use, used, held } = right;
	return { evt, idx, allowance, use, used, held, redemption, device, ...row, lane, atMs };
}
