import Database from 'better-sqlite3';
import { assert } from '../core/errors.ts';

/** An open SQLite database. */
export type Connection = Database.Database;

/** Name of the ledger's file in the data folder. */
export const ledgerFileName = 'ledger.db';

/** SQLite below this can corrupt a database when a writer and a checkpoint meet (the WAL-reset bug). */
export const sqliteVersionMin = '3.51.3';

/** The write-ahead log is copied back above this size, and cut down to it when it starts anew. */
export const walBytesMax = 4 * 1024 * 1024;

/** How long a statement waits for another connection's lock. The lane waits with it, so it is short. */
const busyTimeoutMs = 250;

/**
 * Pragmas of every connection, with the value that each must read back.
 * `synchronous`: the library's default in WAL mode is NORMAL, which loses acknowledged commits at a power cut.
 * `wal_autocheckpoint`: a checkpoint inside a commit would make one visitor wait for all the visitors before.
 * `mmap_size`: an I/O error on mapped memory is a signal that ends the process.
 */
const pragmas: readonly (readonly [name: string, set: string, readBack: string | number])[] = [
	['synchronous', 'FULL', 2],
	['wal_autocheckpoint', '0', 0],
	['trusted_schema', 'OFF', 0],
	['cell_size_check', 'ON', 1],
	['mmap_size', '0', 0],
	['temp_store', 'MEMORY', 2],
	['cache_size', '-8000', -8000],
];

/** Opens the one connection that writes. Throws `SqliteError`. */
export function openWriter(file: string, maxBytes?: number): Connection {
	const db = new Database(file, { timeout: busyTimeoutMs });
	return closeOnThrow(db, () => {
		assertVersion(db);
		const mode = db.pragma('journal_mode = WAL', { simple: true });
		assert(mode === 'wal', `the file system of ${file} does not permit a write-ahead log (journal mode ${mode})`);
		setPragmas(db);
		db.pragma(`journal_size_limit = ${walBytesMax}`);
		if (maxBytes !== undefined) {
			const pageSize = Number(db.pragma('page_size', { simple: true }));
			db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
		}
		return db;
	});
}

/** Opens a connection that cannot write. Throws `SqliteError`. */
export function openReader(file: string): Connection {
	const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
	return closeOnThrow(db, () => {
		assertVersion(db);
		setPragmas(db);
		return db;
	});
}

/** What the write-ahead log holds, in bytes that no checkpoint has copied back. */
export function walBacklogBytes(db: Connection): number {
	const { log, checkpointed } = checkpoint(db, 'NOOP');
	return Math.max(0, log - checkpointed) * 4096;
}

/** Copies the write-ahead log back. `NOOP` only looks. */
export function checkpoint(
	db: Connection,
	kind: 'NOOP' | 'PASSIVE' | 'FULL' | 'TRUNCATE',
): { busy: number; log: number; checkpointed: number } {
	// The pragma's result has exactly this row: https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
	const [row] = db.pragma(`wal_checkpoint(${kind})`) as [{ busy: number; log: number; checkpointed: number }];
	return row;
}

function setPragmas(db: Connection): void {
	for (const [name, set, readBack] of pragmas) {
		db.pragma(`${name} = ${set}`);
		const found = db.pragma(name, { simple: true });
		assert(found === readBack, `SQLite pragma ${name} is ${found} and not ${readBack}`);
	}
}

function assertVersion(db: Connection): void {
	const version = String(db.prepare('SELECT sqlite_version()').pluck().get());
	const enough = version.localeCompare(sqliteVersionMin, 'en', { numeric: true }) >= 0;
	assert(enough, `SQLite ${version} is older than ${sqliteVersionMin}`);
}

function closeOnThrow<T>(db: Connection, work: () => T): T {
	try {
		return work();
	} catch (error) {
		db.close();
		throw error;
	}
}
