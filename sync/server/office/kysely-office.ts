import Database from 'better-sqlite3';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import { createPool } from '../stores/postgres-pool.ts';
import { staffBookOf } from './kysely-staff.ts';
import type { AuditRow, Office, Operator } from './office.ts';
import { type AuditTableRow, makeOfficeTables, type OfficeTables, type OperatorRow } from './office-tables.ts';

/** Connections to PostgreSQL: people are few. */
const connectionsMax = 2;

/**
 * Opens the office in an SQLite file of its own: a second connection to the store's file would wait for the store's
 * transactions on the one thread that has to end them.
 */
export async function openSqliteOffice(file: string): Promise<Office> {
	const database = new Database(file);
	for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'trusted_schema = OFF']) database.pragma(pragma);
	const db = new Kysely<OfficeTables>({ dialect: new SqliteDialect({ database }) });
	return openOffice(db, 'integer primary key autoincrement');
}

/** Opens the office in a PostgreSQL database, beside the store's tables. */
export async function openPostgresOffice(url: string): Promise<Office> {
	const pool = createPool({ connectionString: url, max: connectionsMax });
	const db = new Kysely<OfficeTables>({ dialect: new PostgresDialect({ pool }) });
	return openOffice(db, 'bigserial primary key');
}

async function openOffice(db: Kysely<OfficeTables>, numbered: string): Promise<Office> {
	await makeOfficeTables(db, numbered);
	return {
		...operatorsOf(db),
		...sessionsOf(db),
		...staffBookOf(db),
		addAudit: async ({ venue, atMs, ...row }) => {
			await db
				.insertInto('office_audit')
				.values({ venue_id: venue, at_ms: atMs, ...row })
				.execute();
		},
		audit: async (venue, limit) => {
			const rows = await db
				.selectFrom('office_audit')
				.selectAll()
				.where('venue_id', '=', venue)
				.orderBy('n', 'desc')
				.limit(limit)
				.execute();
			return rows.map(auditRow);
		},
		close: () => db.destroy(),
	};
}

function operatorsOf(db: Kysely<OfficeTables>): Pick<Office, 'putOperator' | 'operator'> {
	return {
		putOperator: ({ venue, name, role, passwordHash }) =>
			db.transaction().execute(async (trx) => {
				const row = { venue_id: venue, name, role, password_hash: passwordHash };
				await trx
					.insertInto('office_operator')
					.values(row)
					.onConflict((on) => on.columns(['venue_id', 'name']).doUpdateSet({ role, password_hash: passwordHash }))
					.execute();
				const sessions = trx.deleteFrom('office_session').where('venue_id', '=', venue);
				await sessions.where('operator', '=', name).execute();
			}),
		operator: async (venue, name) => {
			const rows = db.selectFrom('office_operator').selectAll().where('venue_id', '=', venue);
			const row = await rows.where('name', '=', name).executeTakeFirst();
			return row && operatorOf(row);
		},
	};
}

function sessionsOf(db: Kysely<OfficeTables>): Pick<Office, 'addSession' | 'sessionOperator' | 'endSession'> {
	return {
		addSession: async ({ tokenHash, venue, operator, expiresMs }, nowMs) => {
			await db.deleteFrom('office_session').where('expires_ms', '<=', nowMs).execute();
			await db
				.insertInto('office_session')
				.values({ token_hash: tokenHash, venue_id: venue, operator, expires_ms: expiresMs })
				.execute();
		},
		sessionOperator: async (tokenHash, nowMs) => {
			const row = await db
				.selectFrom('office_session as s')
				.innerJoin('office_operator as o', (join) =>
					join.onRef('o.venue_id', '=', 's.venue_id').onRef('o.name', '=', 's.operator'),
				)
				.select(['o.venue_id', 'o.name', 'o.role', 'o.password_hash'])
				.where('s.token_hash', '=', tokenHash)
				.where('s.expires_ms', '>', nowMs)
				.executeTakeFirst();
			return row && operatorOf(row);
		},
		endSession: async (tokenHash) => {
			await db.deleteFrom('office_session').where('token_hash', '=', tokenHash).execute();
		},
	};
}

function operatorOf(row: OperatorRow): Operator {
	return { venue: row.venue_id, name: row.name, role: row.role, passwordHash: row.password_hash };
}

function auditRow({ venue_id, at_ms, operator, act, subject, request }: Omit<AuditTableRow, 'n'>): AuditRow {
	// PostgreSQL gives a bigint as text.
	return { venue: venue_id, atMs: Number(at_ms), operator, act, subject, request };
}
