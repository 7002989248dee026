import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { StilewardError } from '../../../gate-agent/core/errors.ts';

/** Files of a built handheld, and bytes of all of them: they stay in memory. */
const filesMax = 500;
const bytesMax = 64 * 1024 * 1024;

/** What a handheld consists of. Anything else in the folder is not served. */
const types: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.json': 'application/json',
	'.webmanifest': 'application/manifest+json',
	'.svg': 'image/svg+xml',
	'.wasm': 'application/wasm',
	'.png': 'image/png',
	'.ico': 'image/x-icon',
	'.woff2': 'font/woff2',
	'.mp3': 'audio/mpeg',
	'.txt': 'text/plain; charset=utf-8',
};

/** Formats that are packed already. */
const packed: ReadonlySet<string> = new Set(['.png', '.ico', '.woff2', '.mp3']);

/** One file, ready to be sent. */
export interface HandheldFile {
	readonly type: string;
	readonly bytes: Buffer;
	/** The same packed, where that is smaller. */
	readonly gzip?: Buffer;
	/** Of the bytes as they are, without quotes. */
	readonly hash: string;
	/** Its name changes with its contents, so it never changes under this name. */
	readonly isImmutable: boolean;
}

/** A built handheld by its paths, such as `index.html` and `assets/main-4fb1.js`. */
export type HandheldFiles = ReadonlyMap<string, HandheldFile>;

/**
 * Reads a built handheld, once: what is not in this table has no address. Throws `server_data_invalid` for a folder that
 * holds none.
 */
export async function readHandheld(dir: string): Promise<HandheldFiles> {
	const files = new Map<string, HandheldFile>();
	let bytes = 0;
	for (const path of await pathsIn(dir)) {
		const type = types[extname(path)];
		if (type === undefined) continue;
		const file = fileOf(path, type, await readFile(join(dir, path)));
		files.set(path, file);
		bytes += file.bytes.length;
		if (files.size > filesMax || bytes > bytesMax) throw invalid(dir, 'it holds far more than a handheld');
	}
	if (!files.has('index.html')) throw invalid(dir, 'it has no index.html');
	return files;
}

async function pathsIn(dir: string): Promise<readonly string[]> {
	try {
		const entries = await readdir(dir, { recursive: true, withFileTypes: true });
		const files = entries.filter((entry) => entry.isFile());
		return files.map(({ parentPath, name }) => relative(dir, join(parentPath, name)).split(sep).join('/'));
	} catch (cause) {
		throw invalid(dir, 'it cannot be read', cause);
	}
}

function fileOf(path: string, type: string, bytes: Buffer): HandheldFile {
	const gzip = packed.has(extname(path)) ? bytes : gzipSync(bytes, { level: 9 });
	return {
		type,
		bytes,
		...(gzip.length < bytes.length && { gzip }),
		hash: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
		// The builder writes nothing else there than files with a hash in their name.
		isImmutable: path.startsWith('assets/'),
	};
}

function invalid(dir: string, why: string, cause?: unknown): StilewardError {
	return new StilewardError('server_data_invalid', `${dir} is no built handheld: ${why}`, { cause });
}
