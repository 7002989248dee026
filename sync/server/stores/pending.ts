import { sql } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { columns, names, type Work } from './dialect.ts';
import type { LockedHead } from './heads.ts';
import { applyRows, factOf, type Row, type SegmentRows } from './ingest.ts';
import { partial } from './schema.ts';

/** Segments that are counted at a time, so that no batch grows without end. */
const segmentsAtOnce = 16;

/** A kept segment whose rows are read again. */
export interface KeptSegment {
	readonly device: string;
	readonly device_epoch: string;
	readonly from_seq: number;
	readonly to_seq: number;
	readonly jws: string;
}

/**
 * The rows of a kept segment by their numbers. A segment may be kept from a later row on than it was signed: its first
 * rows were here already. Throws `store_failed` where it is no segment: its signature was checked before it was kept.
 */
export function rowsOfSegment({ from_seq, to_seq, jws }: Omit<KeptSegment, 'device' | 'device_epoch'>): string[] {
	try {
		const payload = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
		const rows = (payload as { rows: string[] }).rows.slice(from_seq - (payload as { from: number }).from);
		if (rows.length >= to_seq - from_seq + 1) return rows.slice(0, to_seq - from_seq + 1);
	} catch {
		// What is wrong with it stands in the file; who reads the log needs its place.
	}
	throw new StilewardError('store_failed', `the kept segment with row ${from_seq} is damaged`);
}

/** Counts what was kept while another server granted, in the order in which it came. The venue is locked and grants. */
export async function countPending(work: Work, head: LockedHead, venue: string): Promise<void> {
	const heads = new Map([[venue, head]]);
	const counted = await loadCounted(work, venue);
	for (;;) {
		const segments = await work.tx
			.selectFrom('segments')
			.select(['device', 'device_epoch', 'from_seq', 'to_seq', 'jws', 'at_ms', 'arrival'])
			.where('venue_id', '=', venue)
			.where(partial.uncounted)
			.orderBy('arrival')
			.limit(segmentsAtOnce)
			.execute();
		if (segments.length === 0) break;
		const parts: SegmentRows[] = [];
		for (const segment of segments) {
			const facts = pendingRows(venue, segment, counted);
			const replaces = await isNextJournal(work, { venue, ...segment }, counted);
			parts.push({ segment: { venue, device: segment.device, atMs: segment.at_ms }, facts, replaces });
		}
		await applyRows(work, parts, heads);
		await markCounted(
			work,
			venue,
			segments.map(({ device, device_epoch, to_seq }) => ({ device, deviceEpoch: device_epoch, through: to_seq })),
		);
	}
	await work.tx.deleteFrom('counted').where('venue_id', '=', venue).execute();
}

function pendingRows(venue: string, segment: KeptSegment, counted: ReadonlyMap<string, number>): readonly Row[] {
	const { device, device_epoch: deviceEpoch, from_seq } = segment;
	const through = counted.get(`${device}/${deviceEpoch}`) ?? 0;
	return rowsOfSegment(segment).flatMap((text, index) => {
		const seq = from_seq + index;
		return seq <= through ? [] : (factOf({ venue, device, deviceEpoch }, seq, text) ?? []);
	});
}

/** Whether a journal begins with a segment, where its device had another one before. */
async function isNextJournal(
	{ tx }: Work,
	segment: KeptSegment & { readonly venue: string; readonly arrival: number },
	counted: ReadonlyMap<string, number>,
): Promise<boolean> {
	const { venue, device, device_epoch, from_seq, arrival } = segment;
	// The authority before has ended the grants of the old journal where it has counted rows of the new one.
	if (from_seq > 1 || counted.has(`${device}/${device_epoch}`)) return false;
	const other = await tx
		.selectFrom('segments')
		.select('device_epoch')
		.where('venue_id', '=', venue)
		.where('device', '=', device)
		.where('device_epoch', '!=', device_epoch)
		.where('arrival', '<', arrival)
		.limit(1)
		.executeTakeFirst();
	return other !== undefined;
}

/** Up to which row of each journal another authority's log has counted. */
async function loadCounted({ tx }: Work, venue: string): Promise<ReadonlyMap<string, number>> {
	const rows = await tx.selectFrom('counted').selectAll().where('venue_id', '=', venue).execute();
	return new Map(rows.map(({ device, device_epoch, through }) => [`${device}/${device_epoch}`, through]));
}

/** Up to which row a journal is counted. */
export interface CountedJournal {
	readonly device: string;
	readonly deviceEpoch: string;
	readonly through: number;
}

const countedColumns = columns('venue_id', 'device', 'device_epoch', 'through:bigint');

/** Notes how far journals are counted by the log of another authority, and which kept segments that covers. */
export async function noteCounted(work: Work, venue: string, journals: readonly CountedJournal[]): Promise<void> {
	if (journals.length === 0) return;
	const { tx, dialect } = work;
	const rows = journals.map(({ device, deviceEpoch, through }) => [venue, device, deviceEpoch, through]);
	await sql`
		INSERT INTO counted (${names(countedColumns)})
		SELECT ${names(countedColumns)} FROM ${dialect.given(countedColumns, rows)} WHERE true
		ON CONFLICT (venue_id, device, device_epoch) DO UPDATE SET through = excluded.through
		WHERE excluded.through > counted.through`.execute(tx);
	await markCounted(work, venue, journals);
}

async function markCounted({ tx, dialect }: Work, venue: string, journals: readonly CountedJournal[]): Promise<void> {
	const rows = journals.map(({ device, deviceEpoch, through }) => [venue, device, deviceEpoch, through]);
	await sql`
		UPDATE segments SET counted = 1 FROM ${dialect.given(countedColumns, rows)}
		WHERE segments.venue_id = given.venue_id AND segments.device = given.device
			AND segments.device_epoch = given.device_epoch AND segments.to_seq <= given.through
			AND segments.counted = 0`.execute(tx);
}

/** A store that stops granting has counted all that it has. */
export async function noteAllCounted(work: Work, venue: string): Promise<void> {
	const rows = await work.tx
		.selectFrom('devices')
		.select(['device', 'device_epoch', 'accepted_through'])
		.where('venue_id', '=', venue)
		.where('accepted_through', '>', 0)
		.execute();
	await noteCounted(
		work,
		venue,
		rows.flatMap(({ device, device_epoch, accepted_through: through }) =>
			device_epoch === null ? [] : [{ device, deviceEpoch: device_epoch, through }],
		),
	);
}
