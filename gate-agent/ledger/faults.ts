import { statfsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StilewardError } from '../core/errors.ts';

/** Below this much free space an I/O error is taken for a full disk: SQLite reports some of them as IOERR. */
const freeBytesMin = 128 * 1024;

/**
 * What an error of SQLite or of the file system means to an operator: `ledger_full`, `ledger_corrupt` or `ledger_io`.
 * Undefined for anything else, which is a bug and not a fault.
 */
export function faultOf(error: unknown, dir: string): StilewardError | undefined {
	if (error instanceof StilewardError) return error;
	const code = codeOf(error);
	if (code === undefined) return undefined;
	const fault = (kind: 'ledger_full' | 'ledger_corrupt' | 'ledger_io', text: string) =>
		new StilewardError(kind, `${text} in ${dir} (${code})`, { cause: error });
	if (code === 'SQLITE_FULL' || code === 'ENOSPC') return fault('ledger_full', 'no space for the ledger');
	if (/^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test(code)) return fault('ledger_corrupt', 'the ledger is damaged');
	if (!/^(SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH|BUSY|LOCKED|PROTOCOL|NOLFS)|E[A-Z]+$)/.test(code)) return undefined;
	if (isFull(dir)) return fault('ledger_full', 'no space for the ledger');
	return fault('ledger_io', 'the ledger cannot be read or written');
}

function codeOf(error: unknown): string | undefined {
	if (error instanceof Database.SqliteError) return error.code;
	if (error instanceof Error && 'code' in error && 'syscall' in error) return String(error.code);
	return undefined;
}

function isFull(dir: string): boolean {
	try {
		const { bavail, bsize } = statfsSync(dir);
		return bavail * bsize < freeBytesMin;
	} catch {
		// A folder that cannot be asked is an I/O error, not a full one.
		return false;
	}
}
