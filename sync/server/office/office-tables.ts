import type { Generated, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Operator } from './office.ts';
import type { StaffMember } from './staff-book.ts';

/** An operator as a row. */
export interface OperatorRow {
	venue_id: string;
	name: string;
	role: Operator['role'];
	password_hash: string;
}

/** A row of the audit. */
export interface AuditTableRow {
	venue_id: string;
	n: Generated<number>;
	at_ms: number;
	operator: string;
	act: string;
	subject: string;
	request: string;
}

/** Somebody of the staff as a row. */
export interface StaffRow {
	venue_id: string;
	name: string;
	role: StaffMember['role'];
	pin_hash: string;
	pin_version: number;
	status: StaffMember['status'];
}

/** The tables of an office, as the queries see them. */
export interface OfficeTables {
	office_operator: OperatorRow;
	office_session: { token_hash: string; venue_id: string; operator: string; expires_ms: number };
	office_audit: AuditTableRow;
	office_staff: StaffRow;
	office_staff_session: { token_hash: string; venue_id: string; name: string; device: string; expires_ms: number };
}

/** Makes the tables that are not there. `numbered` is the type of a column that counts by itself. */
export async function makeOfficeTables(db: Kysely<OfficeTables>, numbered: string): Promise<void> {
	const statements = [
		`office_operator (venue_id text not null, name text not null, role text not null, password_hash text not null,
			constraint office_operator_key primary key (venue_id, name))`,
		`office_session (token_hash text primary key, venue_id text not null, operator text not null,
			expires_ms bigint not null)`,
		`office_audit (n ${numbered}, venue_id text not null, at_ms bigint not null, operator text not null,
			act text not null, subject text not null, request text not null)`,
		`office_staff (venue_id text not null, name text not null, role text not null, pin_hash text not null,
			pin_version bigint not null, status text not null, primary key (venue_id, name))`,
		`office_staff_session (token_hash text primary key, venue_id text not null, name text not null,
			device text not null, expires_ms bigint not null)`,
	];
	for (const statement of statements) await sql.raw(`create table if not exists ${statement}`).execute(db);
}
