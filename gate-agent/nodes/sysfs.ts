import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the kernel shows its devices; a test shows a tree of its own. */
export interface Roots {
	readonly sys: string;
	readonly dev: string;
}

/** Where Linux has them. */
export const systemRoots: Roots = { sys: '/sys', dev: '/dev' };

/** The names in a folder, sorted by their numbers; none where there is no such folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
	const names = await readdir(folder).catch(() => []);
	return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** A small text of sysfs without its line end; empty where it cannot be read. */
export async function textOf(...path: readonly string[]): Promise<string> {
	const text = await readFile(join(...path), 'utf8').catch(() => '');
	return text.trimEnd();
}

/** The bytes of a file of sysfs; none where it cannot be read. */
export async function bytesOf(...path: readonly string[]): Promise<Uint8Array> {
	return new Uint8Array(await readFile(join(...path)).catch(() => Buffer.alloc(0)));
}

/** Lines of `KEY=value`, as in a `uevent` file. */
export function fieldsOf(text: string): ReadonlyMap<string, string> {
	return new Map(
		text.split('\n').map((line) => {
			const at = line.indexOf('=');
			return [line.slice(0, at), line.slice(at + 1)];
		}),
	);
}

/**
 * The USB port that a device hangs on, `1-1.3`; undefined for a device on another bus. Sysfs nests devices as they are
 * plugged into one another, so the last such name in the path is the device itself.
 */
export async function usbPortOf(...path: readonly string[]): Promise<string | undefined> {
	const place = await realpath(join(...path)).catch(() => '');
	return place.split('/').findLast((name) => /^\d+-\d+(\.\d+)*$/.test(name));
}
