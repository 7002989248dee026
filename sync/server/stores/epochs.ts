import { sql } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { HubEpoch, HubLogAnswer } from '../../protocol/hub.ts';
import type { Replication } from '../replication.ts';
import type { Store } from '../store.ts';
import { type Database, transact, type Work } from './dialect.ts';
import { type LockedHead, lockVenue, logControl } from './heads.ts';
import { adoptClaims, readOpenClaims } from './open-claims.ts';
import { countPending, noteAllCounted } from './pending.ts';

/** Ticket numbers that are left out after a loss: more than an event sells between two backups. */
const numbersLeftOut = 10_000_000;

type EpochMethods = 'epochs' | 'endEpoch' | 'beginFor' | 'grantEpoch';

/** The epochs' part of a store. */
export function epochMethods(database: Database): Pick<Store, 'beginEpoch'> & Pick<Replication, EpochMethods> {
	return {
		beginEpoch: (change) => transact(database, (work) => beginEpoch(work, change)),
		epochs: async (venue) => {
			const rows = await database.db
				.selectFrom('epochs')
				.selectAll()
				.where('venue_id', '=', venue)
				.orderBy('epoch')
				.execute();
			return rows.map(({ epoch, server, ended, abandoned }) => ({
				...{ epoch, server, ...(ended === null ? {} : { ended }) },
				...(abandoned === 1 ? { abandoned: true as const } : {}),
			}));
		},
		endEpoch: (end) => transact(database, (work) => endEpoch(work, end)),
		beginFor: (begin) => transact(database, (work) => beginFor(work, begin)),
		grantEpoch: (grant) => transact(database, (work) => grantEpoch(work, grant)),
	};
}

/**
 * The control log says at once who is to grant. The epoch itself begins here when the one before is over: at once where
 * this store granted in it, else when its authority has passed on the rest of its log, or is given up (`abandon`).
 *
 * After a loss nobody knows which epochs, control entries and ticket numbers were given out since the backup. The clock
 * does: there never was an epoch or an entry for each second since 1970, and each restore happens at a later one.
 */
async function beginEpoch(work: Work, change: Parameters<Store['beginEpoch']>[0]): Promise<number> {
	const { venue, server, atMs } = change;
	const head = await lockVenue(work, venue);
	if (head.role === 'hub') throw new StilewardError('authority_lost', 'the epochs of a hub are begun at its centre');
	const lost = change.lost === true || head.behind !== undefined;
	const seconds = lost ? Math.floor(atMs / 1000) : 0;
	const epoch = Math.max((await newestEpoch(work, venue, head)) + 1, seconds);
	await work.tx
		.updateTable('heads')
		.set({ control: Math.max(head.control, seconds) })
		.where('venue_id', '=', venue)
		.execute();
	if (lost) await leaveOutNumbers(work, venue);
	await putEpoch(work, venue, { epoch: head.epoch, server: head.authority });
	if (head.grants || lost) await setEnded(work, { venue, epoch: head.epoch, admissions: head.admissions });
	else if (change.abandon || (await isUnbegun(work, venue, head))) await abandon(work, venue, head);
	await endUnbegun(work, venue, head.epoch);
	await putEpoch(work, venue, { epoch, server });
	await logControl(work, { venue, changes: [{ kind: 'authority', epoch, server }], atMs });
	await moveOn(work, venue);
	return epoch;
}

async function newestEpoch({ tx }: Work, venue: string, head: LockedHead): Promise<number> {
	const row = await tx
		.selectFrom('epochs')
		.select('epoch')
		.where('venue_id', '=', venue)
		.orderBy('epoch', 'desc')
		.limit(1)
		.executeTakeFirst();
	return Math.max(head.epoch, row?.epoch ?? 0);
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

/** Nobody has granted in an epoch that nobody has begun, so nobody is waited for. */
async function isUnbegun({ tx }: Work, venue: string, head: LockedHead): Promise<boolean> {
	const row = await tx
		.selectFrom('epochs')
		.select('begun')
		.where('venue_id', '=', venue)
		.where('epoch', '=', head.epoch)
		.executeTakeFirst();
	return !head.grants && head.admissions === 0 && row?.begun === null;
}

/** What the authority that is given up has beyond this counts in a later epoch, where its segments still come. */
async function abandon({ tx }: Work, venue: string, head: LockedHead): Promise<void> {
	await tx
		.updateTable('epochs')
		.set({ ended: head.admissions, abandoned: 1 })
		.where('venue_id', '=', venue)
		.where('epoch', '=', head.epoch)
		.where('ended', 'is', null)
		.execute();
}

/** An epoch that was named and has not begun when the next one is named never does. */
async function endUnbegun({ tx }: Work, venue: string, after: number): Promise<void> {
	await tx
		.updateTable('epochs')
		.set({ ended: 0, abandoned: 1 })
		.where('venue_id', '=', venue)
		.where('epoch', '>', after)
		.where('ended', 'is', null)
		.execute();
}

/** Notes an epoch. What is known of its end stays. */
export async function putEpoch({ tx }: Work, venue: string, { epoch, server, ended }: HubEpoch): Promise<void> {
	await tx
		.insertInto('epochs')
		.values({ venue_id: venue, epoch, server, ended: ended ?? null, abandoned: 0, begun: null, closed: 0 })
		.onConflict((conflict) =>
			conflict
				.columns(['venue_id', 'epoch'])
				.doUpdateSet({ server, ended: sql<number | null>`coalesce(epochs.ended, excluded.ended)` }),
		)
		.execute();
}

/** Says what the last number of an epoch is. */
export async function setEnded(
	{ tx }: Work,
	{ venue, epoch, admissions }: { readonly venue: string; readonly epoch: number; readonly admissions: number },
): Promise<void> {
	await tx
		.updateTable('epochs')
		.set({ ended: admissions })
		.where('venue_id', '=', venue)
		.where('epoch', '=', epoch)
		.execute();
}

/** How far a venue came. `diverged`: this store has another log of an epoch than the one that counts. */
export type Moved =
	| { readonly kind: 'current' | 'diverged' }
	/** The epoch is not over, or not all of it is here. */
	| { readonly kind: 'waits' };

/**
 * Brings a locked venue to the newest epoch whose predecessors are whole here. A centre that an epoch names begins to
 * grant; a hub asks its centre first.
 */
export async function moveOn(work: Work, venue: string): Promise<Moved> {
	for (;;) {
		const head = await lockVenue(work, venue);
		const [current, next] = await work.tx
			.selectFrom('epochs')
			.selectAll()
			.where('venue_id', '=', venue)
			.where('epoch', '>=', head.epoch)
			.orderBy('epoch')
			.limit(2)
			.execute();
		if (next === undefined) {
			if (await isCentreNamed(work, venue, head)) await grantHere(work, venue);
			return { kind: 'current' };
		}
		if (current?.epoch !== head.epoch || current.ended === null || head.admissions < current.ended) {
			return { kind: 'waits' };
		}
		const isLost = head.behind !== undefined && head.role === 'hub';
		if (head.admissions > current.ended || isLost) return { kind: 'diverged' };
		if (head.grants) await noteAllCounted(work, venue);
		const begins = { epoch: next.epoch, authority: next.server, admissions: 0, admissions_from: 0 };
		await work.tx
			.updateTable('heads')
			.set({ ...begins, grants: 0, behind: 0 })
			.where('venue_id', '=', venue)
			.execute();
	}
}

/** Only the centre begins an epoch by itself, and each one once: a store that came back is behind, or in an older one. */
async function isCentreNamed(work: Work, venue: string, head: LockedHead): Promise<boolean> {
	if (head.role === 'hub' || head.grants || head.authority !== head.self || head.admissions > 0) return false;
	const begun = await work.tx
		.updateTable('epochs')
		.set({ begun: head.self })
		.where('venue_id', '=', venue)
		.where('epoch', '=', head.epoch)
		.where('begun', 'is', null)
		.executeTakeFirst();
	return begun.numUpdatedRows > 0n;
}

/** Begins to grant: what was kept without being counted is counted first, in the order in which it came. */
async function grantHere(work: Work, venue: string): Promise<void> {
	await work.tx.updateTable('heads').set({ grants: 1 }).where('venue_id', '=', venue).execute();
	await countPending(work, await lockVenue(work, venue), venue);
}

async function endEpoch(work: Work, end: Parameters<Replication['endEpoch']>[0]): Promise<HubLogAnswer> {
	const { venue, epoch, server, admissions, claims } = end;
	const head = await lockVenue(work, venue);
	const row = await work.tx
		.selectFrom('epochs')
		.selectAll()
		.where('venue_id', '=', venue)
		.where('epoch', '=', epoch)
		.executeTakeFirst();
	if (row?.server !== server) throw new StilewardError('authority_lost', `epoch ${epoch} is not of ${server}`);
	if (row.abandoned === 1) return { kind: 'abandoned', admissions: row.ended ?? 0 };
	if (row.ended !== null) return { kind: 'stored', admissions: row.ended };
	// An epoch that has not begun here has an earlier one before it that is not over.
	if (head.epoch !== epoch) return { kind: 'gap', admissions: 0 };
	const last = admissions ?? head.admissions;
	if (last > head.admissions) return { kind: 'gap', admissions: head.admissions };
	if (last < head.admissions) return { kind: 'forked' };
	await adoptClaims(work, venue, claims);
	await setEnded(work, { venue, epoch, admissions: last });
	await moveOn(work, venue);
	return { kind: 'stored', admissions: last };
}

async function beginFor(
	work: Work,
	begin: Parameters<Replication['beginFor']>[0],
): ReturnType<Replication['beginFor']> {
	const { venue, epoch, server, device, instance } = begin;
	const head = await lockVenue(work, venue);
	if (head.epoch < epoch) return 'waits';
	if (head.epoch > epoch || head.authority !== server || head.admissions > 0) return 'refused';
	const begun = await work.tx
		.updateTable('epochs')
		.set({ begun: instance })
		.where('venue_id', '=', venue)
		.where('epoch', '=', epoch)
		.where((where) => where.or([where('begun', 'is', null), where('begun', '=', instance)]))
		.executeTakeFirst();
	if (begun.numUpdatedRows === 0n) return 'refused';
	// The contacts that are seen from now on go on from the one that begins.
	await work.tx
		.updateTable('hubs')
		.set({ contact: instance })
		.where('venue_id', '=', venue)
		.where('device', '=', device)
		.execute();
	return readOpenClaims(work, venue);
}

async function grantEpoch(work: Work, grant: Parameters<Replication['grantEpoch']>[0]): Promise<void> {
	const { venue, epoch, claims } = grant;
	const head = await lockVenue(work, venue);
	if (head.epoch === epoch && head.grants) return;
	if (head.epoch !== epoch || head.authority !== head.self || head.admissions > 0) {
		throw new StilewardError('authority_lost', `${venue} is not at the beginning of epoch ${epoch}`);
	}
	await adoptClaims(work, venue, claims);
	await grantHere(work, venue);
}
