import { sql } from 'kysely';
import { genesisHash } from '../../../gate-agent/core/journal.ts';
import { rowHash } from '../row-hash.ts';
import type { VenueSegment } from '../store.ts';
import { columns, later, type Work } from './dialect.ts';
import { type LockedHead, numbers } from './heads.ts';

/** How far a device's journal is here. */
export interface JournalHead {
	readonly deviceEpoch: string | undefined;
	readonly acceptedThrough: number;
	/** Hash of the newest row, base64url. */
	readonly hash: string;
}

/** What a segment is to the journal that is here. */
export type Judgement =
	/** `rows` of its rows are new and follow; the others are here already. */
	| { readonly kind: 'follows'; readonly rows: number; readonly hashes: Buffer }
	| { readonly kind: 'known'; readonly acceptedThrough: number }
	| { readonly kind: 'gap'; readonly acceptedThrough: number }
	| { readonly kind: 'fork' | 'rollback' };

/** The rows of a device that are here. A store that began with another one's counts has only the newest of the old ones. */
export interface KnownRows {
	/** The hash of a row, base64url; undefined where it is not here. */
	hashAt(deviceEpoch: string, seq: number): Promise<string | undefined>;
	/** The newest row of a device epoch; undefined where it never began. */
	newest(deviceEpoch: string): Promise<number | undefined>;
}

/** Hash before the first row of a device epoch. */
export const genesis: string = Buffer.from(genesisHash).toString('base64url');

/** Bytes of one hash. */
const hashBytes = 32;

/**
 * Judges a segment whose signature was checked. A row that is here with another text, a chain that does not follow from
 * what is here, and a text that does not carry its own number and epoch are a fork: somebody else writes with this key,
 * or rows were changed. New rows of an epoch that was left behind are a rollback: an old disk came back.
 */
export async function judgeSegment(segment: VenueSegment, head: JournalHead, known: KnownRows): Promise<Judgement> {
	const { deviceEpoch, from, to } = segment;
	const hashes = chainOf(segment);
	if (hashes === undefined) return { kind: 'fork' };
	if (deviceEpoch !== head.deviceEpoch) return judgeOther(segment, hashes, known);
	const { acceptedThrough } = head;
	if (from > acceptedThrough + 1) return { kind: 'gap', acceptedThrough };
	if (from === acceptedThrough + 1) {
		return segment.prevHash === head.hash ? { kind: 'follows', rows: to - from + 1, hashes } : { kind: 'fork' };
	}
	// The chain proves all rows before one that is equal.
	const newest = Math.min(to, acceptedThrough);
	const here = newest === acceptedThrough ? head.hash : await known.hashAt(deviceEpoch, newest);
	// Rows from before this store began: if they are others than those that were counted, the next new row joins nothing.
	if (here === undefined) return { kind: 'known', acceptedThrough };
	if (hashOf(hashes, newest - from) !== here) return { kind: 'fork' };
	if (to <= acceptedThrough) return { kind: 'known', acceptedThrough };
	return { kind: 'follows', rows: to - acceptedThrough, hashes };
}

async function judgeOther(segment: VenueSegment, hashes: Buffer, known: KnownRows): Promise<Judgement> {
	const { deviceEpoch, from, to } = segment;
	const newest = await known.newest(deviceEpoch);
	if (newest === undefined) {
		if (from > 1) return { kind: 'gap', acceptedThrough: 0 };
		return segment.prevHash === genesis ? { kind: 'follows', rows: to, hashes } : { kind: 'fork' };
	}
	// A retry that was long under way brings nothing new; anything else of a past epoch is an old disk.
	const here = await known.hashAt(deviceEpoch, to);
	const isOld = to <= newest && (here === undefined || here === hashOf(hashes, to - from));
	return isOld ? { kind: 'known', acceptedThrough: to } : { kind: 'rollback' };
}

/** The hash of each row, one after the other; undefined where the segment contradicts itself. */
function chainOf({ deviceEpoch, from, to, prevHash, lastHash, rows }: VenueSegment): Buffer | undefined {
	if (from < 1 || rows.length !== to - from + 1) return undefined;
	const hashes = Buffer.allocUnsafe(rows.length * hashBytes);
	const quoted = JSON.stringify(deviceEpoch);
	let hash: Uint8Array = Buffer.from(prevHash, 'base64url');
	if (hash.length !== hashBytes) return undefined;
	for (const [index, text] of rows.entries()) {
		if (!text.startsWith(`{"seq":${from + index},"epoch":${quoted},"at":`)) return undefined;
		hash = rowHash(hash, text);
		hashes.set(hash, index * hashBytes);
	}
	return hashOf(hashes, rows.length - 1) === lastHash ? hashes : undefined;
}

/** The hash of row `index` in a run of hashes. */
export function hashOf(hashes: Uint8Array, index: number): string {
	return Buffer.from(hashes.subarray(index * hashBytes, (index + 1) * hashBytes)).toString('base64url');
}

/** A segment's new rows on their way to the database. */
export interface NewRows {
	readonly segment: VenueSegment;
	readonly from: number;
	readonly hashes: Buffer;
	/** They begin a journal in the place of another one, which never goes on. */
	readonly replaces: boolean;
}

/** Looks rows of a device up among those of this transaction, then in the database. */
export function knownRows(
	{ tx }: Work,
	device: { venue: string; device: string },
	fresh: readonly NewRows[],
): KnownRows {
	const mine = fresh.filter(({ segment }) => segment.venue === device.venue && segment.device === device.device);
	const kept = (deviceEpoch: string) =>
		tx
			.selectFrom('segments')
			.where('venue_id', '=', device.venue)
			.where('device', '=', device.device)
			.where('device_epoch', '=', deviceEpoch);
	return {
		hashAt: async (deviceEpoch, seq) => {
			const isIn = ({ segment, from }: NewRows) => from <= seq && seq <= segment.to;
			const now = mine.find((each) => each.segment.deviceEpoch === deviceEpoch && isIn(each));
			if (now !== undefined) return hashOf(now.hashes, seq - now.from);
			const row = await kept(deviceEpoch)
				.select(['from_seq', 'hashes'])
				.where('from_seq', '<=', seq)
				.where('to_seq', '>=', seq)
				.orderBy('from_seq', 'desc')
				.limit(1)
				.executeTakeFirst();
			return row === undefined ? undefined : hashOf(row.hashes, seq - row.from_seq);
		},
		newest: async (deviceEpoch) => {
			const now = mine.findLast(({ segment }) => segment.deviceEpoch === deviceEpoch);
			if (now !== undefined) return now.segment.to;
			const row = await kept(deviceEpoch).select('to_seq').orderBy('from_seq', 'desc').limit(1).executeTakeFirst();
			return row?.to_seq;
		},
	};
}

/** What segments are kept under. */
export interface Arrival {
	readonly heads: ReadonlyMap<string, LockedHead>;
	/** Whether the rows of a segment are counted in this very transaction. */
	readonly counting: (segment: VenueSegment) => boolean;
}

/** Keeps the new rows of segments: the signed text, and the hashes that later segments are compared with. */
export async function saveSegments(work: Work, fresh: readonly NewRows[], arrival: Arrival): Promise<void> {
	if (fresh.length === 0) return;
	const next = await takeArrivals(
		work,
		fresh.map(({ segment }) => segment),
		arrival.heads,
	);
	const rows = fresh.map(({ segment, from, hashes }) => ({
		...{ venue_id: segment.venue, device: segment.device, device_epoch: segment.deviceEpoch },
		...{ from_seq: from, to_seq: segment.to, hashes, jws: segment.jws, at_ms: segment.atMs },
		...{ arrival: next(segment.venue), via: segment.via ?? null, counted: arrival.counting(segment) ? 1 : 0 },
	}));
	await work.tx.insertInto('segments').values(rows).modifyEnd(later).execute();
}

/** Keeps segments that contradict what is here, as evidence. */
export async function saveBranches(
	work: Work,
	segments: readonly VenueSegment[],
	heads: ReadonlyMap<string, LockedHead>,
): Promise<void> {
	if (segments.length === 0) return;
	const next = await takeArrivals(work, segments, heads);
	const rows = segments.map(({ venue, device, deviceEpoch, from, lastHash, jws, atMs, via }) => ({
		...{ venue_id: venue, device, device_epoch: deviceEpoch, from_seq: from },
		...{ last_hash: lastHash, jws, at_ms: atMs, arrival: next(venue), via: via ?? null },
	}));
	await work.tx
		.insertInto('branches')
		.values(rows)
		.onConflict((conflict) => conflict.doNothing())
		.execute();
}

/** Takes the next places in the order of arrival, where somebody follows it or will count the rows later. */
async function takeArrivals(
	{ tx, dialect }: Work,
	segments: readonly { readonly venue: string }[],
	heads: ReadonlyMap<string, LockedHead>,
): Promise<(venue: string) => number> {
	const followed = segments.filter(({ venue }) => {
		const head = heads.get(venue);
		return head?.role !== 'alone' || !numbers(head);
	});
	if (followed.length === 0) return () => 0;
	const counts = Map.groupBy(followed, ({ venue }) => venue);
	const given = [...counts].map(([venue, list]) => [venue, list.length]);
	const { rows } = await sql<{ venue_id: string; arrivals: number }>`
		UPDATE heads SET arrivals = heads.arrivals + given.taken FROM ${dialect.given(arrivalColumns, given)}
		WHERE heads.venue_id = given.venue_id RETURNING heads.venue_id, heads.arrivals`.execute(tx);
	const last = new Map(rows.map(({ venue_id, arrivals }) => [venue_id, arrivals]));
	const used = new Map<string, number>();
	return (venue) => {
		const end = last.get(venue);
		if (end === undefined) return 0;
		const place = (used.get(venue) ?? 0) + 1;
		used.set(venue, place);
		return end - (counts.get(venue)?.length ?? 0) + place;
	};
}

const arrivalColumns = columns('venue_id', 'taken:bigint');

interface DeviceRow {
	venue_id: string;
	device: string;
	status: string;
	device_epoch: string | null;
	accepted_through: number;
	head_hash: string | null;
}

/** A device while a transaction works on its journal. */
export interface JournalState {
	head: JournalHead;
	status: string;
	seenMs: number;
}

const deviceColumns = columns('venue_id', 'device');

/** Reads how far the journals of devices are, by `venue/device`. */
export async function loadJournals(
	{ tx, dialect }: Work,
	devices: Iterable<{ readonly venue: string; readonly device: string }>,
): Promise<Map<string, JournalState>> {
	const wanted = new Map([...devices].map(({ venue, device }) => [`${venue}/${device}`, [venue, device]]));
	const { rows } = await sql<DeviceRow>`
		SELECT d.venue_id, d.device, d.status, d.device_epoch, d.accepted_through, d.head_hash
		FROM ${dialect.given(deviceColumns, [...wanted.values()])}
		JOIN devices d ON d.venue_id = given.venue_id AND d.device = given.device`.execute(tx);
	return new Map(
		rows.map(({ venue_id, device, status, device_epoch, accepted_through, head_hash }) => {
			const deviceEpoch = device_epoch ?? undefined;
			const head = { deviceEpoch, acceptedThrough: accepted_through, hash: head_hash ?? genesis };
			return [`${venue_id}/${device}`, { head, status, seenMs: 0 }];
		}),
	);
}

const stateColumns = columns(
	...['venue_id', 'device', 'status', 'device_epoch', 'accepted_through:bigint', 'head_hash', 'last_seen_ms:bigint'],
);

/** Writes how far the journals of devices are now. */
export async function saveJournals({ tx, dialect }: Work, states: ReadonlyMap<string, JournalState>): Promise<void> {
	const rows = [...states].map(([text, { head, status, seenMs }]) => {
		const slash = text.indexOf('/');
		const place = [text.slice(0, slash), text.slice(slash + 1)];
		return [...place, status, head.deviceEpoch ?? null, head.acceptedThrough, head.hash, seenMs];
	});
	await sql`${later}
		UPDATE devices SET status = given.status, device_epoch = given.device_epoch,
			accepted_through = given.accepted_through, head_hash = given.head_hash,
			last_seen_ms = CASE WHEN devices.last_seen_ms > given.last_seen_ms THEN devices.last_seen_ms
				ELSE given.last_seen_ms END
		FROM ${dialect.given(stateColumns, rows)}
		WHERE devices.venue_id = given.venue_id AND devices.device = given.device`.execute(tx);
}
