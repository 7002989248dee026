import { type Selectable, sql } from 'kysely';
import { assert, StilewardError } from '../../../gate-agent/core/errors.ts';
import type { ControlChange } from '../../protocol/feed.ts';
import type { Store, VenueHead } from '../store.ts';
import { columns, type Database, names, transact, type Work } from './dialect.ts';
import type { Tables } from './schema.ts';

/** What `heads.behind` says, by its number. A backup carries the last of them (`backup/write-backup.ts`). */
const behindKinds = [undefined, 'overtaken', 'restored'] as const;

/** What `heads.role` says, by its number. */
const roles = ['alone', 'centre', 'hub'] as const;

/** A venue's head while its transaction holds it. */
export interface LockedHead extends VenueHead {
	/** The id of the server whose store this is. */
	readonly self: string;
	/** What this store is to those of other servers. */
	readonly role: 'alone' | 'centre' | 'hub';
}

/**
 * Whether this store gives numbers of the admissions log. A store that grants no more must not number either: what it
 * lost has these numbers already.
 */
export function numbers(head: VenueHead | undefined): boolean {
	return head?.grants === true && head.behind === undefined;
}

/** The venues' own part of a store. */
export function headMethods(database: Database): Pick<Store, 'createVenue' | 'head' | 'appendControl'> {
	const { db } = database;
	return {
		createVenue: ({ id, name, server, atMs }) =>
			transact(database, async ({ tx }) => {
				await tx.insertInto('venues').values({ venue_id: id, name, created_ms: atMs, manifest: null }).execute();
				const logs = { epoch: 1, control: 0, admissions: 0, control_from: 0, admissions_from: 0, arrivals: 0 };
				const state = { authority: server, self: server, grants: 1, behind: 0, role: 0 };
				await tx
					.insertInto('heads')
					.values({ venue_id: id, ...logs, ...state })
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
	};
}

function headOf(row: Omit<Selectable<Tables['heads']>, 'venue_id'>): VenueHead {
	const { epoch, control, admissions, authority, grants, behind } = row;
	const why = behindKinds[behind];
	return { epoch, control, admissions, authority, grants: grants === 1, ...(why === undefined ? {} : { behind: why }) };
}

/**
 * Locks venues until the transaction ends, in the order of their ids, so that two transactions never wait for each
 * other. Everything that changes a venue takes this lock first; what it reads after that cannot change under it, and
 * numbers of the logs become visible in their order. Throws `venue_unknown`.
 */
export async function lockVenues(work: Work, venues: Iterable<string>): Promise<ReadonlyMap<string, LockedHead>> {
	const ids = [...new Set(venues)].sort();
	const { tx, dialect } = work;
	const { rows } = await sql<Selectable<Tables['heads']>>`
		SELECT venue_id, epoch, authority, control, admissions, behind, self, grants, role FROM heads
		WHERE venue_id IN (${sql.join(ids)}) ORDER BY venue_id ${dialect.forUpdate}`.execute(tx);
	const heads = new Map(
		rows.map((row) => [row.venue_id, { ...headOf(row), self: row.self, role: roles[row.role] ?? 'alone' }]),
	);
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
