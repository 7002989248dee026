import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { StilewardError } from '../core/errors.ts';
import { openReader } from './connection.ts';
import { faultOf } from './faults.ts';
import { syncFolder } from './open-file.ts';
import { verifyFile } from './verify-file.ts';

/**
 * Writes a copy of a ledger that is complete and verified before it gets its name. The copy carries a mark: an agent
 * that is started on it begins a new epoch, because the original may have gone on and spent the next row numbers.
 * Throws `usage` where the path exists, `ledger_corrupt`, `ledger_full` and `ledger_io`.
 */
export function writeBackup(file: string, path: string): void {
	const target = resolve(path);
	const part = `${target}.part`;
	if (existsSync(target)) throw new StilewardError('usage', `${target} exists; a backup never overwrites`);
	try {
		rmSync(part, { force: true });
		copy(file, part);
		mark(part);
		const report = verifyFile(part);
		if (!report.ok) throw new StilewardError('ledger_corrupt', `the copy is damaged: ${report.problems[0]}`);
		sync(part);
		renameSync(part, target);
		syncFolder(dirname(target));
	} catch (error) {
		rmSync(part, { force: true });
		throw faultOf(error, dirname(target)) ?? error;
	}
}

function copy(file: string, part: string): void {
	const db = openReader(file);
	try {
		db.prepare('VACUUM INTO ?').run(part);
	} finally {
		db.close();
	}
}

function mark(part: string): void {
	const db = new Database(part);
	try {
		db.pragma('synchronous = FULL');
		db.pragma('trusted_schema = OFF');
		db.exec("INSERT OR REPLACE INTO meta VALUES ('backup', '1')");
	} finally {
		db.close();
	}
}

function sync(path: string): void {
	const fd = openSync(path, 'r');
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}
