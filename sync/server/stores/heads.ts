import { sql } from 'kysely';
import { assert, StilewardError } from '../../../gate-agent/core/errors.ts';
import type { ControlChange } from '../../protocol/feed.ts';
import type { Store, VenueHead } from '../store.ts';
import { columns, type Database, names, transact, type Work } from './dialect.ts';

/** A venue's head while its transaction holds it. */
export interface LockedHead extends Omit<VenueHead, 'behind'> {
	/** A device has shown a higher cursor: what this store counts is not all there was. */
	readonly behind: boolean;
}

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
			const { epoch, control, admissions, authority, behind } = row;
			return { epoch, control, admissions, authority, ...(behind === 1 ? { behind: true } : {}) };
		},
		appendControl: (venue, changes, atMs) =>
			transact(database, async (work) => {
				await lockVenue(work, venue);
				return logControl(work, { venue, changes, atMs });
			}),
		beginEpoch: ({ venue, server, atMs }) =>
			transact(database, async (work) => {
				const epoch = (await lockVenue(work, venue)).epoch + 1;
				await work.tx
					.updateTable('heads')
					.set({ epoch, authority: server, admissions: 0, behind: 0 })
					.where('venue_id', '=', venue)
					.execute();
				await logControl(work, { venue, changes: [{ kind: 'authority', epoch, server }], atMs });
				return epoch;
			}),
	};
}

/**
 * Locks venues until the transaction ends, in the order of their ids, so that two transactions never wait for each
 * other. Everything that changes a venue takes this lock first; what it reads after that cannot change under it, and
 * numbers of the logs become visible in their order. Throws `venue_unknown`.
 */
export async function lockVenues(work: Work, venues: Iterable<string>): Promise<ReadonlyMap<string, LockedHead>> {
	const ids = [...new Set(venues)].sort();
	const { tx, dialect } = work;
	const { rows } = await sql<Omit<LockedHead, 'behind'> & { venue_id: string; behind: number }>`
		SELECT venue_id, epoch, authority, control, admissions, behind FROM heads
		WHERE venue_id IN (${sql.join(ids)}) ORDER BY venue_id ${dialect.forUpdate}`.execute(tx);
	const heads = new Map(rows.map(({ venue_id, behind, ...head }) => [venue_id, { ...head, behind: behind === 1 }]));
	const unknown = ids.find((id) => !heads.has(id));
	if (unknown !== undefined) throw new StilewardError('venue_unknown', `there is no venue ${unknown}`);
	return heads;
}

/** Locks one venue. Throws `venue_unknown`. */
export async function lockVenue(work: Work, venue: string): Promise<LockedHead> {
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
