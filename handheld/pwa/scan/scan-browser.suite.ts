import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { describe, test } from 'vitest';

const executablePath = '/usr/bin/chromium';
const advice = 'needs a real browser: apt-get install chromium';

/** Where the built page may take what from: as the handheld is served. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'";
const contentTypes: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
const html = '<!doctype html><video></video><input id="field"><script type="module" src="/scan-page.js"></script>';

/** Tests that need Chromium; without it they are skipped with the advice in their name, and under CI they fail. */
export function describeInChromium(name: string, define: () => void): void {
	if (existsSync(executablePath)) return void describe(name, define);
	if (process.env.CI === undefined) return void describe.skip(`${name} (${advice})`, () => test('', () => {}));
	test(name, () => {
		throw new Error(`${name}: ${advice}`);
	});
}

/** The page of the tests, built and served by a loopback server. */
export interface ScanSite {
	readonly url: string;
	close(): Promise<void>;
}

/** Builds `scan-page.suite.ts` as the handheld's page is built, and serves it. */
export async function serveScanPage(): Promise<ScanSite> {
	const folder = await mkdtemp(join(tmpdir(), 'scan-page-'));
	await build({
		configFile: false,
		logLevel: 'warn',
		publicDir: false,
		resolve: { alias: [{ find: /^zxing-wasm\/reader\/zxing_reader\.wasm/, replacement: decoderFile() }] },
		build: {
			outDir: folder,
			emptyOutDir: true,
			target: 'es2023',
			assetsInlineLimit: 0,
			rollupOptions: {
				input: fileURLToPath(new URL('./scan-page.suite.ts', import.meta.url)),
				output: { entryFileNames: 'scan-page.js' },
			},
		},
	});
	await writeFile(join(folder, 'index.html'), html);
	const server = createServer((request, response) => {
		const path = request.url === '/' ? '/index.html' : (request.url ?? '/');
		readFile(join(folder, path)).then(
			(body) => {
				const type = contentTypes[extname(path)] ?? 'text/html';
				response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body);
			},
			() => response.writeHead(404).end(),
		);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		// A browser gives cameras to localhost without TLS.
		url: `http://localhost:${(server.address() as AddressInfo).port}/`,
		close: async () => {
			await closed(server);
			await rm(folder, { recursive: true });
		},
	};
}

/** The decoder that `barcode-detector` was built for; another package may have brought a newer one. */
function decoderFile(): string {
	const fromHere = createRequire(import.meta.url);
	return createRequire(fromHere.resolve('barcode-detector')).resolve('zxing-wasm/reader/zxing_reader.wasm');
}

function closed(server: Server): Promise<void> {
	server.closeAllConnections();
	return new Promise((resolve) => server.close(() => resolve()));
}

/** Starts Chromium with these arguments beside the usual ones. */
export function launchChromium(args: readonly string[]): Promise<Browser> {
	const usual = [
		'--no-sandbox',
		'--disable-gpu',
		'--disable-background-networking',
		'--disable-sync',
		'--no-first-run',
	];
	return chromium.launch({ executablePath, args: [...usual, ...args] });
}

/** Opens the page; `requests` collects the address of everything that it asks for. */
export async function openScanPage(browser: Browser, { url }: ScanSite, requests: string[] = []): Promise<Page> {
	const page = await browser.newPage();
	page.on('request', (request) => requests.push(request.url()));
	await page.goto(url);
	await page.waitForFunction(() => 'scan' in window);
	return page;
}
