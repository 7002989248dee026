import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StilewardError } from '../../gate-agent/core/errors.ts';

/** Modes of files that hold a secret, and of those that anybody may read. */
export const secretMode = 0o600;
/** @see secretMode */
export const publicMode = 0o644;

/** Reads a text file; undefined where there is none. Throws `server_data_invalid` where it cannot be read. */
export async function readIfThere(path: string): Promise<string | undefined> {
	try {
		return await readFile(path, 'utf8');
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw new StilewardError('server_data_invalid', `${path} cannot be read`, { cause });
	}
}

/**
 * Writes a file in one step that survives a power cut: a reader sees the old text or the new one. Throws
 * `output_failed`, and then the old text is still there.
 */
export async function writeDurably(path: string, text: string | Uint8Array, mode: number): Promise<void> {
	const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
	try {
		const file = await open(temporary, 'wx', mode);
		try {
			await file.writeFile(text);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(temporary, path);
		await syncFolder(dirname(path));
	} catch (cause) {
		throw new StilewardError('output_failed', `${path} cannot be written`, { cause });
	} finally {
		await rm(temporary, { force: true });
	}
}

/** Makes a folder that only its owner may enter, where there is none. Throws `output_failed`. */
export async function makePrivateFolder(dir: string): Promise<void> {
	try {
		const first = await mkdir(dir, { recursive: true, mode: 0o700 });
		if (first !== undefined) await syncFolder(dirname(first));
	} catch (cause) {
		throw new StilewardError('output_failed', `the folder ${dir} cannot be made`, { cause });
	}
}

/** Forces what was written to a file to the disk. */
export async function syncFile(path: string): Promise<void> {
	const file = await open(path, 'r+');
	try {
		await file.sync();
	} finally {
		await file.close();
	}
}

/** A name is durable only once its folder is. Windows cannot open folders and needs no such step. */
export async function syncFolder(dir: string): Promise<void> {
	if (process.platform === 'win32') return;
	const folder = await open(dir, 'r');
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}
