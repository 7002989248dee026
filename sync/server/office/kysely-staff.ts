import type { Kysely, Transaction } from 'kysely';
import type { OfficeTables, StaffRow } from './office-tables.ts';
import type { StaffBook, StaffKey, StaffMember } from './staff-book.ts';

/** The staff's part of an office. */
export function staffBookOf(db: Kysely<OfficeTables>): StaffBook {
	return { ...peopleOf(db), ...sessionsOf(db) };
}

function peopleOf(db: Kysely<OfficeTables>): Omit<StaffBook, 'addStaffSession' | 'staffSession'> {
	const ofVenue = (venue: string) => db.selectFrom('office_staff').selectAll().where('venue_id', '=', venue);
	return {
		addStaff: async ({ venue, name, role, pinHash }) => {
			const row = { venue_id: venue, name, role, pin_hash: pinHash, pin_version: 1, status: 'active' as const };
			const kept = db.insertInto('office_staff').values(row);
			const added = await kept
				.onConflict((on) => on.columns(['venue_id', 'name']).doNothing())
				.returning('name')
				.executeTakeFirst();
			return added !== undefined;
		},
		setStaffPin: (key, pinHash) =>
			db.transaction().execute(async (trx) => {
				const changed = await trx
					.updateTable('office_staff')
					.set((is) => ({ pin_hash: pinHash, pin_version: is('pin_version', '+', 1) }))
					.where('venue_id', '=', key.venue)
					.where('name', '=', key.name)
					.returning('pin_version')
					.executeTakeFirst();
				await endSessions(trx, key);
				return changed && Number(changed.pin_version);
			}),
		setStaffStatus: (key, status) =>
			db.transaction().execute(async (trx) => {
				const changed = await trx
					.updateTable('office_staff')
					.set({ status })
					.where('venue_id', '=', key.venue)
					.where('name', '=', key.name)
					.returning('name')
					.executeTakeFirst();
				await endSessions(trx, key);
				return changed !== undefined;
			}),
		staff: async (venue) => (await ofVenue(venue).orderBy('name').execute()).map(memberOf),
		staffMember: async ({ venue, name }) => {
			const row = await ofVenue(venue).where('name', '=', name).executeTakeFirst();
			return row && memberOf(row);
		},
	};
}

function sessionsOf(db: Kysely<OfficeTables>): Pick<StaffBook, 'addStaffSession' | 'staffSession'> {
	return {
		addStaffSession: ({ tokenHash, venue, name, device, expiresMs }, pinVersion, nowMs) =>
			db.transaction().execute(async (trx) => {
				await trx.deleteFrom('office_staff_session').where('expires_ms', '<=', nowMs).execute();
				// Written, and not only read: a new PIN at the same moment comes before this or ends the session after it.
				const asked = await trx
					.updateTable('office_staff')
					.set({ pin_version: pinVersion })
					.where('venue_id', '=', venue)
					.where('name', '=', name)
					.where('status', '=', 'active')
					.where('pin_version', '=', pinVersion)
					.returning('name')
					.executeTakeFirst();
				if (asked === undefined) return false;
				const row = { token_hash: tokenHash, venue_id: venue, name, device, expires_ms: expiresMs };
				await trx.insertInto('office_staff_session').values(row).execute();
				return true;
			}),
		staffSession: async ({ tokenHash, venue, device }, nowMs) => {
			const row = await db
				.selectFrom('office_staff_session as s')
				.innerJoin('office_staff as p', (join) =>
					join.onRef('p.venue_id', '=', 's.venue_id').onRef('p.name', '=', 's.name'),
				)
				.selectAll('p')
				.select('s.expires_ms')
				.where('s.token_hash', '=', tokenHash)
				.where('s.venue_id', '=', venue)
				.where('s.device', '=', device)
				.where('s.expires_ms', '>', nowMs)
				.where('p.status', '=', 'active')
				.executeTakeFirst();
			return row && { member: memberOf(row), expiresMs: Number(row.expires_ms) };
		},
	};
}

async function endSessions(trx: Transaction<OfficeTables>, { venue, name }: StaffKey): Promise<void> {
	await trx.deleteFrom('office_staff_session').where('venue_id', '=', venue).where('name', '=', name).execute();
}

function memberOf({ venue_id, name, role, pin_hash, pin_version, status }: StaffRow): StaffMember {
	// PostgreSQL gives a bigint as text.
	return { venue: venue_id, name, role, pinHash: pin_hash, pinVersion: Number(pin_version), status };
}
