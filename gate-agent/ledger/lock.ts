import { join } from 'node:path';
import Database from 'better-sqlite3';
import { StilewardError } from '../core/errors.ts';

/** The right to be the one agent of a data folder. */
export interface Lock {
	release(): void;
}

/**
 * Takes the data folder for this process. The lock is the operating system's, on an empty file beside the ledger: it
 * ends with the process, also by `kill -9`, and readers of the ledger do not meet it.
 * Throws `ledger_busy` where another agent has it.
 */
export function takeLock(dir: string): Lock {
	const db = new Database(join(dir, 'ledger.lock'), { timeout: 0 });
	try {
		db.pragma('locking_mode = EXCLUSIVE');
		db.exec('BEGIN EXCLUSIVE');
	} catch (error) {
		db.close();
		if (error instanceof Database.SqliteError && error.code === 'SQLITE_BUSY') {
			throw new StilewardError('ledger_busy', `another agent uses the data folder ${dir}`, { cause: error });
		}
		throw error;
	}
	return { release: () => db.close() };
}
