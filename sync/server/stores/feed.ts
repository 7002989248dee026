import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { type Cursor, isAhead } from '../../protocol/cursor.ts';
import type { FeedEntry, FeedPage } from '../../protocol/feed.ts';
import type { Store } from '../store.ts';
import type { Database } from './dialect.ts';

/** The feed's part of a store. */
export function feedMethods(database: Database): Pick<Store, 'feed' | 'shown'> {
	const { db } = database;
	return {
		feed: async (venue, since, limit) => {
			const head = await db
				.selectFrom('heads')
				.select(['epoch', 'admissions', 'control_from', 'admissions_from'])
				.where('venue_id', '=', venue)
				.executeTakeFirst();
			if (head === undefined) throw new StilewardError('venue_unknown', `there is no venue ${venue}`);
			if (isAhead(since, head)) {
				await markBehind(database, venue, since);
				return undefined;
			}
			if (since.epoch !== head.epoch) return undefined;
			if (since.control < head.control_from || since.admissions < head.admissions_from) return undefined;
			return readPage(database, venue, { since, limit });
		},
		shown: async (venue, cursor) => {
			if (await markBehind(database, venue, cursor)) return 'behind';
			const head = await db
				.selectFrom('heads')
				.select(['epoch', 'admissions', 'grants'])
				.where('venue_id', '=', venue)
				.executeTakeFirst();
			return head !== undefined && head.grants === 0 && isAhead(cursor, head) ? 'lagging' : 'current';
		},
	};
}

/**
 * A store that grants and was shown more than it has was restored from a backup. One that follows another authority may
 * lag it and loses nothing by that. Judged once more by the database: the log may have moved on since it was read.
 */
async function markBehind({ db }: Database, venue: string, since: Cursor): Promise<boolean> {
	const marked = await db
		.updateTable('heads')
		.set({ behind: 1 })
		.where('venue_id', '=', venue)
		.where('behind', '=', 0)
		.where('grants', '=', 1)
		.where(({ eb, and, or }) =>
			or([
				eb('epoch', '<', since.epoch),
				and([eb('epoch', '=', since.epoch), eb('admissions', '<', since.admissions)]),
			]),
		)
		.executeTakeFirst();
	return marked.numUpdatedRows > 0n;
}

/**
 * Reads what follows a cursor, revocations before admissions. Numbers become visible in order, because their
 * transactions hold the venue's head until they end: no page has n + 1 without n.
 */
async function readPage(
	{ db }: Database,
	venue: string,
	{ since, limit }: { readonly since: Cursor; readonly limit: number },
): Promise<FeedPage> {
	const control = await db
		.selectFrom('control_log')
		.select(['n', 'change'])
		.where('venue_id', '=', venue)
		.where('n', '>', since.control)
		.orderBy('n')
		.limit(limit)
		.execute();
	const rest = limit - control.length;
	const admissions =
		rest <= 0
			? []
			: await db
					.selectFrom('admission_log')
					.select(['n', 'change'])
					.where('venue_id', '=', venue)
					.where('epoch', '=', since.epoch)
					.where('n', '>', since.admissions)
					.orderBy('n')
					.limit(rest)
					.execute();
	return {
		entries: [...control.map((row) => entryOf('control', row)), ...admissions.map((row) => entryOf('admissions', row))],
		next: {
			epoch: since.epoch,
			control: control.at(-1)?.n ?? since.control,
			admissions: admissions.at(-1)?.n ?? since.admissions,
		},
	};
}

function entryOf(log: FeedEntry['log'], { n, change }: { readonly n: number; readonly change: string }): FeedEntry {
	// Both logs are written by this store alone, each from its own kind of change.
	return { log, n, change: JSON.parse(change) } as FeedEntry;
}
