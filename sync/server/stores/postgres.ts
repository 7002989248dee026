import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, sql } from 'kysely';
import pg from 'pg';
import { assert } from '../../../gate-agent/core/errors.ts';
import type { Store } from '../store.ts';
import type { Cell, Dialect } from './dialect.ts';
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

/** Statements that a connection keeps planned; texts vary only by how many venues and segments they name. */
const plansMax = 200;

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
			connectionTimeoutMillis: 10_000,
			options: sessionOptions.map((option) => `-c ${option}`).join(' '),
			types: { getTypeParser: parserOf },
		});
		const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: keepPlans(pool) }) });
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

/**
 * The same pool, except that a connection parses and plans a statement once and not at each use: with small batches
 * that costs more than all the rest.
 */
function keepPlans(pool: pg.Pool): PostgresPool {
	const names = new Map<string, string>();
	const nameOf = (text: string) => {
		const known = names.get(text);
		if (known !== undefined || names.size >= plansMax) return known;
		const name = `s${names.size}`;
		names.set(text, name);
		return name;
	};
	return {
		end: () => pool.end(),
		connect: async () => {
			const client = await pool.connect();
			const query = (text: string, values: readonly unknown[]) =>
				client.query({ name: nameOf(text), text, values: [...values] });
			// Kysely calls nothing but `query` with a text, and `release`; it asks for no cursor here.
			return { query, release: () => client.release() } as unknown as PostgresPoolClient;
		},
	};
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
