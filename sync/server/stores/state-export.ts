import type { Kysely, Selectable } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { quarterOf } from '../capacity.ts';
import type { Replication } from '../replication.ts';
import { type Database, readAtOnce, type Work } from './dialect.ts';
import { hashOf } from './journal-heads.ts';
import { rowsOfSegment } from './pending.ts';
import { peopleFact } from './people-facts.ts';
import { partial, type Tables } from './schema.ts';

/** Rows in one line. */
const rowsPerLine = 2_000;

/** A line of the state: what its rows are, column by column, as the tables have them. */
export type StateLine =
	| {
			readonly kind: 'head';
			readonly epoch: number;
			readonly authority: string;
			readonly control: number;
			readonly admissions: number;
			/** From here on segments are sent, up to `all` every one of them. */
			readonly arrival: number;
			readonly all: number;
			readonly name: string;
			readonly manifest: string;
	  }
	| { readonly kind: 'done' }
	| { readonly kind: StateTable; readonly rows: readonly (readonly (string | number | null)[])[] };

/** What a state is made of. */
export type StateTable = 'epochs' | 'events' | 'devices' | 'journals' | 'rights' | 'redemptions' | 'revoked' | 'people';

/** The part of a centre's store that a hub begins with. */
export function stateExportMethods(database: Database): Pick<Replication, 'exportState'> {
	return {
		exportState: (venue, manifest) => readAtOnce(database, (work) => exportState(work, venue, manifest)),
	};
}

/**
 * All that counts at one moment. Tickets that are used up travel as counts alone; of redemptions only those that
 * something may still happen to, and of journals their newest row: what came before is proven by its hash.
 */
async function exportState({ tx }: Work, venue: string, manifest: string): Promise<readonly string[]> {
	const lines: string[] = [];
	const put = (line: StateLine) => void lines.push(JSON.stringify(line));
	const putRows = (kind: StateTable, rows: readonly (readonly (string | number | null)[])[]) => {
		for (let at = 0; at < rows.length; at += rowsPerLine) put({ kind, rows: rows.slice(at, at + rowsPerLine) });
	};
	put({ ...(await readHead(tx, venue)), manifest });
	putRows('epochs', await readEpochs(tx, venue));
	putRows('events', await readEvents(tx, venue));
	putRows('devices', await readDevices(tx, venue));
	putRows('journals', await readJournals(tx, venue));
	putRows('rights', await readRights(tx, venue));
	putRows('redemptions', await readRedemptions(tx, venue));
	putRows('revoked', await readRevoked(tx, venue));
	putRows('people', await readPeople(tx, venue));
	put({ kind: 'done' });
	return lines;
}

type Reader = Kysely<Tables>;

async function readHead(tx: Reader, venue: string) {
	const head = await tx
		.selectFrom('heads as h')
		.innerJoin('venues as v', 'v.venue_id', 'h.venue_id')
		.select(['h.epoch', 'h.authority', 'h.control', 'h.admissions', 'h.arrivals', 'v.name'])
		.where('h.venue_id', '=', venue)
		.executeTakeFirst();
	if (head === undefined) throw new StilewardError('venue_unknown', `there is no venue ${venue}`);
	const uncounted = await tx
		.selectFrom('segments')
		.select('arrival')
		.where('venue_id', '=', venue)
		.where(partial.uncounted)
		.orderBy('arrival')
		.limit(1)
		.executeTakeFirst();
	const { arrivals: all, ...rest } = head;
	const arrival = uncounted === undefined ? all : Math.max(0, uncounted.arrival - 1);
	return { kind: 'head' as const, ...rest, arrival, all };
}

async function readEpochs(tx: Reader, venue: string) {
	const rows = await tx.selectFrom('epochs').selectAll().where('venue_id', '=', venue).orderBy('epoch').execute();
	return rows.map(({ epoch, server, ended }) => [epoch, server, ended]);
}

async function readEvents(tx: Reader, venue: string) {
	const rows = await tx.selectFrom('events').selectAll().where('venue_id', '=', venue).orderBy('evt').execute();
	return rows.map(({ evt, policy }) => [evt, policy]);
}

async function readDevices(tx: Reader, venue: string) {
	const rows = await tx.selectFrom('devices').selectAll().where('venue_id', '=', venue).orderBy('device').execute();
	return rows.map(({ device, name, jwk, status, device_epoch, enrolled_ms, last_seen_ms }) => {
		return [device, name, jwk, status, device_epoch, enrolled_ms, last_seen_ms];
	});
}

/** The newest counted row of each device epoch, and its hash. */
async function readJournals(tx: Reader, venue: string) {
	const whole = await tx
		.selectFrom('segments')
		.select(['device', 'device_epoch'])
		.select(({ fn }) => fn.max('to_seq').as('through'))
		.where('venue_id', '=', venue)
		.where('counted', '=', 1)
		.groupBy(['device', 'device_epoch'])
		.execute();
	// Of a segment that is not counted whole, the other authority's log says how much of it is.
	const partly = await tx
		.selectFrom('counted')
		.select(['device', 'device_epoch', 'through'])
		.where('venue_id', '=', venue)
		.execute();
	const newest = new Map<string, Omit<Selectable<Tables['counted']>, 'venue_id'>>();
	for (const journal of [...whole, ...partly]) {
		const text = `${journal.device}/${journal.device_epoch}`;
		if (journal.through > (newest.get(text)?.through ?? 0)) newest.set(text, journal);
	}
	const rows: (string | number)[][] = [];
	for (const journal of newest.values()) rows.push(await journalRow(tx, venue, journal));
	return rows;
}

async function journalRow(
	tx: Reader,
	venue: string,
	journal: Omit<Selectable<Tables['counted']>, 'venue_id'>,
): Promise<(string | number)[]> {
	const { device, device_epoch, through } = journal;
	const { from_seq, hashes } = await tx
		.selectFrom('segments')
		.select(['from_seq', 'hashes'])
		.where('venue_id', '=', venue)
		.where('device', '=', device)
		.where('device_epoch', '=', device_epoch)
		.where('from_seq', '<=', through)
		.orderBy('from_seq', 'desc')
		.limit(1)
		.executeTakeFirstOrThrow();
	return [device, device_epoch, through, hashOf(hashes, through - from_seq)];
}

async function readRights(tx: Reader, venue: string) {
	const rows = await tx.selectFrom('rights').selectAll().where('venue_id', '=', venue).execute();
	return rows.map(({ evt, idx, allowance, use, used, held, taken, last_lane, last_ms }) => {
		return [evt, idx, allowance, use, used, held, taken, last_lane, last_ms];
	});
}

async function readRedemptions(tx: Reader, venue: string) {
	const rows = await tx
		.selectFrom('redemptions')
		.selectAll()
		.where('venue_id', '=', venue)
		.where((where) => where.or([where('state', 'in', ['claimed', 'granted']), where('returned', '>', 0)]))
		.execute();
	return rows.map((row) => [
		...[row.device, row.redemption, row.evt, row.idx, row.allowance, row.uses, row.reentry, row.rung, row.lane],
		...[row.at_ms, row.state, row.taken, row.returned, row.taken_epoch, row.taken_n, row.claim_journal],
	]);
}

async function readRevoked(tx: Reader, venue: string) {
	const rows = await tx.selectFrom('revoked_pages').selectAll().where('venue_id', '=', venue).execute();
	return rows.map(({ evt, page, bits }) => [evt, page, Buffer.from(bits).toString('base64')]);
}

/** People of rows that are not counted yet are left out: those rows are sent, and counted where they arrive. */
async function readPeople(tx: Reader, venue: string) {
	const rows = await tx.selectFrom('people').selectAll().where('venue_id', '=', venue).execute();
	const counts = new Map(rows.map(({ evt, quarter, entered, gone }) => [`${evt}/${quarter}`, { entered, gone }]));
	for (const { evt, atMs, entered, left } of await uncountedPeople(tx, venue)) {
		const count = counts.get(`${evt}/${quarterOf(atMs)}`);
		if (count === undefined) continue;
		count.entered -= entered;
		count.gone -= left;
	}
	return rows.map(({ evt, quarter }) => {
		const { entered = 0, gone = 0 } = counts.get(`${evt}/${quarter}`) ?? {};
		return [evt, quarter, entered, gone];
	});
}

async function uncountedPeople(tx: Reader, venue: string) {
	const segments = await tx
		.selectFrom('segments as s')
		.leftJoin('counted as c', (join) =>
			join
				.onRef('c.venue_id', '=', 's.venue_id')
				.onRef('c.device', '=', 's.device')
				.onRef('c.device_epoch', '=', 's.device_epoch'),
		)
		.select(['s.from_seq', 's.to_seq', 's.jws', 'c.through'])
		.where('s.venue_id', '=', venue)
		.where(partial.uncounted)
		.execute();
	return segments.flatMap(({ through, ...segment }) => {
		const counted = Math.max(0, (through ?? 0) - segment.from_seq + 1);
		return rowsOfSegment(segment)
			.slice(counted)
			.flatMap((text) => peopleFact(text) ?? []);
	});
}
