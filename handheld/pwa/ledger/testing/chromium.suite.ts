import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'vitest';
import type { Tab } from './tab.ts';

const executablePath = '/usr/bin/chromium';
const advice = 'needs a real browser: apt-get install chromium fonts-noto-cjk';
const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** A browser whose profile lies on the disk, and that can die. */
export interface Chromium {
	/** Opens a tab with the page of this folder; `onAcknowledged` hears of each redemption before the next begins. */
	openTab(onAcknowledged?: (idx: number) => void): Promise<RemoteTab>;
	/** Kills every process of the browser at once, as a crash of all of it would. */
	kill(): Promise<void>;
}

/** A tab, from outside the browser. */
export interface RemoteTab {
	call<Name extends keyof Tab>(name: Name, ...args: Parameters<Tab[Name]>): Promise<Awaited<ReturnType<Tab[Name]>>>;
	/** Leaves the page no more than so many bytes of storage; without a number what the disk has. */
	limitStorage(quotaBytes?: number): Promise<void>;
	close(): Promise<void>;
}

/** Starts a browser on the profile of the running test; the next one finds what the one before left. */
export type StartChromium = () => Promise<Chromium>;

/**
 * Tests with a browser of their own. Without one they are skipped with the advice in their name, and under CI they fail, so
 * that nobody takes a page for tested that was not.
 */
export function describeWithChromium(name: string, define: (start: StartChromium) => void): void {
	if (!existsSync(executablePath)) {
		withoutBrowser(name);
		return;
	}
	describe(name, () => {
		let server: ViteDevServer;
		let profile = '';
		const running: Chromium[] = [];
		beforeAll(async () => {
			server = await servePages();
		}, 60_000);
		beforeEach(() => {
			profile = mkdtempSync(join(tmpdir(), 'handheld-'));
		});
		afterEach(async () => {
			for (const each of running.splice(0)) await each.kill();
			rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
		});
		afterAll(() => server.close());
		define(async () => {
			const [page] = server.resolvedUrls?.local ?? [];
			const started = await start(profile, new URL('handheld/pwa/ledger/testing/tab.html', page).href);
			running.push(started);
			return started;
		});
	});
}

async function servePages(): Promise<ViteDevServer> {
	const server = await createServer({
		...{ root, configFile: false, logLevel: 'error', cacheDir: join(root, '.build/vite-tabs') },
		server: { host: '127.0.0.1', port: 0, watch: null, hmr: false },
		// Named, because a package that is found only while the page runs makes it load anew.
		optimizeDeps: { noDiscovery: true, include: ['idb', '@noble/hashes/sha2.js'] },
	});
	return server.listen();
}

async function start(profile: string, url: string): Promise<Chromium> {
	const child = spawn(
		executablePath,
		[
			...['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
			...['--disable-component-update', '--disable-sync', '--remote-debugging-port=0', `--user-data-dir=${profile}`],
		],
		// A process group of its own, so that all of the browser dies at once.
		{ detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
	);
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
	const browser = await connect(child);
	return {
		async openTab(onAcknowledged = () => undefined) {
			const [context] = browser.contexts();
			if (context === undefined) throw new Error('assertion failed: a browser has a context');
			const page = await context.newPage();
			await page.exposeFunction('acknowledged', onAcknowledged);
			await page.goto(url);
			await page.waitForFunction('window.tab !== undefined');
			return remote(page);
		},
		async kill() {
			if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
				process.kill(-child.pid, 'SIGKILL');
			}
			await ended;
			await browser.close();
		},
	};
}

function remote(page: Page): RemoteTab {
	return {
		call: (name, ...args) =>
			page.evaluate(([called, given]) => Reflect.get(window, 'tab')[called](...given), [name, args] as const),
		async limitStorage(quotaSize) {
			const session = await page.context().newCDPSession(page);
			const { origin } = new URL(page.url());
			// The session stays open with the tab: the limit ends with it.
			await session.send('Storage.overrideQuotaForOrigin', { origin, ...(quotaSize && { quotaSize }) });
		},
		close: () => page.close(),
	};
}

/** Connects once the browser says where; rejects when it ends before, or after 30 s. */
async function connect(child: ChildProcess): Promise<Browser> {
	const address = await new Promise<string>((resolve, reject) => {
		const deadline = setTimeout(() => reject(new Error('Chromium did not start in 30 s')), 30_000);
		let said = '';
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			said += text;
			const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
			if (found === undefined) return;
			clearTimeout(deadline);
			resolve(found);
		});
		child.once('close', () => reject(new Error(`Chromium ended before: ${said}`)));
	});
	return chromium.connectOverCDP(address);
}

function withoutBrowser(name: string): void {
	if (process.env.CI === undefined) {
		describe.skip(`${name} (${advice})`, () => test('in a browser', () => {}));
		return;
	}
	test(name, () => {
		throw new Error(`${name}: ${advice}`);
	});
}
