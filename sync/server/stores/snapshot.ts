import { sql } from 'kysely';
import { wholeTicket } from '../../../gate-agent/core/allowance.ts';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { pageBytes } from '../../../gate-agent/core/sparse-pages.ts';
import type { SnapshotEvent, Store, StoreSnapshot } from '../store.ts';
import { type Database, readAtOnce, type Work } from './dialect.ts';

/** The snapshot's part of a store. */
export function snapshotMethods(database: Database): Pick<Store, 'snapshot'> {
	return { snapshot: (venue) => readAtOnce(database, (work) => readSnapshot(work, venue)) };
}

async function readSnapshot(work: Work, venue: string): ReturnType<Store['snapshot']> {
	const head = await work.tx
		.selectFrom('heads')
		.select(['epoch', 'control', 'admissions', 'grants'])
		.where('venue_id', '=', venue)
		.executeTakeFirst();
	if (head === undefined) throw new StilewardError('venue_unknown', `there is no venue ${venue}`);
	const counted = await readCounts(work, venue);
	const revoked = await readRevoked(work, venue);
	const named = await work.tx.selectFrom('events').select('evt').where('venue_id', '=', venue).execute();
	const evts = new Set([...named.map(({ evt }) => evt), ...counted.keys(), ...revoked.keys()]);
	const events = [...evts].sort().map((evt) => {
		const { redeemed = [], counts = [] } = counted.get(evt) ?? {};
		return { evt, redeemed, revoked: revoked.get(evt) ?? [], counts };
	});
	const { grants, ...cursor } = head;
	return { cursor, events, journals: await (grants === 1 ? readJournals : readCounted)(work, venue) };
}

/** A store that does not grant keeps rows that its counts do not include yet. */
async function readCounted({ tx }: Work, venue: string): Promise<StoreSnapshot['journals']> {
	return tx
		.selectFrom('counted as c')
		.innerJoin('devices as d', (join) =>
			join
				.onRef('d.venue_id', '=', 'c.venue_id')
				.onRef('d.device', '=', 'c.device')
				.onRef('d.device_epoch', '=', 'c.device_epoch'),
		)
		.select(['c.device', 'c.device_epoch as journal', 'c.through'])
		.where('c.venue_id', '=', venue)
		.orderBy('c.device')
		.execute();
}

async function readJournals({ tx }: Work, venue: string): Promise<StoreSnapshot['journals']> {
	const rows = await tx
		.selectFrom('devices')
		.select(['device', 'device_epoch as journal', 'accepted_through as through'])
		.where('venue_id', '=', venue)
		.where('accepted_through', '>', 0)
		.orderBy('device')
		.execute();
	return rows.flatMap(({ device, journal, through }) => (journal === null ? [] : [{ device, journal, through }]));
}

interface Counted {
	redeemed: readonly number[];
	readonly counts: SnapshotEvent['counts'][number][];
}

/** One bit says all of these: one use of the whole ticket, and it is gone. */
const isGone = sql`allowance = ${sql.lit(wholeTicket)} AND use = 1 AND used = 1 AND held = 0`;

async function readCounts({ tx }: Work, venue: string): Promise<ReadonlyMap<string, Counted>> {
	const events = new Map<string, Counted>();
	const eventOf = (evt: string) => {
		const event = events.get(evt) ?? { redeemed: [], counts: [] };
		events.set(evt, event);
		return event;
	};
	// As one text an event: hundreds of thousands of rows would hold up claims for a second while they are taken over.
	const { rows: gone } = await sql<{ evt: string; list: string }>`
		SELECT evt, string_agg(CAST(idx AS TEXT), ',') AS list FROM rights
		WHERE venue_id = ${venue} AND ${isGone} GROUP BY evt`.execute(tx);
	for (const { evt, list } of gone) eventOf(evt).redeemed = ascending(list);
	const { rows: others } = await sql<SnapshotEvent['counts'][number] & { readonly evt: string }>`
		SELECT evt, idx, allowance, use, used, held FROM rights
		WHERE venue_id = ${venue} AND (used > 0 OR held > 0) AND NOT (${isGone})
		ORDER BY evt, idx, allowance`.execute(tx);
	for (const { evt, ...right } of others) eventOf(evt).counts.push(right);
	return events;
}

/** The numbers of a list, which a database may give in any order. */
function ascending(list: string): readonly number[] {
	// A list of numbers is the inside of a JSON array, and nothing reads those faster.
	const numbers = JSON.parse(`[${list}]`) as number[];
	const isAscending = numbers.every((each, at) => at === 0 || each > (numbers[at - 1] ?? 0));
	return isAscending ? numbers : numbers.sort((a, b) => a - b);
}

async function readRevoked({ tx }: Work, venue: string): Promise<ReadonlyMap<string, readonly number[]>> {
	const rows = await tx
		.selectFrom('revoked_pages')
		.select(['evt', 'page', 'bits'])
		.where('venue_id', '=', venue)
		.orderBy('evt')
		.orderBy('page')
		.execute();
	const events = new Map<string, number[]>();
	for (const { evt, page, bits } of rows) {
		const list = events.get(evt) ?? [];
		events.set(evt, list);
		for (const idx of setBits(page, bits)) list.push(idx);
	}
	return events;
}

/** Numbers whose bit is set in a page, ascending. */
export function* setBits(page: number, bits: Uint8Array): Generator<number> {
	for (const [byte, value] of bits.entries()) {
		if (value === 0) continue;
		for (let bit = 0; bit < 8; bit++) if (value & (1 << bit)) yield (page * pageBytes + byte) * 8 + bit;
	}
}
