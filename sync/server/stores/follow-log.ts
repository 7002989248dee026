import { sql } from 'kysely';
import { Check } from 'typebox/value';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { type AdmissionChange, admissionChangeSchema } from '../../protocol/feed.ts';
import type { HubLogAnswer } from '../../protocol/hub.ts';
import type { Replication } from '../replication.ts';
import { noRow } from './admissions.ts';
import { columns, type Database, names, transact, type Work } from './dialect.ts';
import { type LockedHead, lockVenue } from './heads.ts';
import { type Change, factOf, openFold, type Row, type RowsFold, writeFold } from './ingest.ts';
import { type KeptSegment, noteCounted, rowsOfSegment } from './pending.ts';
import { redemptionText } from './redemptions-table.ts';

/** An entry of another authority's log: its text as it stands in it, and what it says. */
interface Entry {
	readonly n: number;
	readonly text: string;
	readonly change: AdmissionChange;
}

/** The part of a store that follows another authority's log. */
export function followLogMethods(database: Database): Pick<Replication, 'storeAdmissions'> {
	return {
		storeAdmissions: ({ venue, epoch, entries }) =>
			transact(database, async (work) => {
				const head = await lockVenue(work, venue);
				return storeAdmissions(work, { venue, head, epoch, entries });
			}),
	};
}

/**
 * Stores entries with their numbers and counts the rows that they name, each once and in this order. What an entry says
 * of the counts is its authority's; what this store counts comes from the signed rows alone. Open claims that this
 * store does not know are the only difference.
 */
export async function storeAdmissions(
	work: Work,
	log: {
		readonly venue: string;
		readonly head: LockedHead;
		readonly epoch: number;
		readonly entries: readonly { readonly n: number; readonly change: string }[];
	},
): Promise<HubLogAnswer> {
	const { venue, head, epoch } = log;
	const over = await endOf(work, venue, epoch);
	if (epoch !== head.epoch || over.abandoned) {
		if (over.ended === undefined) return { kind: 'gap', admissions: 0 };
		return over.abandoned ? { kind: 'abandoned', admissions: over.ended } : { kind: 'stored', admissions: over.ended };
	}
	if (head.grants) throw new StilewardError('authority_lost', `${venue} grants itself in epoch ${epoch}`);
	const entries = log.entries.map(entryOf);
	const known = entries.filter(({ n }) => n <= head.admissions);
	if (!(await areSame(work, { venue, epoch, known }))) return { kind: 'forked' };
	const fresh = entries.slice(known.length);
	if (fresh.some(({ n }, index) => n !== head.admissions + 1 + index)) {
		return { kind: 'gap', admissions: head.admissions };
	}
	if (fresh.length === 0) return { kind: 'stored', admissions: head.admissions };
	const rows = await findRows(work, venue, fresh);
	if (rows === undefined) return { kind: 'rows_missing' };
	await countEntries(work, { venue, epoch, entries: fresh, rows });
	const admissions = head.admissions + fresh.length;
	await appendEntries(work, { venue, epoch, entries: fresh, admissions });
	return { kind: 'stored', admissions };
}

function entryOf({ n, change: text }: { readonly n: number; readonly change: string }): Entry {
	const change: unknown = JSON.parse(text);
	if (!Check(admissionChangeSchema, change)) {
		throw new StilewardError('store_failed', `entry ${n} is none of an admissions log`);
	}
	return { n, text, change };
}

async function endOf(
	{ tx }: Work,
	venue: string,
	epoch: number,
): Promise<{ readonly ended: number | undefined; readonly abandoned: boolean }> {
	const row = await tx
		.selectFrom('epochs')
		.select(['ended', 'abandoned'])
		.where('venue_id', '=', venue)
		.where('epoch', '=', epoch)
		.executeTakeFirst();
	return { ended: row?.ended ?? undefined, abandoned: row?.abandoned === 1 };
}

/** A log that was sent again must say the same; one from before this store began is not here to be compared. */
async function areSame(
	{ tx }: Work,
	{ venue, epoch, known }: { readonly venue: string; readonly epoch: number; readonly known: readonly Entry[] },
): Promise<boolean> {
	const [first, last] = [known.at(0), known.at(-1)];
	if (first === undefined || last === undefined) return true;
	const rows = await tx
		.selectFrom('admission_log')
		.select(['n', 'change'])
		.where('venue_id', '=', venue)
		.where('epoch', '=', epoch)
		.where('n', '>=', first.n)
		.where('n', '<=', last.n)
		.execute();
	const kept = new Map(rows.map(({ n, change }) => [n, change]));
	return known.every(({ n, text }) => (kept.get(n) ?? text) === text);
}

function rowText(row: Pick<AdmissionChange, 'device' | 'deviceEpoch' | 'seq' | 'redemption'>): string {
	const { device, deviceEpoch, seq, redemption } = row;
	return `${device}/${deviceEpoch}/${seq}/${redemption}`;
}

/** Finds the rows that entries name, also on branches; undefined where one of them is not here. */
async function findRows(
	work: Work,
	venue: string,
	entries: readonly Entry[],
): Promise<ReadonlyMap<string, Row> | undefined> {
	const found = new Map<string, Row>();
	const wanted = entries.map(({ change }) => change).filter(({ seq }) => seq !== noRow.seq);
	const take = (segments: readonly KeptSegment[]) => {
		for (const segment of segments) {
			const { device, device_epoch: deviceEpoch, from_seq } = segment;
			for (const [index, text] of rowsOfSegment(segment).entries()) {
				const row = factOf({ venue, device, deviceEpoch }, from_seq + index, text);
				if (row === undefined) continue;
				found.set(rowText({ ...row.key, ...row.row }), row);
			}
		}
	};
	const missing = () => wanted.filter((change) => !found.has(rowText(change)));
	take(await segmentsWith(work, venue, wanted));
	// A device with a copied key may have brought another text of this row here than to its authority.
	if (missing().length > 0) take(await branchesWith(work, venue, missing()));
	return missing().length === 0 ? found : undefined;
}

const spanColumns = columns('device', 'device_epoch', 'first:bigint', 'last:bigint');

/** From which to which row of each journal. Each kept text is then read once, however many of its rows are wanted. */
function spansOf(wanted: readonly AdmissionChange[]) {
	const journals = Map.groupBy(wanted, ({ device, deviceEpoch }) => `${device}/${deviceEpoch}`);
	return [...journals.values()].map((list) => {
		const seqs = list.map(({ seq }) => seq);
		const { device = '', deviceEpoch = '' } = list[0] ?? {};
		return [device, deviceEpoch, Math.min(...seqs), Math.max(...seqs)];
	});
}

/** Segments of a journal do not overlap: the last one that begins at or before a row is the first that can hold it. */
async function segmentsWith(
	{ tx, dialect }: Work,
	venue: string,
	wanted: readonly AdmissionChange[],
): Promise<readonly KeptSegment[]> {
	if (wanted.length === 0) return [];
	const { rows } = await sql<KeptSegment>`
		SELECT s.device, s.device_epoch, s.from_seq, s.to_seq, s.jws
		FROM ${dialect.given(spanColumns, spansOf(wanted))} JOIN segments s ON s.venue_id = ${venue}
			AND s.device = given.device AND s.device_epoch = given.device_epoch
			AND s.from_seq <= given.last AND s.from_seq >= coalesce((SELECT max(f.from_seq) FROM segments f
				WHERE f.venue_id = ${venue} AND f.device = given.device AND f.device_epoch = given.device_epoch
					AND f.from_seq <= given.first), given.first)
		WHERE s.jws <> ''`.execute(tx);
	return rows;
}

async function branchesWith(
	{ tx, dialect }: Work,
	venue: string,
	wanted: readonly AdmissionChange[],
): Promise<readonly KeptSegment[]> {
	const { rows } = await sql<Omit<KeptSegment, 'to_seq'>>`
		SELECT b.device, b.device_epoch, b.from_seq, b.jws
		FROM ${dialect.given(spanColumns, spansOf(wanted))} JOIN branches b ON b.venue_id = ${venue}
			AND b.device = given.device AND b.device_epoch = given.device_epoch AND b.from_seq <= given.last`.execute(tx);
	return rows.map((row) => ({ ...row, to_seq: toOf(row.jws) }));
}

/** A branch is kept whole, as it was signed. */
function toOf(jws: string): number {
	return (JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as { to: number }).to;
}

async function countEntries(
	work: Work,
	log: {
		readonly venue: string;
		readonly epoch: number;
		readonly entries: readonly Entry[];
		readonly rows: ReadonlyMap<string, Row>;
	},
): Promise<void> {
	const { venue, epoch, entries, rows } = log;
	const released = entries.filter(({ change }) => change.seq === noRow.seq).map(({ change }) => change);
	const { fold, rights } = await openFold(work, [...rows.values()], keysOf(venue, released));
	const logged: { change: Change; entry: { epoch: number; n: number } }[] = [];
	for (const [at, { n, change }] of entries.entries()) {
		// A row that gave one thing back and took another has two entries; the row is counted with its last one.
		const next = entries[at + 1]?.change;
		if (next !== undefined && change.seq !== noRow.seq && isSameRow(change, next)) continue;
		const before = fold.changes.length;
		countEntry(fold, venue, { change, row: rows.get(rowText(change)) });
		for (const each of fold.changes.slice(before)) logged.push({ change: each, entry: { epoch, n } });
	}
	await writeFold(work, fold, logged);
	await rights.save();
	await noteCounted(work, venue, journalsOf(entries));
}

function keysOf(venue: string, changes: readonly AdmissionChange[]) {
	return changes.map(({ device, redemption }) => ({ venue, device, redemption }));
}

function isSameRow(a: AdmissionChange, b: AdmissionChange): boolean {
	return a.device === b.device && a.deviceEpoch === b.deviceEpoch && a.seq === b.seq;
}

function countEntry(
	fold: RowsFold,
	venue: string,
	{ change, row }: { readonly change: AdmissionChange; readonly row: Row | undefined },
): void {
	if (row !== undefined) {
		fold.apply(row);
		return;
	}
	// Staff gave a claim back, or the device began a new journal and nobody knows how its grant ended.
	const text = redemptionText({ venue, device: change.device, redemption: change.redemption });
	fold.release(text, change.atMs);
	fold.assume(text, change.atMs);
}

/** Rows of a journal are counted in their order: an entry says that everything before its row is counted too. */
function journalsOf(entries: readonly Entry[]) {
	const through = new Map<string, { device: string; deviceEpoch: string; through: number }>();
	for (const { change } of entries) {
		const { device, deviceEpoch, seq } = change;
		if (seq !== noRow.seq) through.set(`${device}/${deviceEpoch}`, { device, deviceEpoch, through: seq });
	}
	return [...through.values()];
}

const logColumns = columns('venue_id', 'epoch:bigint', 'n:bigint', 'change');

async function appendEntries(
	{ tx, dialect }: Work,
	log: {
		readonly venue: string;
		readonly epoch: number;
		readonly entries: readonly Entry[];
		readonly admissions: number;
	},
): Promise<void> {
	const { venue, epoch, entries, admissions } = log;
	const rows = entries.map(({ n, text }) => [venue, epoch, n, text]);
	await sql`
		INSERT INTO admission_log (${names(logColumns)})
		SELECT ${names(logColumns)} FROM ${dialect.given(logColumns, rows)}`.execute(tx);
	await tx.updateTable('heads').set({ admissions }).where('venue_id', '=', venue).execute();
}
