import { existsSync } from 'node:fs';
import { chmod, copyFile, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { makePrivateFolder, secretMode, syncFile, syncFolder, writeDurably } from '../durable-file.ts';
import { type DataOptions, storePlaceOf } from '../store-place.ts';
import { type BackupVenue, type KeptFile, makeStore, readBackup } from './backup-file.ts';

/** What came back. */
export interface Restored {
	readonly venues: readonly BackupVenue[];
	readonly files: readonly string[];
}

/**
 * Puts a backup into a folder that has no server yet. The store comes last, so that a folder with one is complete; a
 * restore that broke off is repeated. Nothing is overwritten. Throws `backup_invalid`, `output_exists`, `output_failed`,
 * and `backup_elsewhere` for PostgreSQL.
 */
export async function restoreBackup(options: DataOptions & { readonly from: string }): Promise<Restored> {
	const place = storePlaceOf(options);
	if (place.kind === 'postgres') {
		throw new StilewardError('backup_elsewhere', 'a backup of this command is no dump of PostgreSQL');
	}
	const { venues, files } = readBackup(options.from);
	// SQLite would apply what the journal of another database holds to this one.
	for (const suffix of ['', '-wal', '-shm', '-journal']) await assertFree(`${place.path}${suffix}`);
	await Promise.all(files.map((file) => assertFree(join(options.dir, file.path), file)));
	await makePrivateFolder(options.dir);
	for (const { path, mode, bytes } of files) {
		await makePrivateFolder(dirname(join(options.dir, path)));
		await writeDurably(join(options.dir, path), bytes, mode);
	}
	await placeStore(options.from, place.path);
	return { venues, files: files.map(({ path }) => path) };
}

/** A file with the same contents is of a restore that broke off. */
async function assertFree(path: string, file?: KeptFile): Promise<void> {
	if (!existsSync(path)) return;
	if (file?.bytes.equals(await readFile(path))) return;
	throw new StilewardError('output_exists', `${path} exists; a restore never overwrites`);
}

async function placeStore(from: string, path: string): Promise<void> {
	const part = `${path}.part`;
	try {
		await makePrivateFolder(dirname(path));
		await rm(part, { force: true });
		await copyFile(from, part);
		await chmod(part, secretMode);
		makeStore(part);
		await syncFile(part);
		await rename(part, path);
		await syncFolder(dirname(path));
	} catch (cause) {
		throw new StilewardError('output_failed', `the store ${path} cannot be written`, { cause });
	} finally {
		await rm(part, { force: true });
	}
}
