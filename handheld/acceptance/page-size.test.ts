import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { buildPage } from './phone.suite.ts';

const folder = fileURLToPath(new URL('../../.build/handheld', import.meta.url));

/** What a phone loads at its first visit on a crowded network, without the decoder of codes. */
const gzipBytesMax = 250 * 1024;

test('the page is small, and holds nothing that the policy of the server forbids', async () => {
	await buildPage();
	const paths = await readdir(folder, { recursive: true });
	const texts = await Promise.all(
		paths.filter((path) => /\.(js|css|html)$/.test(path)).map((path) => readFile(join(folder, path), 'utf8')),
	);
	const bytes = texts.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0);
	process.stdout.write(`the page without its decoder: ${(bytes / 1024).toFixed(0)} KB gzip\n`);
	expect(bytes).toBeLessThan(gzipBytesMax);
	const index = await readFile(join(folder, 'index.html'), 'utf8');
	expect(index).not.toMatch(/<script>|<style|\son[a-z]+=|style="/);
	expect(paths).toEqual(expect.arrayContaining(['sw.js', 'manifest.webmanifest', 'icon-192.png', 'icon-512.png']));
}, 120_000);
