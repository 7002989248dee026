import Database from 'better-sqlite3';
import { type Generated, Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely';
import { createPool } from '../stores/postgres-pool.ts';
import type { AuditRow, Office, Operator } from './office.ts';

/** Connections to PostgreSQL: people are few. */
const connectionsMax = 2;

interface OperatorRow {
	venue_id: string;
	name: string;
	role: Operator['role'];
	password_hash: string;
}

interface SessionRow {
	token_hash: string;
	venue_id: string;
	operator: string;
	expires_ms: number;
}

interface AuditTableRow {
	venue_id: string;
	n: Generated<number>;
	at_ms: number;
	operator: string;
	act: string;
	subject: string;
	request: string;
}

interface Tables {
	office_operator: OperatorRow;
	office_session: SessionRow;
	office_audit: AuditTableRow;
}

/**
 * Opens the office in an SQLite file of its own: a second connection to the store's file would wait for the store's
 * transactions on the one thread that has to end them.
 */
export async function openSqliteOffice(file: string): Promise<Office> {
	const database = new Database(file);
	for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'trusted_schema = OFF']) database.pragma(pragma);
	const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
	return openOffice(db, 'integer primary key autoincrement');
}

/** Opens the office in a PostgreSQL database, beside the store's tables. */
export async function openPostgresOffice(url: string): Promise<Office> {
	const pool = createPool({ connectionString: url, max: connectionsMax });
	const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
	return openOffice(db, 'bigserial primary key');
}

async function openOffice(db: Kysely<Tables>, numbered: string): Promise<Office> {
	await makeTables(db, numbered);
	return {
		...operatorsOf(db),
		...sessionsOf(db),
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

function operatorsOf(db: Kysely<Tables>): Pick<Office, 'putOperator' | 'operator'> {
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

function sessionsOf(db: Kysely<Tables>): Pick<Office, 'addSession' | 'sessionOperator' | 'endSession'> {
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

async function makeTables(db: Kysely<Tables>, numbered: string): Promise<void> {
	await db.schema
		.createTable('office_operator')
		.ifNotExists()
		.addColumn('venue_id', 'text', (column) => column.notNull())
		.addColumn('name', 'text', (column) => column.notNull())
		.addColumn('role', 'text', (column) => column.notNull())
		.addColumn('password_hash', 'text', (column) => column.notNull())
		.addPrimaryKeyConstraint('office_operator_key', ['venue_id', 'name'])
		.execute();
	await db.schema
		.createTable('office_session')
		.ifNotExists()
		.addColumn('token_hash', 'text', (column) => column.primaryKey())
		.addColumn('venue_id', 'text', (column) => column.notNull())
		.addColumn('operator', 'text', (column) => column.notNull())
		.addColumn('expires_ms', 'bigint', (column) => column.notNull())
		.execute();
	await sql`create table if not exists office_audit (n ${sql.raw(numbered)}, venue_id text not null,
		at_ms bigint not null, operator text not null, act text not null, subject text not null,
		request text not null)`.execute(db);
}

function operatorOf(row: OperatorRow): Operator {
	return { venue: row.venue_id, name: row.name, role: row.role, passwordHash: row.password_hash };
}

function auditRow({ venue_id, at_ms, operator, act, subject, request }: Omit<AuditTableRow, 'n'>): AuditRow {
	// PostgreSQL gives a bigint as text.
	return { venue: venue_id, atMs: Number(at_ms), operator, act, subject, request };
}
