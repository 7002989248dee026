import { setImmediate as nextTurn } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import {
	type DatabaseConnection,
	Kysely,
	type Dialect as KyselyDialect,
	SqliteAdapter,
	type SqliteDatabase,
	SqliteDriver,
	SqliteIntrospector,
	SqliteQueryCompiler,
	type SqliteStatement,
	sql,
} from 'kysely';
import { assert } from '../../../gate-agent/core/errors.ts';
import type { Store } from '../store.ts';
import type { Dialect } from './dialect.ts';
import { tellPlanner } from './planner-facts.ts';
import { migrate, schemaVersion, type Tables } from './schema.ts';
import { createSqlStore, withoutDriverErrors } from './sql-store.ts';

/** SQLite below this can corrupt a database when a writer and a checkpoint meet (the WAL-reset bug). */
const sqliteVersionMin = '3.51.3';

/** How long a statement waits for another program's lock, e.g. a command on the server's own machine. */
const busyTimeoutMs = 5_000;

/**
 * Pragmas of the connection and the value that each must read back. `synchronous`: the library's default in WAL mode is
 * NORMAL, which loses acknowledged commits at a power cut. `mmap_size`: an I/O error on mapped memory ends the process.
 */
const pragmas: readonly (readonly [name: string, set: string, readBack: string | number])[] = [
	['journal_mode', 'WAL', 'wal'],
	['synchronous', 'FULL', 2],
	['trusted_schema', 'OFF', 0],
	['cell_size_check', 'ON', 1],
	['mmap_size', '0', 0],
	['temp_store', 'MEMORY', 2],
	['cache_size', '-64000', -64_000],
];

/** Pragmas that a database in memory has no value for. */
const ofFilesOnly: ReadonlySet<string> = new Set(['journal_mode', 'mmap_size']);

/** Statements that stay prepared; the store has fewer texts than this. */
const statementsMax = 200;

const sqlite: Dialect = {
	name: 'sqlite',
	ddl: (text) => {
		const typed = text.replaceAll('BIGINT', 'INTEGER');
		if (!typed.startsWith('CREATE TABLE')) return typed;
		return typed.endsWith('CLUSTERED') ? typed.replace(/CLUSTERED$/, 'STRICT, WITHOUT ROWID') : `${typed} STRICT`;
	},
	given: (columns, rows) => {
		const cells = columns.map(({ name }, index) => sql`value ->> ${sql.lit(index)} AS ${sql.ref(name)}`);
		return sql`(SELECT ${sql.join(cells)} FROM jsonb_each(${JSON.stringify(rows)})) AS given`;
	},
	forUpdate: sql``,
	writersMax: 1,
};

/**
 * Opens the store in a SQLite file, or makes it. One connection reads and writes, one transaction after the other.
 * Throws `store_newer` and `store_failed`.
 */
export async function openSqliteStore(path: string): Promise<Store> {
	return withoutDriverErrors(() => sqliteStoreOf(new Sqlite(path, { timeout: busyTimeoutMs })));
}

/** The store on an open database, which it closes. One in memory is for the simulator: it outlives no process. */
export async function sqliteStoreOf(file: Sqlite.Database): Promise<Store> {
	try {
		prepare(file);
		const db = new Kysely<Tables>({ dialect: writerDialect(file) });
		await migrate(db, sqlite);
		stampSchema(file);
		tellPlanner(file);
		return createSqlStore({ db, dialect: sqlite });
	} catch (error) {
		file.close();
		throw error;
	}
}

function prepare(file: Sqlite.Database): void {
	const version = String(file.prepare('SELECT sqlite_version()').pluck().get());
	const enough = version.localeCompare(sqliteVersionMin, 'en', { numeric: true }) >= 0;
	assert(enough, `SQLite ${version} is older than ${sqliteVersionMin}`);
	for (const [name, set, readBack] of pragmas) {
		file.pragma(`${name} = ${set}`);
		const found = file.pragma(name, { simple: true });
		if (file.memory && ofFilesOnly.has(name)) continue;
		assert(found === readBack, `SQLite pragma ${name} is ${found} and not ${readBack}`);
	}
}

/** In the header of the file, where an installer reads it without this program: it refuses an older one. */
function stampSchema(file: Sqlite.Database): void {
	if (file.pragma('user_version', { simple: true }) !== schemaVersion) file.pragma(`user_version = ${schemaVersion}`);
}

/** Kysely's own dialect, with a driver that takes the write lock first. */
function writerDialect(file: Sqlite.Database): KyselyDialect {
	return {
		createAdapter: () => new SqliteAdapter(),
		createDriver: () => new WriterDriver(file),
		createIntrospector: (db) => new SqliteIntrospector(db),
		createQueryCompiler: () => new SqliteQueryCompiler(),
	};
}

class WriterDriver extends SqliteDriver {
	readonly #file: Sqlite.Database;

	constructor(file: Sqlite.Database) {
		super({ database: keepStatements(file) });
		this.#file = file;
	}

	/**
	 * Lets the event loop turn before each use. SQLite answers synchronously, and a chain of promises that never waits
	 * would keep timers and sockets from their turn for as long as there is work.
	 */
	override async acquireConnection(): Promise<DatabaseConnection> {
		await nextTurn();
		return super.acquireConnection();
	}

	/** Takes the write lock first: a transaction that reads before it writes could find the file changed in between. */
	override async beginTransaction(_connection: DatabaseConnection): Promise<void> {
		this.#file.exec('BEGIN IMMEDIATE');
	}

	/** SQLite itself has rolled back where the disk is full or failed. */
	override async rollbackTransaction(_connection: DatabaseConnection): Promise<void> {
		if (this.#file.inTransaction) this.#file.exec('ROLLBACK');
	}
}

/** The same database, except that a statement is prepared once and not at each use. */
function keepStatements(file: Sqlite.Database): SqliteDatabase {
	const prepared = new Map<string, SqliteStatement>();
	return {
		close: () => void file.close(),
		prepare: (text) => {
			const kept = prepared.get(text);
			if (kept !== undefined) return kept;
			// Kysely hands over the parameters as one list, which better-sqlite3 binds in order.
			const made = file.prepare(text) as unknown as SqliteStatement;
			if (prepared.size < statementsMax) prepared.set(text, made);
			return made;
		},
	};
}
