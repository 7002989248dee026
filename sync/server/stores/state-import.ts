import { sql } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Replication } from '../replication.ts';
import type { VenueSegment } from '../store.ts';
import { type Column, columns, type Database, names, transact, type Work } from './dialect.ts';
import { putEpoch } from './epochs.ts';
import { ingest } from './ingest.ts';
import { hashOf } from './journal-heads.ts';
import { recountHeld } from './people.ts';
import { partial, type Tables } from './schema.ts';
import type { StateLine, StateTable } from './state-export.ts';

/** The part of a hub's store that begins with what its centre counts. */
export function stateImportMethods(database: Database): Pick<Replication, 'importState'> {
	return { importState: (state) => transact(database, (work) => importState(work, state)) };
}

/** What a state replaces. Cases are judged at the centre; a hub opens those of its own time for its devices. */
const replaced = [
	...['epochs', 'events', 'counted', 'rights', 'redemptions', 'revoked_pages', 'control_log'],
	...['admission_log', 'segments', 'branches', 'cases', 'case_redemptions', 'people', 'held_uses'],
] as readonly (keyof Tables)[];

type ImportedState = Parameters<Replication['importState']>[0];

async function importState(work: Work, state: ImportedState): Promise<boolean> {
	const { venue } = state;
	if (await grantsSince(work, state)) return false;
	const unsent = await readUnsent(work, venue, state.atMs);
	for (const table of replaced) {
		await sql`DELETE FROM ${sql.ref(table)} WHERE venue_id = ${venue}`.execute(work.tx);
	}
	// A device that was enrolled since the state was read stays; how far the others are is said anew.
	await work.tx
		.updateTable('devices')
		.set({ device_epoch: null, accepted_through: 0, head_hash: null })
		.where('venue_id', '=', venue)
		.execute();
	let last: StateLine | undefined;
	for (const text of state.lines) {
		last = lineOf(text);
		if (last.kind === 'head') await putHead(work, state, last);
		else if (last.kind !== 'done') await putRows(work, venue, last);
	}
	// A journal of which nothing is counted begins anew here.
	await work.tx
		.updateTable('devices')
		.set({ device_epoch: null })
		.where('venue_id', '=', venue)
		.where('accepted_through', '=', 0)
		.execute();
	if (last?.kind !== 'done') throw new StilewardError('server_answer_invalid', 'the state of the centre broke off');
	await work.tx
		.updateTable('epochs')
		.set({ closed: 1 })
		.where('venue_id', '=', venue)
		.where('ended', 'is not', null)
		.execute();
	// Each after the one before it, as they came.
	await recountHeld(work, venue);
	for (const segment of unsent) await ingest(work, [segment]);
	return true;
}

/**
 * Whether this store has begun to grant in the epoch that the state was read in, or in a later one: then the state
 * knows nothing of its grants, and would have them granted again.
 */
async function grantsSince({ tx, dialect }: Work, { venue, lines }: ImportedState): Promise<boolean> {
	const { rows } = await sql<{ epoch: number; grants: number; behind: number }>`
		SELECT epoch, grants, behind FROM heads WHERE venue_id = ${venue} ${dialect.forUpdate}`.execute(tx);
	const [own] = rows;
	if (own === undefined || own.grants === 0 || own.behind !== 0) return false;
	for (const text of lines) {
		const line = lineOf(text);
		if (line.kind === 'head') return line.epoch <= own.epoch;
	}
	return true;
}

/** The centre's own lines, over a connection that is pinned to it: they are whole or broken off. */
function lineOf(text: string): StateLine {
	try {
		return JSON.parse(text) as StateLine;
	} catch (cause) {
		throw new StilewardError('server_answer_invalid', 'a line of the state is damaged', { cause });
	}
}

/** What devices brought and the centre does not have yet. */
async function readUnsent({ tx }: Work, venue: string, atMs: number): Promise<readonly VenueSegment[]> {
	const up = await tx.selectFrom('upstream').select('sent').where('venue_id', '=', venue).executeTakeFirst();
	const rows = await tx
		.selectFrom('segments')
		.select(['device', 'device_epoch', 'from_seq', 'hashes', 'to_seq', 'jws'])
		.where('venue_id', '=', venue)
		.where(partial.arrived)
		.where('arrival', '>', up?.sent ?? 0)
		.where('via', 'is', null)
		.orderBy('arrival')
		.execute();
	return rows.map(({ device, device_epoch: deviceEpoch, from_seq, hashes, to_seq, jws }) => {
		// The signature was checked before it was kept.
		const payload = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
		const { from, to, prevHash, rows: texts } = payload as Pick<VenueSegment, 'from' | 'to' | 'prevHash' | 'rows'>;
		const lastHash = hashOf(hashes, to_seq - from_seq);
		return { venue, device, deviceEpoch, from, to, prevHash, lastHash, rows: texts, jws, atMs };
	});
}

async function putHead(
	{ tx }: Work,
	{ venue, self, atMs }: ImportedState,
	head: StateLine & { readonly kind: 'head' },
): Promise<void> {
	const { epoch, authority, control, admissions, arrival, all, name, manifest } = head;
	const about = { name, manifest };
	await tx
		.insertInto('venues')
		.values({ venue_id: venue, created_ms: atMs, ...about })
		.onConflict((conflict) => conflict.column('venue_id').doUpdateSet(about))
		.execute();
	const logs = { epoch, authority, control, admissions, control_from: control, admissions_from: admissions };
	const state = { self, grants: 0, behind: 0, role: 2 };
	await tx
		.insertInto('heads')
		.values({ venue_id: venue, arrivals: 0, ...logs, ...state })
		.onConflict((conflict) => conflict.column('venue_id').doUpdateSet({ ...logs, ...state }))
		.execute();
	const up = { received: arrival, all_through: all };
	await tx
		.insertInto('upstream')
		.values({ venue_id: venue, ...up, sent: 0, epoch: 0, admissions: 0, contacts: '[]' })
		.onConflict((conflict) => conflict.column('venue_id').doUpdateSet(up))
		.execute();
}

type Rows = readonly (readonly (string | number | null)[])[];

const tableColumns: Readonly<Record<'events' | 'devices' | 'rights' | 'redemptions' | 'people', readonly Column[]>> = {
	events: columns('evt', 'policy'),
	devices: columns('device', 'name', 'jwk', 'status', 'device_epoch', 'enrolled_ms:bigint', 'last_seen_ms:bigint'),
	rights: columns(
		...['evt', 'idx:bigint', 'allowance', 'use:bigint', 'used:bigint', 'held:bigint', 'taken:bigint'],
		...['last_lane', 'last_ms:bigint'],
	),
	redemptions: columns(
		...['device', 'redemption', 'evt', 'idx:bigint', 'allowance', 'uses:bigint', 'reentry:bigint', 'rung', 'lane'],
		...['at_ms:bigint', 'state', 'taken:bigint', 'returned:bigint', 'taken_epoch:bigint', 'taken_n:bigint'],
		'claim_journal',
	),
	people: columns('evt', 'quarter:bigint', 'entered:bigint', 'gone:bigint'),
};

async function putRows(work: Work, venue: string, line: { readonly kind: StateTable; readonly rows: Rows }) {
	const { kind, rows } = line;
	switch (kind) {
		case 'epochs':
			for (const [epoch, server, ended] of rows) {
				await putEpoch(work, venue, {
					...{ epoch: Number(epoch), server: String(server) },
					...(ended === null ? {} : { ended: Number(ended) }),
				});
			}
			return;
		case 'journals':
			return putJournals(work, venue, rows);
		case 'revoked':
			for (const [evt, page, bits] of rows) {
				const row = {
					venue_id: venue,
					evt: String(evt),
					page: Number(page),
					bits: Buffer.from(String(bits), 'base64'),
				};
				await work.tx.insertInto('revoked_pages').values(row).execute();
			}
			return;
		case 'devices':
			return putDeviceRows(work, venue, rows);
		default:
			return insert(work, kind, { venue, rows, list: tableColumns[kind] });
	}
}

const acceptedDevices = [...tableColumns.devices, ...columns('accepted_through:bigint')];

async function putDeviceRows({ tx, dialect }: Work, venue: string, rows: Rows): Promise<void> {
	const given = rows.map((row) => [...row, 0]);
	await sql`
		INSERT INTO devices (venue_id, ${names(acceptedDevices)})
		SELECT ${venue}, ${names(acceptedDevices)} FROM ${dialect.given(acceptedDevices, given)} WHERE true
		ON CONFLICT (venue_id, device) DO UPDATE SET name = excluded.name, jwk = excluded.jwk, status = excluded.status,
			device_epoch = excluded.device_epoch, enrolled_ms = excluded.enrolled_ms`.execute(tx);
}

async function insert(
	{ tx, dialect }: Work,
	table: Exclude<keyof typeof tableColumns, 'devices'>,
	{ venue, rows, list }: { readonly venue: string; readonly rows: Rows; readonly list: readonly Column[] },
): Promise<void> {
	await sql`
		INSERT INTO ${sql.table(table)} (venue_id, ${names(list)})
		SELECT ${venue}, ${names(list)} FROM ${dialect.given(list, rows)}`.execute(tx);
}

/**
 * The newest row of each journal stands for all before it: a segment that joins it follows, one that ends before it is
 * known. What it says is counted already.
 */
async function putJournals({ tx }: Work, venue: string, rows: Rows): Promise<void> {
	for (const row of rows) {
		const [device, device_epoch] = [String(row[0]), String(row[1])];
		const [through, hash] = [Number(row[2]), String(row[3])];
		const journal = { venue_id: venue, device, device_epoch };
		await tx
			.insertInto('segments')
			.values({
				...{ ...journal, from_seq: through, to_seq: through, hashes: Buffer.from(hash, 'base64url'), jws: '' },
				...{ at_ms: 0, arrival: 0, via: 'state', counted: 1 },
			})
			.execute();
		await tx
			.insertInto('counted')
			.values({ ...journal, through })
			.execute();
		await tx
			.updateTable('devices')
			.set({ accepted_through: through, head_hash: hash })
			.where('venue_id', '=', venue)
			.where('device', '=', device)
			.where('device_epoch', '=', device_epoch)
			.execute();
	}
}
