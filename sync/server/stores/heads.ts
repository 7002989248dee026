import { type Selectable, sql } from 'kysely';
import { assert, StilewardError } from '../../../gate-agent/core/errors.ts';
import type { ControlChange } from '../../protocol/feed.ts';
import type { Store, VenueHead } from '../store.ts';
import { columns, type Database, names, transact, type Work } from './dialect.ts';
import type { Tables } from './schema.ts';

/** What `heads.behind` says, by its number. A backup carries the last of them (`backup/write-backup.ts`). */
const behindKinds = [undefined, 'overtaken', 'restored'] as const;

/** Ticket numbers that are left out after a loss: more than an event sells between two backups. */
const numbersLeftOut = 10_000_000;

/** The venues' own part of a store. */
export function headMethods(database: Database): Pick<Store, 'createVenue' | 'head' | 'appendControl' | 'beginEpoch'> {
	const { db } = database;
	return {
		createVenue: ({ id, name, server, atMs }) =>
			transact(database, async ({ tx }) => {
				await tx.insertInto('venues').values({ venue_id: id, name, created_ms: atMs }).execute();
				const logs = { epoch: 1, control: 0, admissions: 0, behind: 0 };
				await tx
					.insertInto('heads')
					.values({ venue_id: id, authority: server, ...logs })
					.execute();
			}),
		head: async (venue) => {
			const row = await db.selectFrom('heads').selectAll().where('venue_id', '=', venue).executeTakeFirst();
			if (row === undefined) return undefined;
			return headOf(row);
		},
		appendControl: (venue, changes, atMs) =>
			transact(database, async (work) => {
				await lockVenue(work, venue);
				return logControl(work, { venue, changes, atMs });
			}),
		beginEpoch: (change) => transact(database, (work) => beginEpoch(work, change)),
	};
}

function headOf({ epoch, control, admissions, authority, behind }: Omit<Selectable<Tables['heads']>, 'venue_id'>) {
	const why = behindKinds[behind];
	const head: VenueHead = { epoch, control, admissions, authority, ...(why === undefined ? {} : { behind: why }) };
	return head;
}

/**
 * After a loss nobody knows which epochs, control entries and ticket numbers were given out since the backup. The clock
 * does: there never was an epoch or an entry for each second since 1970, and each restore happens at a later one.
 */
async function beginEpoch(work: Work, change: Parameters<Store['beginEpoch']>[0]): Promise<number> {
	const { venue, server, atMs } = change;
	const head = await lockVenue(work, venue);
	const lost = change.lost === true || head.behind !== undefined;
	const seconds = lost ? Math.floor(atMs / 1000) : 0;
	const epoch = Math.max(head.epoch + 1, seconds);
	const control = Math.max(head.control, seconds);
	await work.tx
		.updateTable('heads')
		.set({ epoch, control, authority: server, admissions: 0, behind: 0 })
		.where('venue_id', '=', venue)
		.execute();
	if (lost) await leaveOutNumbers(work, venue);
	await logControl(work, { venue, changes: [{ kind: 'authority', epoch, server }], atMs });
	return epoch;
}

/** Codes that were spent since would enroll again; they are short-lived, so none is kept. */
async function leaveOutNumbers({ tx }: Work, venue: string): Promise<void> {
	await tx
		.updateTable('counters')
		.set((counter) => ({ next_idx: counter('next_idx', '+', numbersLeftOut) }))
		.where('venue_id', '=', venue)
		.execute();
	await tx.deleteFrom('enrollment_codes').where('venue_id', '=', venue).execute();
}

/**
 * Locks venues until the transaction ends, in the order of their ids, so that two transactions never wait for each
 * other. Everything that changes a venue takes this lock first; what it reads after that cannot change under it, and
 * numbers of the logs become visible in their order. Throws `venue_unknown`.
 */
export async function lockVenues(work: Work, venues: Iterable<string>): Promise<ReadonlyMap<string, VenueHead>> {
	const ids = [...new Set(venues)].sort();
	const { tx, dialect } = work;
	const { rows } = await sql<Selectable<Tables['heads']>>`
		SELECT venue_id, epoch, authority, control, admissions, behind FROM heads
		WHERE venue_id IN (${sql.join(ids)}) ORDER BY venue_id ${dialect.forUpdate}`.execute(tx);
	const heads = new Map(rows.map((row) => [row.venue_id, headOf(row)]));
	const unknown = ids.find((id) => !heads.has(id));
	if (unknown !== undefined) throw new StilewardError('venue_unknown', `there is no venue ${unknown}`);
	return heads;
}

/** Locks one venue. Throws `venue_unknown`. */
export async function lockVenue(work: Work, venue: string): Promise<VenueHead> {
	const head = (await lockVenues(work, [venue])).get(venue);
	assert(head, 'a locked venue has a head');
	return head;
}

/** Appends to the control log of a locked venue and gives the number of its last entry. */
export async function logControl(
	{ tx, dialect }: Work,
	log: { readonly venue: string; readonly changes: readonly ControlChange[]; readonly atMs: number },
): Promise<number> {
	const { venue, changes, atMs } = log;
	const { control } = await tx
		.updateTable('heads')
		.set((head) => ({ control: head('control', '+', changes.length) }))
		.where('venue_id', '=', venue)
		.returning('control')
		.executeTakeFirstOrThrow();
	if (changes.length === 0) return control;
	const first = control - changes.length + 1;
	const list = columns('venue_id', 'n:bigint', 'at_ms:bigint', 'change');
	const rows = changes.map((change, index) => [venue, first + index, atMs, JSON.stringify(change)]);
	await sql`INSERT INTO control_log (${names(list)}) SELECT ${names(list)} FROM ${dialect.given(list, rows)}`.execute(
		tx,
	);
	return control;
}
