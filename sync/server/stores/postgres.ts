import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { assert } from '../../../gate-agent/core/errors.ts';
import type { Store } from '../store.ts';
import type { Cell, Dialect } from './dialect.ts';
import { pipelined } from './postgres-connection.ts';
import { createPool } from './postgres-pool.ts';
import { migrate, type Tables } from './schema.ts';
import { createSqlStore, withoutDriverErrors } from './sql-store.ts';

/** Connections: a few transactions that write, and readers beside them. */
const connectionsMax = 12;

/** What every session begins with: a commit that was answered is on the disk, and no lock is waited for without end. */
const sessionOptions = [
	'synchronous_commit=on',
	'lock_timeout=10s',
	'statement_timeout=60s',
	'idle_in_transaction_session_timeout=60s',
	// Statements name the keys they want, and are planned once, often while the tables are still empty. A plan that reads
	// a whole table looks cheap then and would be kept while the table grows; one that follows the keys is right at any size.
	'plan_cache_mode=force_generic_plan',
	'enable_seqscan=off',
	'enable_hashjoin=off',
	'enable_mergejoin=off',
	'jit=off',
];

const eightByteInteger = 20;

const postgres: Dialect = {
	name: 'postgres',
	ddl: (text) => text.replaceAll('BLOB', 'BYTEA').replace(/ CLUSTERED$/, ''),
	given: (columns, rows) => {
		const lists = columns.map(({ type }, index) => {
			const list: Cell[] = rows.map((row) => row[index] ?? null);
			return sql`${list}::${sql.raw(type)}[]`;
		});
		const named = columns.map(({ name }) => sql.ref(name));
		return sql`unnest(${sql.join(lists)}) AS given (${sql.join(named)})`;
	},
	forUpdate: sql`FOR UPDATE`,
	lockSchema: async (tx) => {
		// Any constant number does; this one spells `SWST`.
		await sql`SELECT pg_advisory_xact_lock(${0x53_57_53_54})`.execute(tx);
	},
	writersMax: 4,
};

/** Opens the store in a PostgreSQL database, `postgres://…`. Throws `store_newer` and `store_failed`. */
export async function openPostgresStore(url: string): Promise<Store> {
	return withoutDriverErrors(async () => {
		const pool = createPool({
			connectionString: url,
			max: connectionsMax,
			pipeline: true,
			connectionTimeoutMillis: 10_000,
			options: sessionOptions.map((option) => `-c ${option}`).join(' '),
			types: { getTypeParser: parserOf },
		});
		const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: pipelined(pool) }) });
		try {
			await assertDurable(db);
			await migrate(db, postgres);
			return createSqlStore({ db, dialect: postgres });
		} catch (error) {
			await db.destroy();
			throw error;
		}
	});
}

/** Every count, number and time of the schema is below 2^53. */
function parserOf(oid: number, format?: 'text' | 'binary') {
	if (oid === eightByteInteger) return Number;
	return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
}

async function assertDurable(db: Kysely<Tables>): Promise<void> {
	const { rows } = await sql<{ fsync: string; commit: string }>`
		SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`.execute(db);
	assert(rows[0]?.fsync === 'on', 'PostgreSQL runs with fsync off: an acknowledged admission could be lost');
	assert(rows[0]?.commit === 'on', 'PostgreSQL must commit synchronously');
}
