import { readFile } from 'node:fs/promises';
import { stripTypes } from './strip-types.ts';

/** One file as it is sent. */
export interface Asset {
	readonly contentType: string;
	readonly body: Buffer;
}

/** Files by their path in the URL. */
export type Assets = ReadonlyMap<string, Asset>;

/** A file of this program: where it lies, and the URL path it is served at. */
export interface AssetSource {
	readonly path: string;
	readonly file: URL;
}

const contentTypes: Readonly<Record<string, string>> = {
	html: 'text/html; charset=utf-8',
	css: 'text/css; charset=utf-8',
	ts: 'text/javascript; charset=utf-8',
	svg: 'image/svg+xml',
};

/**
 * Reads every file once, at start, and strips types from TypeScript. Requests are answered from this list alone, so
 * no request reaches the file system. A file that is missing or does not strip is a bug of the release: it rejects.
 */
export async function loadAssets(sources: readonly AssetSource[]): Promise<Assets> {
	const texts = await Promise.all(sources.map(({ file }) => readFile(file, 'utf8')));
	const scripts = sources.flatMap(({ path }, at) => (path.endsWith('.ts') ? [at] : []));
	const stripped = await stripTypes(scripts.map((at) => texts[at] ?? ''));
	scripts.forEach((at, n) => {
		texts[at] = stripped[n] ?? '';
	});
	return new Map(
		sources.map(({ path }, at) => [path, { contentType: contentTypeOf(path), body: Buffer.from(texts[at] ?? '') }]),
	);
}

function contentTypeOf(path: string): string {
	return contentTypes[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
}

/**
 * The files behind the visitor's display. URL paths mirror the folders, so that relative imports between modules
 * mean the same in the browser as in Node.
 */
export const displaySources: readonly AssetSource[] = [
	'display/page/display.html',
	'display/page/display.css',
	'display/page/icon.svg',
	'display/page/display.ts',
	'display/page/lane-events.ts',
	'display/page/render.ts',
	'display/page/speech.ts',
	'core/texts.ts',
	'core/refusal-texts.ts',
	'core/errors.ts',
].map((path) => ({ path: `/assets/${path}`, file: new URL(`../${path}`, import.meta.url) }));
