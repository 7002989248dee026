import { existsSync, readdirSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { handheldVite } from './handheld-vite.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the page is made of. */
const sources = ['handheld/pwa', 'gate-agent/core', 'sync/protocol', 'sync/client', 'package-lock.json'];

/** Where the page lies once it is built, to be served under `/handheld/`. */
export const handheldFolder = join(root, '.build/handheld');

/** Builds the handheld's page where a source is newer than what was built. Needs no network; says what it does. */
export async function buildHandheld(say: (line: string) => void): Promise<void> {
	const built = changedMs(join(handheldFolder, 'index.html'));
	if (built > newestMs(sources.map((path) => join(root, path)))) return;
	say('building the handheld page, some seconds …');
	const started = performance.now();
	await buildInto(handheldFolder);
	say(`the handheld page is built (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

/** Whoever builds at the same time, or reads what was there before, never meets half a page. */
async function buildInto(folder: string): Promise<void> {
	const own = `${folder}-${process.pid}`;
	const { build: options, ...rest } = handheldVite('product');
	await build({ ...rest, build: { ...options, outDir: own } });
	await rm(folder, { recursive: true, force: true });
	try {
		await rename(own, folder);
	} catch (error) {
		// Another one was quicker; its page is the same.
		await rm(own, { recursive: true });
		if (!existsSync(join(folder, 'index.html'))) throw error;
	}
}

/** When a file was changed, milliseconds since 1970; before everything where there is none. */
function changedMs(path: string): number {
	return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}

function newestMs(paths: readonly string[]): number {
	const files = paths.flatMap((path) =>
		statSync(path).isDirectory()
			? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
			: [path],
	);
	return Math.max(...files.map(changedMs));
}

if (import.meta.main) {
	if (process.argv.includes('--scripted')) await build(handheldVite('scripted'));
	else await buildHandheld((line) => process.stdout.write(`${line}\n`));
}
