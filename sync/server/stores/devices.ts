import type { Selectable } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Device, Store } from '../store.ts';
import { type Database, transact, type Work } from './dialect.ts';
import { lockVenue } from './heads.ts';
import type { Tables } from './schema.ts';

type DeviceMethods = 'addEnrollmentCode' | 'enroll' | 'devices' | 'device' | 'deviceSeen' | 'setDeviceStatus';

/** The devices' part of a store. */
export function deviceMethods(database: Database): Pick<Store, DeviceMethods> {
	const { db } = database;
	const ofVenue = (venue: string) => db.selectFrom('devices').selectAll().where('venue_id', '=', venue);
	const change = (venue: string, device: string) =>
		db.updateTable('devices').where('venue_id', '=', venue).where('device', '=', device);
	return {
		addEnrollmentCode: async ({ venue, name, codeHash, expiresMs }) => {
			await db
				.insertInto('enrollment_codes')
				.values({ venue_id: venue, code_hash: codeHash, name, expires_ms: expiresMs, spent_ms: null })
				.execute();
		},
		enroll: (enrollment) => transact(database, (work) => enroll(work, enrollment)),
		devices: async (venue) => (await ofVenue(venue).orderBy('name').orderBy('device').execute()).map(deviceOf),
		device: async (venue, device) => {
			const row = await ofVenue(venue).where('device', '=', device).executeTakeFirst();
			return row && deviceOf(row);
		},
		deviceSeen: async ({ venue, device, atMs }) => {
			const older = change(venue, device).where((where) =>
				where.or([where('last_seen_ms', 'is', null), where('last_seen_ms', '<', atMs)]),
			);
			await older.set({ last_seen_ms: atMs }).execute();
		},
		setDeviceStatus: async ({ venue, device, status }) => {
			const changed = await change(venue, device).set({ status }).executeTakeFirst();
			if (changed.numUpdatedRows === 0n) throw new StilewardError('device_unknown', `${venue} has no such device`);
		},
	};
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
		.returning(['venue_id', 'name'])
		.executeTakeFirst();
	if (spent === undefined) return undefined;
	const { venue_id, name } = spent;
	await lockVenue(work, venue_id);
	const row = {
		...{ venue_id, device, name, jwk: JSON.stringify(jwk), status: 'active', enrolled_ms: atMs },
		...{ device_epoch: null, accepted_through: 0, head_hash: null, last_seen_ms: null },
	};
	// The same key again keeps its journal: what is here of it stays comparable.
	const kept = await work.tx
		.insertInto('devices')
		.values(row)
		.onConflict((conflict) =>
			conflict.columns(['venue_id', 'device']).doUpdateSet({ name, status: 'active', enrolled_ms: atMs }),
		)
		.returningAll()
		.executeTakeFirstOrThrow();
	return deviceOf(kept);
}

function deviceOf(row: Selectable<Tables['devices']>): Device {
	const { venue_id, device, name, jwk, status, device_epoch, accepted_through, enrolled_ms, last_seen_ms } = row;
	return {
		...{ venue: venue_id, device, name, jwk: JSON.parse(jwk) },
		// Written from a `Device['status']` alone.
		status: status as Device['status'],
		...(device_epoch === null ? {} : { deviceEpoch: device_epoch }),
		...{ acceptedThrough: accepted_through, enrolledMs: enrolled_ms },
		...(last_seen_ms === null ? {} : { lastSeenMs: last_seen_ms }),
	};
}
