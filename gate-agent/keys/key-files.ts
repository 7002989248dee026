import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StilewardError } from '../core/errors.ts';

/** The files of a key folder. A gate needs only `manifest` and `rootPublic`. */
export const keyFiles = {
	manifest: 'manifest.jws',
	rootPublic: 'root.public.jwk',
	rootPrivate: 'root.private.jwk',
	clockReset: 'clock-reset.jws',
	issued: 'issued.json',
	issuedLock: 'issued.lock',
	issuerPrivate: (kid: string) => `issuer-${kid}.private.jwk`,
	issuerPublic: (kid: string) => `issuer-${kid}.public.jwk`,
} as const;

/** Which kid an issuer's file is for; undefined for other files. */
export function issuerKidOf(file: string): string | undefined {
	return /^issuer-([A-Za-z0-9_-]{8})\.private\.jwk$/.exec(file)?.[1];
}

/** Modes of files that hold a secret, and of those that may be copied to every gate. */
export const secretMode = 0o600;
/** @see secretMode */
export const publicMode = 0o644;

/** Reads a text file. Throws `keys_missing` where there is none, `keys_invalid` where it cannot be read. */
export async function readKeyFile(dir: string, file: string): Promise<string> {
	try {
		return await readFile(join(dir, file), 'utf8');
	} catch (cause) {
		const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
		const message = `${join(dir, file)} ${missing ? 'is missing' : 'cannot be read'}`;
		throw new StilewardError(missing ? 'keys_missing' : 'keys_invalid', message, { cause });
	}
}

/** Reads a JSON object. Throws `keys_missing` or `keys_invalid`; the message never holds any of the file's content. */
export async function readKeyJson(dir: string, file: string): Promise<Readonly<Record<string, unknown>>> {
	const text = await readKeyFile(dir, file);
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	} catch {
		// JSON.parse quotes the text in its message, and the text may be a private key: the cause is dropped.
	}
	throw new StilewardError('keys_invalid', `${join(dir, file)} is not a JSON object`);
}

/** A file to write: its text, and who may read it. */
export interface KeyFile {
	readonly file: string;
	readonly text: string;
	readonly mode: typeof secretMode | typeof publicMode;
}

/**
 * Makes a new file that survives a power cut once this resolves. Throws `keys_exist` where there is one already,
 * `output_failed` where it cannot be written.
 */
export async function createKeyFile(dir: string, file: KeyFile): Promise<void> {
	// Unlike rename, link refuses to replace a file, also one that another process made just now.
	await writeKeyFile(dir, file, link);
}

/**
 * Replaces a file in one step: a reader, or a power cut, sees the old text or the new one. Throws `output_failed`,
 * and then the old text is still there.
 */
export async function replaceKeyFile(dir: string, file: KeyFile): Promise<void> {
	await writeKeyFile(dir, file, rename);
}

/** Makes the folder of keys, readable only by its owner where it is new. Throws `output_failed`. */
export async function createKeyFolder(dir: string): Promise<void> {
	try {
		const first = await makeFolders(dir);
		if (first !== undefined) await syncFolder(dirname(first));
	} catch (cause) {
		throw new StilewardError('output_failed', `the folder ${dir} cannot be made`, { cause });
	}
}

/**
 * Makes a folder and those above it; gives the first that it made. Node's own `recursive` never ends where the kernel
 * refuses a name as missing although its parent is there (`/proc/x`).
 */
async function makeFolders(dir: string): Promise<string | undefined> {
	try {
		await mkdir(dir, { mode: 0o700 });
		return dir;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === 'EEXIST' && (await isFolder(dir))) return undefined;
		if (code !== 'ENOENT' || (await isFolder(dirname(dir)))) throw error;
	}
	const first = await makeFolders(dirname(dir));
	await mkdir(dir, { mode: 0o700 });
	return first ?? dir;
}

async function isFolder(path: string): Promise<boolean> {
	return stat(path).then(
		(stats) => stats.isDirectory(),
		() => false,
	);
}

async function writeKeyFile(
	dir: string,
	{ file, text, mode }: KeyFile,
	place: (from: string, to: string) => Promise<void>,
): Promise<void> {
	const target = join(dir, file);
	const temporary = `${target}.${process.pid}.${crypto.randomUUID()}.tmp`;
	try {
		await writeNew(temporary, text, mode);
		await place(temporary, target);
		await syncFolder(dir);
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
			throw new StilewardError('keys_exist', `${target} exists already`, { cause });
		}
		throw new StilewardError('output_failed', `${target} cannot be written`, { cause });
	} finally {
		await rm(temporary, { force: true });
	}
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
	const file = await open(path, 'wx', mode);
	try {
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
}

/** A name is durable only once its folder is. Windows cannot open folders and needs no such step. */
async function syncFolder(dir: string): Promise<void> {
	if (process.platform === 'win32') return;
	const folder = await open(dir, 'r');
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}
