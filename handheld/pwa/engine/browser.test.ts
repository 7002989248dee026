import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pin, startWorld, type World } from './handheld-world.suite.ts';

const executablePath = '/usr/bin/chromium';
const advice = 'needs a real browser: apt-get install chromium fonts-noto-cjk';
const root = fileURLToPath(new URL('../../..', import.meta.url));

describe.skipIf(!existsSync(executablePath) && !process.env.CI)(`a handheld in Chromium (${advice})`, () => {
	let world: World;
	let pages: ViteDevServer;
	let browser: Browser;
	beforeAll(async () => {
		world = await startWorld();
		await world.addStaff('chen', 'steward');
		pages = await servePages(world.venue.server.url);
		browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
	}, 120_000);
	afterAll(async () => {
		await browser?.close();
		await pages?.close();
		await world?.close();
	}, 60_000);

	async function openTab(page: Page): Promise<void> {
		const [origin] = pages.resolvedUrls?.local ?? [];
		await page.goto(new URL('handheld/pwa/engine/testing/tab.html', origin).href);
		await page.waitForFunction('window.tab !== undefined', undefined, { timeout: 60_000 });
	}
	const call = (page: Page, name: string, ...args: readonly unknown[]): Promise<unknown> =>
		page.evaluate(([called, given]) => Reflect.get(window, 'tab').handheld[called](...given), [name, args] as const);

	it('enrolls, admits once, keeps all of it over a reload, and knows a second tab', async () => {
		const context = await browser.newContext();
		const page = await context.newPage();
		await openTab(page);
		const device = world.device('Phone');
		expect(await call(page, 'enroll', await device.link(), device.name)).toMatchObject({ kind: 'done' });
		expect(await call(page, 'signIn', 'chen', pin)).toMatchObject({ kind: 'done' });
		const online = `window.tab.handheld.state().link?.state === 'online' && window.tab.handheld.state().link.events.length > 0`;
		await page.waitForFunction(online, undefined, { timeout: 60_000 });
		const { code } = await world.ticket('adult');
		expect(await call(page, 'scan', code)).toMatchObject({ kind: 'granted', rung: 'authority' });
		const second = await context.newPage();
		await openTab(second);
		expect(await call(second, 'state')).toEqual({ kind: 'blocked', why: 'other_tab' });
		await second.close();
		await page.reload();
		await page.waitForFunction('window.tab !== undefined', undefined, { timeout: 60_000 });
		expect(await call(page, 'state')).toMatchObject({ kind: 'working', staff: { name: 'chen' }, undoable: [] });
		expect(await call(page, 'scan', code)).toMatchObject({ screen: { refusal: { reason: 'already_redeemed' } } });
		await context.close();
	}, 180_000);
});

/** The page and the server at one address, as the server of a venue has them. */
async function servePages(server: string): Promise<ViteDevServer> {
	const vite = await createServer({
		...{ root, configFile: false, logLevel: 'error', cacheDir: join(root, '.build/vite-engine') },
		server: {
			...{ host: '127.0.0.1', port: 0, watch: null, hmr: false },
			proxy: { '/v1': { target: server, secure: false } },
		},
		optimizeDeps: {
			noDiscovery: true,
			include: ['idb', 'jose', '@noble/hashes/sha2.js', '@yoursunny/webcrypto-ed25519', 'cborg', 'typebox'],
		},
	});
	return vite.listen();
}
