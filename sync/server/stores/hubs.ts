import { type Selectable, sql } from 'kysely';
import { hubContactsMax, hubEntriesMax, hubSegmentsBytesMax, hubSegmentsMax } from '../../protocol/hub.ts';
import type { Backlog, Hub, Outgoing, PassedOn, Replication } from '../replication.ts';
import { type Database, readAtOnce, transact, type Work } from './dialect.ts';
import { putEpoch } from './epochs.ts';
import { lockVenue } from './heads.ts';
import { readOpenClaims } from './open-claims.ts';
import { partial, type Tables } from './schema.ts';

type CentreMethods = 'joinHub' | 'hub' | 'hubs' | 'hubSeen';
type HubMethods =
	| 'outgoing'
	| 'rememberSent'
	| 'resendSegments'
	| 'backlog'
	| 'addContact'
	| 'markStale'
	| 'loseEpoch'
	| 'allOpenClaims';

/** What a centre knows of its hubs. */
export function hubMethods(database: Database): Pick<Replication, CentreMethods> {
	const ofVenue = (venue: string) => database.db.selectFrom('hubs').selectAll().where('venue_id', '=', venue);
	return {
		joinHub: (join) => transact(database, (work) => joinHub(work, join)),
		hub: async (venue, device) => {
			const row = await ofVenue(venue).where('device', '=', device).executeTakeFirst();
			return row && hubOf(row);
		},
		hubs: async (venue) => (await ofVenue(venue).orderBy('server').execute()).map(hubOf),
		hubSeen: (seen) => transact(database, (work) => hubSeen(work, seen)),
	};
}

async function joinHub(work: Work, join: Parameters<Replication['joinHub']>[0]): Promise<Hub | undefined> {
	const { codeHash, jwk, device, atMs } = join;
	const spent = await work.tx
		.updateTable('enrollment_codes')
		.set({ spent_ms: atMs })
		.where('code_hash', '=', codeHash)
		.where('spent_ms', 'is', null)
		.where('expires_ms', '>', atMs)
		.where('hub', '=', 1)
		.returning(['venue_id', 'name'])
		.executeTakeFirst();
	if (spent === undefined) return undefined;
	const { venue_id, name: server } = spent;
	const head = await lockVenue(work, venue_id);
	await work.tx.updateTable('heads').set({ role: 1 }).where('venue_id', '=', venue_id).execute();
	await putEpoch(work, venue_id, { epoch: head.epoch, server: head.authority });
	// New hardware takes the name over; the key of the old one is forgotten, so that it is nobody any more.
	await work.tx.deleteFrom('hubs').where('venue_id', '=', venue_id).where('server', '=', server).execute();
	const row = { venue_id, device, server, jwk: JSON.stringify(jwk), enrolled_ms: atMs };
	const kept = { ...row, last_seen_ms: null, contact: null, report: null };
	await work.tx.insertInto('hubs').values(kept).execute();
	return hubOf(kept);
}

function hubOf(row: Selectable<Tables['hubs']>): Hub {
	const { venue_id, device, server, jwk, enrolled_ms, last_seen_ms, report } = row;
	return {
		...{ venue: venue_id, device, server, jwk: JSON.parse(jwk), enrolledMs: enrolled_ms },
		...(last_seen_ms === null ? {} : { lastSeenMs: last_seen_ms }),
		...(report === null ? {} : { report: JSON.parse(report) }),
	};
}

async function hubSeen(work: Work, seen: Parameters<Replication['hubSeen']>[0]): Promise<'known' | 'stale'> {
	const { venue, device, contacts, report, atMs } = seen;
	await lockVenue(work, venue);
	const of = work.tx.selectFrom('hubs').select('contact').where('venue_id', '=', venue).where('device', '=', device);
	const row = await of.executeTakeFirst();
	const isNext = row === undefined || row.contact === null || contacts.includes(row.contact);
	const isStale = report.grants && !isNext;
	await work.tx
		.updateTable('hubs')
		.set({
			last_seen_ms: atMs,
			report: JSON.stringify(report),
			...(isStale ? {} : { contact: contacts.at(-1) ?? null }),
		})
		.where('venue_id', '=', venue)
		.where('device', '=', device)
		.execute();
	return isStale ? 'stale' : 'known';
}

/** What a hub knows of what its centre has. */
export function upstreamMethods(database: Database): Pick<Replication, HubMethods> {
	return {
		outgoing: (venue) => readAtOnce(database, (work) => readOutgoing(work, venue)),
		rememberSent: async (venue, sent) => {
			await remember(database, venue, sent);
		},
		resendSegments: async (venue) => {
			await database.db.updateTable('upstream').set({ sent: 0 }).where('venue_id', '=', venue).execute();
		},
		backlog: (venue) => readAtOnce(database, (work) => readBacklog(work, venue)),
		addContact: (venue, contact) => transact(database, (work) => addContact(work, venue, contact)),
		loseEpoch: async (venue, epoch) => {
			const own = database.db.updateTable('epochs').set({ ended: null }).where('venue_id', '=', venue);
			await own.where('epoch', '=', epoch).where('closed', '=', 0).execute();
			await database.db.updateTable('heads').set({ behind: 1 }).where('venue_id', '=', venue).execute();
		},
		allOpenClaims: (venue) => readAtOnce(database, (work) => readOpenClaims(work, venue)),
		markStale: async (venue) => {
			const heads = database.db.updateTable('heads').set({ behind: 1 }).where('venue_id', '=', venue);
			await heads.where('grants', '=', 1).where('behind', '=', 0).execute();
		},
	};
}

async function readOutgoing(work: Work, venue: string): Promise<Outgoing> {
	const up = await work.tx.selectFrom('upstream').selectAll().where('venue_id', '=', venue).executeTakeFirst();
	const head = await work.tx.selectFrom('heads').selectAll().where('venue_id', '=', venue).executeTakeFirst();
	if (up === undefined || head === undefined) return nothing;
	const rows = await readSegments(work, venue, up.sent);
	// What comes behind may be named by the newest entries.
	const next = rows.hasMore ? nothing : await readOpenLog(work, { venue, head, up });
	if (next.kind === 'rows') return { ...next, ...rows, hasMore: next.hasMore };
	if (rows.segments.length === 0) return next;
	return { kind: 'rows', ...rows, hasMore: rows.hasMore || next.kind === 'end' };
}

const nothing = { kind: 'nothing' } as const;

/** What the first epoch of this hub has to say that the centre has not closed. */
async function readOpenLog(
	work: Work,
	{ venue, head, up }: Pick<OwnLog, 'venue' | 'head'> & { readonly up: Selectable<Tables['upstream']> },
): Promise<Outgoing> {
	const epoch = await work.tx
		.selectFrom('epochs')
		.selectAll()
		.where('venue_id', '=', venue)
		.where('server', '=', head.self)
		.where('closed', '=', 0)
		.where('epoch', '<=', head.epoch)
		.orderBy('epoch')
		.executeTakeFirst();
	if (epoch === undefined) return nothing;
	const sent = up.epoch === epoch.epoch ? up.admissions : 0;
	return readLog(work, { venue, head, epoch, sent, through: up.sent });
}

/** Own segments, those that forked too, in the order of their arrival. */
async function readSegments(
	{ tx }: Work,
	venue: string,
	after: number,
): Promise<Pick<OutgoingRows, 'segments' | 'through' | 'hasMore'>> {
	const of = (table: 'segments' | 'branches') =>
		tx
			.selectFrom(table)
			.select(['device', 'jws', 'arrival'])
			.where('venue_id', '=', venue)
			.where(partial.arrived)
			.where('arrival', '>', after)
			.where('via', 'is', null);
	const rows = await of('segments').unionAll(of('branches')).orderBy('arrival').limit(hubSegmentsMax).execute();
	const segments: { device: string; segment: string }[] = [];
	let [bytes, through] = [0, after];
	for (const { device, jws, arrival } of rows) {
		bytes += jws.length;
		if (segments.length > 0 && bytes > hubSegmentsBytesMax) break;
		segments.push({ device, segment: jws });
		through = arrival;
	}
	return { segments, through, hasMore: segments.length < rows.length || rows.length === hubSegmentsMax };
}

type OutgoingRows = Outgoing & { readonly kind: 'rows' };

interface OwnLog {
	readonly venue: string;
	readonly head: Selectable<Tables['heads']>;
	readonly epoch: Selectable<Tables['epochs']>;
	/** Up to which entry and which segment the centre has it. */
	readonly sent: number;
	readonly through: number;
}

async function readLog(work: Work, { venue, head, epoch, sent, through }: OwnLog): Promise<Outgoing> {
	const isOver = head.epoch > epoch.epoch || head.grants === 0;
	// A store that lost what it granted has nothing more to say in this epoch, except that it is over.
	const isLost = isOver && epoch.ended === null;
	const entries = isLost || head.behind !== 0 ? [] : await readEntries(work, { venue, epoch: epoch.epoch, sent });
	if (entries.length > 0) {
		const hasMore = entries.length === hubEntriesMax || isOver;
		return { kind: 'rows', segments: [], through, log: { epoch: epoch.epoch, entries }, hasMore };
	}
	if (!isOver || !(await isFollowed(work, venue, epoch.epoch))) return nothing;
	if (epoch.ended === null) return { kind: 'end', epoch: epoch.epoch, claims: [] };
	return { kind: 'end', epoch: epoch.epoch, admissions: epoch.ended, claims: await readOpenClaims(work, venue) };
}

function readEntries(
	{ tx }: Work,
	log: { readonly venue: string; readonly epoch: number; readonly sent: number },
): Promise<{ n: number; change: string }[]> {
	return tx
		.selectFrom('admission_log')
		.select(['n', 'change'])
		.where('venue_id', '=', log.venue)
		.where('epoch', '=', log.epoch)
		.where('n', '>', log.sent)
		.orderBy('n')
		.limit(hubEntriesMax)
		.execute();
}

/** An epoch is ended once another one was named. */
async function isFollowed({ tx }: Work, venue: string, epoch: number): Promise<boolean> {
	const next = await tx
		.selectFrom('epochs')
		.select('epoch')
		.where('venue_id', '=', venue)
		.where('epoch', '>', epoch)
		.limit(1)
		.executeTakeFirst();
	return next !== undefined;
}

async function remember({ db }: Database, venue: string, { through, log, ended }: PassedOn): Promise<void> {
	const news = { ...(through !== undefined && { sent: through }), ...log };
	if (Object.keys(news).length > 0) {
		await db.updateTable('upstream').set(news).where('venue_id', '=', venue).execute();
	}
	if (ended === undefined) return;
	await db.updateTable('epochs').set({ closed: 1 }).where('venue_id', '=', venue).where('epoch', '=', ended).execute();
}

async function readBacklog({ tx }: Work, venue: string): Promise<Backlog> {
	const up = await tx.selectFrom('upstream').selectAll().where('venue_id', '=', venue).executeTakeFirst();
	if (up === undefined) return { segments: 0, entries: 0, devices: [] };
	// By an expression, so that no planner goes through the whole key to have the devices in order.
	const { rows: segments } = await sql<{ device: string; count: number }>`
		SELECT device || '' AS device, count(*) AS count FROM segments
		WHERE venue_id = ${venue} AND ${partial.arrived} AND arrival > ${up.sent} AND via IS NULL GROUP BY 1`.execute(tx);
	const entries = await sql<{ count: number }>`
		SELECT count(*) AS count FROM epochs e JOIN heads h ON h.venue_id = e.venue_id AND h.self = e.server
		JOIN admission_log l ON l.venue_id = e.venue_id AND l.epoch = e.epoch
			AND l.n > CASE WHEN e.epoch = ${up.epoch} THEN CAST(${up.admissions} AS BIGINT) ELSE 0 END
		WHERE e.venue_id = ${venue} AND e.closed = 0`.execute(tx);
	return {
		segments: segments.reduce((sum, { count }) => sum + Number(count), 0),
		entries: Number(entries.rows[0]?.count ?? 0),
		devices: segments.map(({ device }) => device),
	};
}

/** A hub that has no state yet remembers its contacts too. */
async function addContact({ tx }: Work, venue: string, contact: string): Promise<readonly string[]> {
	const row = await tx.selectFrom('upstream').select('contacts').where('venue_id', '=', venue).executeTakeFirst();
	const before = row === undefined ? [] : (JSON.parse(row.contacts) as string[]);
	if (before.includes(contact)) return before;
	const contacts = [...before, contact].slice(-hubContactsMax);
	const fresh = { sent: 0, received: 0, all_through: 0, epoch: 0, admissions: 0 };
	const kept = { contacts: JSON.stringify(contacts) };
	await tx
		.insertInto('upstream')
		.values({ venue_id: venue, ...fresh, ...kept })
		.onConflict((conflict) => conflict.column('venue_id').doUpdateSet(kept))
		.execute();
	return contacts;
}
