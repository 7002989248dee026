import { existsSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { secretMode, syncFile, syncFolder } from '../durable-file.ts';
import { type DataOptions, officeFileOf, storePlaceOf } from '../store-place.ts';
import { type BackupContents, type KeptFile, makeBackup, readBackup } from './backup-file.ts';

/** Files of a server's folder that belong into a backup are small: keys, certificates, marks. */
const fileBytesMax = 1024 * 1024;

/** How often the folder is read again because it changed meanwhile, e.g. while keys are rotated. */
const readsMax = 5;

/** How every SQLite database begins: those are copied by SQLite itself, or are somebody's backup. */
const databaseMagic = 'SQLite format 3\0';

/**
 * Writes a backup of a server while it works: a consistent copy of its store, of its operators with their audit, and of
 * its keys, verified before it gets its name. Open sessions and enrollment codes stay out. Throws `output_exists`,
 * `server_data_invalid`, `output_failed`, `backup_invalid`, and `backup_elsewhere` for PostgreSQL.
 */
export async function writeBackup(options: DataOptions & { readonly to: string }): Promise<BackupContents> {
	const place = storePlaceOf(options);
	if (place.kind === 'postgres') {
		throw new StilewardError('backup_elsewhere', 'a store in PostgreSQL is not copied by this command');
	}
	const target = resolve(options.to);
	const part = `${target}.part`;
	if (existsSync(target)) throw new StilewardError('output_exists', `${target} exists; a backup never overwrites`);
	try {
		await copyDatabase(place.path, part);
		makeBackup(part, [...(await officeOf(options, `${target}.office.part`)), ...(await filesOf(options.dir))]);
		const contents = readBackup(part);
		await syncFile(part);
		await rename(part, target);
		await syncFolder(dirname(target));
		return contents;
	} catch (error) {
		if (error instanceof StilewardError) throw error;
		throw new StilewardError('output_failed', `the backup ${target} cannot be written`, { cause: error });
	} finally {
		await rm(part, { force: true });
	}
}

/** SQLite copies one moment of a database, however many write to it meanwhile. */
async function copyDatabase(from: string, to: string): Promise<void> {
	if (!existsSync(from)) throw new StilewardError('server_data_invalid', `${from} is missing`);
	await rm(to, { force: true });
	// SQLite fills an empty file, which nobody else may read from its first byte on.
	await (await open(to, 'wx', secretMode)).close();
	const db = new Sqlite(from, { readonly: true, fileMustExist: true });
	try {
		db.prepare('VACUUM INTO ?').run(to);
	} finally {
		db.close();
	}
}

/** A session that was ended after the backup must not come back with it. */
async function officeOf(options: DataOptions, part: string): Promise<readonly KeptFile[]> {
	const file = officeFileOf(options);
	if (!existsSync(file)) return [];
	try {
		await copyDatabase(file, part);
		const db = new Sqlite(part);
		try {
			db.pragma('secure_delete = ON');
			db.exec('DELETE FROM office_session; DROP TABLE IF EXISTS office_staff_session');
		} finally {
			db.close();
		}
		return [{ path: nameIn(options.dir, file), mode: secretMode, bytes: await readFile(part) }];
	} finally {
		await rm(part, { force: true });
	}
}

async function filesOf(dir: string): Promise<readonly KeptFile[]> {
	let before = await readFiles(dir);
	for (let read = 1; read < readsMax; read++) {
		const files = await readFiles(dir);
		if (isSame(before, files)) return files;
		before = files;
	}
	throw new StilewardError('server_data_invalid', `the files in ${dir} keep changing`);
}

async function readFiles(dir: string): Promise<readonly KeptFile[]> {
	const files: KeptFile[] = [];
	for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
		if (!entry.isFile() || /\.(tmp|lock|part|db-wal|db-shm|db-journal)$/.test(entry.name)) continue;
		const path = join(entry.parentPath, entry.name);
		const { mode, size } = await stat(path);
		if (size > fileBytesMax || (await isDatabase(path))) continue;
		files.push({ path: nameIn(dir, path), mode: mode & 0o777, bytes: await readFile(path) });
	}
	return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function isDatabase(path: string): Promise<boolean> {
	const file = await open(path, 'r');
	try {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(databaseMagic.length), 0, databaseMagic.length, 0);
		return buffer.toString('latin1', 0, bytesRead) === databaseMagic;
	} finally {
		await file.close();
	}
}

function isSame(a: readonly KeptFile[], b: readonly KeptFile[]): boolean {
	const isOne = (file: KeptFile, at: number) => file.path === b[at]?.path && file.bytes.equals(b[at].bytes);
	return a.length === b.length && a.every(isOne);
}

function nameIn(dir: string, path: string): string {
	return relative(dir, path).replaceAll('\\', '/');
}
