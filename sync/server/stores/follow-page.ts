import { createHash } from 'node:crypto';
import type { HubFollowPage } from '../../protocol/hub.ts';
import { hubEntriesMax, hubSegmentsBytesMax, hubSegmentsMax } from '../../protocol/hub.ts';
import type { Followed, Replication } from '../replication.ts';
import { type Database, readAtOnce, type Work } from './dialect.ts';
import { partial } from './schema.ts';

/** Control entries in one page: some of them revoke 500 tickets. */
const controlEntriesMax = 200;

/** What a hub is told, except for the head, which the caller reads. */
type Page = Omit<HubFollowPage, 'head'>;

/** The part of a store that a hub follows. */
export function followPageMethods(database: Database): Pick<Replication, 'followPage'> {
	return {
		followPage: (venue, since, server) => readAtOnce(database, (work) => readPage(work, { venue, since, server })),
	};
}

/** The hash by which two servers compare a log entry. */
export function entryHash(change: string): string {
	return createHash('sha256').update(change).digest('base64url');
}

interface Question {
	readonly venue: string;
	readonly since: Followed;
	readonly server: string;
}

async function readPage(work: Work, question: Question): Promise<Page | undefined> {
	const { venue, since } = question;
	if (!(await isSameLog(work, venue, since))) return undefined;
	const control = await readControl(work, venue, since.control);
	// After a restore the numbers go on far above: what a hub followed before may have been rewritten.
	if (control.some(({ n }, index) => n !== since.control + 1 + index)) return undefined;
	const segments = await readSegments(work, question);
	const admissions = segments.whole ? await readAdmissions(work, question) : [];
	const devices = await readDevices(work, venue, control);
	const epochs = await work.tx
		.selectFrom('epochs')
		.select(['epoch', 'server', 'ended'])
		.where('venue_id', '=', venue)
		.where('epoch', '>=', since.epoch)
		.orderBy('epoch')
		.execute();
	return {
		control,
		devices,
		segments: segments.list,
		arrival: segments.arrival,
		admissions,
		epochs: epochs.map(({ ended, ...rest }) => ({ ...rest, ...(ended === null ? {} : { ended }) })),
	};
}

/** The newest entry that the hub has is the one that stands here under its number. */
async function isSameLog({ tx }: Work, venue: string, { control, controlHash }: Followed): Promise<boolean> {
	if (control === 0) return true;
	const row = await tx
		.selectFrom('control_log')
		.select('change')
		.where('venue_id', '=', venue)
		.where('n', '=', control)
		.executeTakeFirst();
	return row !== undefined && (controlHash === undefined || entryHash(row.change) === controlHash);
}

async function readControl({ tx }: Work, venue: string, since: number): Promise<Page['control']> {
	const rows = await tx
		.selectFrom('control_log')
		.select(['n', 'at_ms', 'change'])
		.where('venue_id', '=', venue)
		.where('n', '>', since)
		.orderBy('n')
		.limit(controlEntriesMax)
		.execute();
	return rows.map(({ n, at_ms, change }) => ({ n, atMs: at_ms, change }));
}

/** Segments in the order of their arrival, without those that the hub itself has passed on since it began. */
async function readSegments(
	{ tx }: Work,
	{ venue, since, server }: Question,
): Promise<{ readonly list: Page['segments']; readonly arrival: number; readonly whole: boolean }> {
	const rows = await tx
		.selectFrom('segments')
		.select(['device', 'jws', 'arrival'])
		.where('venue_id', '=', venue)
		.where(partial.arrived)
		.where('arrival', '>', since.arrival)
		.where((where) =>
			where.or([where('arrival', '<=', since.all), where('via', 'is', null), where('via', '!=', server)]),
		)
		.orderBy('arrival')
		.limit(hubSegmentsMax + 1)
		.execute();
	const list: { device: string; segment: string }[] = [];
	let bytes = 0;
	let last = since.arrival;
	for (const { device, jws, arrival } of rows) {
		bytes += jws.length;
		if (list.length >= hubSegmentsMax || (list.length > 0 && bytes > hubSegmentsBytesMax)) {
			return { list, arrival: last, whole: false };
		}
		list.push({ device, segment: jws });
		last = arrival;
	}
	const head = await tx.selectFrom('heads').select('arrivals').where('venue_id', '=', venue).executeTakeFirstOrThrow();
	return { list, arrival: Math.max(since.arrival, head.arrivals), whole: true };
}

/** Entries of an epoch in which somebody else than the hub grants. */
async function readAdmissions({ tx }: Work, { venue, since, server }: Question): Promise<Page['admissions']> {
	const epoch = await tx
		.selectFrom('epochs')
		.select('server')
		.where('venue_id', '=', venue)
		.where('epoch', '=', since.epoch)
		.executeTakeFirst();
	if (epoch?.server === server) return [];
	return tx
		.selectFrom('admission_log')
		.select(['n', 'change'])
		.where('venue_id', '=', venue)
		.where('epoch', '=', since.epoch)
		.where('n', '>', since.admissions)
		.orderBy('n')
		.limit(hubEntriesMax)
		.execute();
}

/** Devices that the control entries speak of, as they are now. */
async function readDevices({ tx }: Work, venue: string, control: Page['control']): Promise<Page['devices']> {
	const ids = control.flatMap(({ change }) => {
		// Written by this store from a `ControlChange`.
		const parsed = JSON.parse(change) as { readonly kind: string; readonly device?: string };
		return parsed.kind === 'device' && parsed.device !== undefined ? [parsed.device] : [];
	});
	if (ids.length === 0) return [];
	const rows = await tx
		.selectFrom('devices')
		.select(['device', 'name', 'jwk', 'status', 'enrolled_ms'])
		.where('venue_id', '=', venue)
		.where('device', 'in', [...new Set(ids)])
		.execute();
	return rows.map(({ jwk, status, enrolled_ms, ...rest }) => ({
		...rest,
		jwk: JSON.parse(jwk),
		// Written from a `Device['status']` alone.
		status: status as Page['devices'][number]['status'],
		enrolledMs: enrolled_ms,
	}));
}
