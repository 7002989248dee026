import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueTicket } from '../../../gate-agent/core/issue.ts';
import { evt, pin, startWorld, type World } from './handheld-world.suite.ts';
import { hideEd25519 } from './testing/hide-ed25519.ts';

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
	const waitOnline = (page: Page): Promise<unknown> => {
		const online = `window.tab.handheld.state().link?.state === 'online' && window.tab.handheld.state().link.events.length > 0`;
		return page.waitForFunction(online, undefined, { timeout: 60_000 });
	};

	it('enrolls, admits once, keeps all of it over a reload, and gives way to a second tab', async () => {
		const context = await browser.newContext();
		const page = await context.newPage();
		await openTab(page);
		const device = world.device('Phone');
		expect(await call(page, 'enroll', await device.link(), device.name)).toMatchObject({ kind: 'done' });
		expect(await call(page, 'signIn', 'chen', pin)).toMatchObject({ kind: 'done' });
		await waitOnline(page);
		const { code } = await world.ticket('adult');
		expect(await call(page, 'scan', code)).toMatchObject({ kind: 'granted', rung: 'authority' });
		const second = await context.newPage();
		await openTab(second);
		expect(await call(second, 'state')).toEqual({ kind: 'blocked', why: 'other_tab' });
		await call(second, 'takeOver');
		expect(await call(second, 'state')).toMatchObject({ kind: 'working', staff: { name: 'chen' } });
		await page.waitForFunction(`window.tab.handheld.state().kind === 'blocked'`);
		expect(await call(page, 'state')).toEqual({ kind: 'blocked', why: 'other_tab' });
		expect(await call(page, 'scan', code)).toMatchObject({ screen: { refusal: { reason: 'lane_closed' } } });
		expect(await call(second, 'scan', code)).toMatchObject({ screen: { refusal: { reason: 'already_redeemed' } } });
		await second.close();
		await page.reload();
		await page.waitForFunction('window.tab !== undefined', undefined, { timeout: 60_000 });
		expect(await call(page, 'state')).toMatchObject({ kind: 'working', staff: { name: 'chen' }, undoable: [] });
		expect(await call(page, 'scan', code)).toMatchObject({ screen: { refusal: { reason: 'already_redeemed' } } });
		await context.close();
	}, 180_000);

	it('without Ed25519 comes online all the same, admits a ticket and refuses a forged one', async () => {
		const context = await browser.newContext();
		await context.addInitScript(hideEd25519);
		const page = await context.newPage();
		await openTab(page);
		expect(await page.evaluate(`Object.hasOwn(crypto, 'subtle')`)).toBe(true);
		const device = world.device('Old phone');
		expect(await call(page, 'enroll', await device.link(), device.name)).toMatchObject({ kind: 'done' });
		expect(await call(page, 'signIn', 'chen', pin)).toMatchObject({ kind: 'done' });
		await waitOnline(page);
		const { code, idx } = await world.ticket('adult');
		expect(await call(page, 'scan', await forged(world, idx))).toMatchObject({
			screen: { refusal: { reason: 'bad_signature' } },
		});
		expect(await call(page, 'scan', code)).toMatchObject({ kind: 'granted', rung: 'authority' });
		await context.close();
	}, 180_000);
});

/** A ticket of the venue under the signature of another. */
async function forged({ venue }: World, idx: number): Promise<string> {
	const key = venue.issuer.keyFor(evt, idx) as Parameters<typeof issueTicket>[1];
	const claims = { evt, idx, cls: 'adult', nbf: 0, exp: 4_000_000_000 };
	const signed = await issueTicket(claims, key, 'jws');
	const other = await issueTicket({ ...claims, cls: 'child' }, key, 'jws');
	return [...signed.split('.').slice(0, 2), other.split('.')[2]].join('.');
}

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
