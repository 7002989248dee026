import { type Selectable, sql } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { ControlChange } from '../../protocol/feed.ts';
import { batchMax, type Device, type Store } from '../store.ts';
import { columns, type Database, transact, type Work } from './dialect.ts';
import { groupCommit } from './group-commit.ts';
import { lockVenue, lockVenues, logControl } from './heads.ts';
import type { Tables } from './schema.ts';

type DeviceMethods = 'addEnrollmentCode' | 'enroll' | 'devices' | 'device' | 'reportDevice' | 'setDeviceStatus';

type DeviceRow = Selectable<Tables['devices']>;

/** The devices' part of a store. */
export function deviceMethods(database: Database): Pick<Store, DeviceMethods> {
	const { db, dialect } = database;
	const ofVenue = (venue: string) => db.selectFrom('devices').selectAll().where('venue_id', '=', venue);
	const reports = groupCommit({
		commit: (batch: readonly DeviceReport[]) => transact(database, (work) => saveReports(work, batch)),
		itemsMax: batchMax,
		writersMax: dialect.writersMax,
	});
	return {
		addEnrollmentCode: (code) => transact(database, (work) => addCode(work, code)),
		enroll: (enrollment) => transact(database, (work) => enroll(work, enrollment)),
		devices: async (venue) => (await ofVenue(venue).orderBy('name').orderBy('device').execute()).map(deviceOf),
		device: async (venue, device) => {
			const row = await ofVenue(venue).where('device', '=', device).executeTakeFirst();
			return row && deviceOf(row);
		},
		reportDevice: async (report) => {
			await reports([report]);
		},
		setDeviceStatus: (change) => transact(database, (work) => setStatus(work, change)),
	};
}

async function addCode(work: Work, code: Parameters<Store['addEnrollmentCode']>[0]): Promise<void> {
	const { venue, name, codeHash, expiresMs, replaces = false, hub = false } = code;
	await lockVenue(work, venue);
	if (!replaces && !hub && (await devicesNamed(work, venue, name)).length > 0) throw nameTaken(venue, name);
	const row = { venue_id: venue, code_hash: codeHash, name, expires_ms: expiresMs, spent_ms: null };
	await work.tx
		.insertInto('enrollment_codes')
		.values({ ...row, replaces: replaces ? 1 : 0, hub: hub ? 1 : 0 })
		.execute();
}

/** Spends a code. Of two that bring the same one, the database lets one through. */
async function enroll(
	work: Work,
	{ codeHash, jwk, device, atMs }: Parameters<Store['enroll']>[0],
): Promise<Device | undefined> {
	const spent = await work.tx
		.updateTable('enrollment_codes')
		.set({ spent_ms: atMs })
		.where('code_hash', '=', codeHash)
		.where('spent_ms', 'is', null)
		.where('expires_ms', '>', atMs)
		.where('hub', '=', 0)
		.returning(['venue_id', 'name', 'replaces'])
		.executeTakeFirst();
	if (spent === undefined) return undefined;
	const { venue_id, name, replaces } = spent;
	const { control, role } = await lockVenue(work, venue_id);
	const status = await makeRoom(work, { venue: venue_id, name, device, replaces: replaces === 1, atMs });
	const row = {
		...{ venue_id, device, name, jwk: JSON.stringify(jwk), status, enrolled_ms: atMs },
		...{ device_epoch: null, accepted_through: 0, head_hash: null, last_seen_ms: null },
		// It has admitted nobody yet, and it begins with a snapshot that is newer than this.
		...{ report: null, report_ms: null, synced_control: control },
	};
	// The same key again keeps its journal: what is here of it stays comparable.
	const kept = await work.tx
		.insertInto('devices')
		.values(row)
		.onConflict((conflict) => conflict.columns(['venue_id', 'device']).doUpdateSet({ status, enrolled_ms: atMs }))
		.returningAll()
		.executeTakeFirstOrThrow();
	// A hub learns of it from the control log, and so does a device that is not simply active.
	if (role === 'centre' || status !== 'active') {
		await logControl(work, { venue: venue_id, changes: [{ kind: 'device', device, status }], atMs });
	}
	return deviceOf(kept);
}

/**
 * Disables whoever has the name, where the code says so, and gives what the new device is. One that was disabled may be
 * at work without hearing of it, so whoever has a name after another is its `successor`; the same key again is the same
 * device. What is refused here spends no code.
 */
async function makeRoom(
	work: Work,
	{
		venue,
		name,
		device,
		replaces,
		atMs,
	}: { venue: string; name: string; device: string; replaces: boolean; atMs: number },
): Promise<Device['status']> {
	const known = await work.tx
		.selectFrom('devices')
		.select(['name', 'status'])
		.where('venue_id', '=', venue)
		.where('device', '=', device)
		.executeTakeFirst();
	if (known !== undefined && !(replaces && known.name === name)) {
		throw new StilewardError('key_enrolled', `the key is that of ${known.name}`);
	}
	const others = (await devicesNamed(work, venue, name)).filter((other) => other !== device);
	if (others.length > 0 && !replaces) throw nameTaken(venue, name);
	const changes: ControlChange[] = others.map((other) => ({ kind: 'device', device: other, status: 'disabled' }));
	if (known !== undefined && known.status !== 'active') changes.push({ kind: 'device', device, status: 'active' });
	for (const other of others) {
		await work.tx
			.updateTable('devices')
			.set({ status: 'disabled' })
			.where('venue_id', '=', venue)
			.where('device', '=', other)
			.execute();
	}
	await logControl(work, { venue, changes, atMs });
	return known === undefined && (await isNameUsed(work, venue, name)) ? 'successor' : 'active';
}

async function isNameUsed({ tx }: Work, venue: string, name: string): Promise<boolean> {
	const row = await tx
		.selectFrom('devices')
		.select('device')
		.where('venue_id', '=', venue)
		.where('name', '=', name)
		.executeTakeFirst();
	return row !== undefined;
}

async function devicesNamed({ tx }: Work, venue: string, name: string): Promise<readonly string[]> {
	const rows = await tx
		.selectFrom('devices')
		.select('device')
		.where('venue_id', '=', venue)
		.where('name', '=', name)
		.where('status', '!=', 'disabled')
		.execute();
	return rows.map(({ device }) => device);
}

function nameTaken(venue: string, name: string): StilewardError {
	return new StilewardError('name_taken', `${venue} has a device called ${name}`);
}

type DeviceReport = Parameters<Store['reportDevice']>[0];

const reportColumns = columns(
	...['venue_id', 'device', 'report', 'report_ms:bigint', 'synced:bigint', 'epoch', 'head:bigint'],
);

/**
 * Keeps the newest report of each device. Where all rows are here that it had written by then, so is all that it did before
 * it applied what its cursor says, because it reads the cursor first. A cursor of another epoch says nothing of the
 * control log of this one.
 */
async function saveReports(work: Work, batch: readonly DeviceReport[]): Promise<readonly undefined[]> {
	const heads = await lockVenues(
		work,
		batch.map(({ venue }) => venue),
	);
	const newest = new Map(batch.map((each) => [`${each.venue}/${each.device}`, each]));
	const rows = [...newest.values()].map(({ venue, device, report, atMs }) => {
		const { cursor, journal } = report;
		const isCurrent = journal !== undefined && cursor !== undefined && cursor.epoch === heads.get(venue)?.epoch;
		const place = isCurrent ? [cursor.control, journal.epoch, journal.head] : [0, null, 0];
		return [venue, device, JSON.stringify(report), atMs, ...place];
	});
	await sql`
		UPDATE devices SET report = given.report, report_ms = given.report_ms,
			last_seen_ms = CASE WHEN devices.last_seen_ms > given.report_ms THEN devices.last_seen_ms
				ELSE given.report_ms END,
			synced_control = CASE WHEN given.synced > devices.synced_control AND (given.head = 0
				OR (given.epoch = devices.device_epoch AND given.head <= devices.accepted_through))
				THEN given.synced ELSE devices.synced_control END
		FROM ${work.dialect.given(reportColumns, rows)}
		WHERE devices.venue_id = given.venue_id AND devices.device = given.device`.execute(work.tx);
	return batch.map(() => undefined);
}

async function setStatus(work: Work, change: Parameters<Store['setDeviceStatus']>[0]): Promise<void> {
	const { venue, device, status, atMs } = change;
	await lockVenue(work, venue);
	const changed = await work.tx
		.updateTable('devices')
		.set({ status })
		.where('venue_id', '=', venue)
		.where('device', '=', device)
		.returning('name')
		.executeTakeFirst();
	if (changed === undefined) throw new StilewardError('device_unknown', `${venue} has no such device`);
	const named = await devicesNamed(work, venue, changed.name);
	if (named.some((other) => other !== device) && status !== 'disabled') throw nameTaken(venue, changed.name);
	await logControl(work, { venue, changes: [{ kind: 'device', device, status }], atMs });
}

function deviceOf(row: DeviceRow): Device {
	const { venue_id, device, name, jwk, status, device_epoch, accepted_through, enrolled_ms, last_seen_ms } = row;
	const { report, report_ms, head_hash } = row;
	return {
		...{ venue: venue_id, device, name, jwk: JSON.parse(jwk) },
		// Written from a `Device['status']` alone.
		status: status as Device['status'],
		...(device_epoch === null ? {} : { deviceEpoch: device_epoch }),
		...(head_hash === null ? {} : { headHash: head_hash }),
		...{ acceptedThrough: accepted_through, enrolledMs: enrolled_ms },
		...(last_seen_ms === null ? {} : { lastSeenMs: last_seen_ms }),
		...(report === null || report_ms === null ? {} : { report: { ...JSON.parse(report), atMs: report_ms } }),
	};
}
