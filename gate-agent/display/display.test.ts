import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import type { Screen } from '../core/lane-state.ts';
import { textOf } from '../core/texts.ts';
import { describeInBrowser } from './browser.suite.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';

const timeZone = 'Asia/Shanghai';
const noonMs = Date.UTC(2026, 10, 22, 4);

/** One screen of each kind, and those with the most to show. */
const screens: readonly Screen[] = [
	{ kind: 'idle', mode: 'entry' },
	{ kind: 'granted', direction: 'entry', cls: 'adult', seat: 'Block A · Row 12 · Seat 8' },
	{ kind: 'granted', direction: 'entry', cls: 'child', cue: 'check_height' },
	{ kind: 'granted', direction: 'entry', cls: 'group', group: { taken: 3, of: 20 } },
	{ kind: 'refused', refusal: { reason: 'already_redeemed', lane: 'lane-1', atMs: noonMs } },
	{ kind: 'refused', refusal: { reason: 'not_a_ticket', code: 'payment_code' } },
	{
		kind: 'refused',
		refusal: { reason: 'wrong_zone', zones: Array.from({ length: 16 }, (_, n) => `lake-shore-${n}`) },
	},
	{ kind: 'go_through' },
	{ kind: 'please_wait' },
	{ kind: 'wait_staff', cls: 'child', cue: 'check_id', seat: 'W'.repeat(64) },
	{ kind: 'not_taken', back: true },
	{ kind: 'closed', mode: 'locked' },
	{ kind: 'free' },
	{ kind: 'emergency' },
	{ kind: 'out_of_service', missing: ['scanner', 'relay', 'inputs', 'feedback', 'ledger'] },
];

const opened: HttpServer[] = [];

afterEach(async () => {
	await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function serve(screen: Screen, port = 0): Promise<HttpServer> {
	const server = await startHttpServer({
		host: '127.0.0.1',
		port,
		lanes: [{ id: 'lane-1' }],
		screenOf: () => screen,
		timeZone,
		health: () => ({ ok: true }),
		metrics: async () => ({ contentType: 'text/plain', body: '' }),
		log: () => {},
	});
	opened.push(server);
	return server;
}

/** Opens the display; what goes wrong inside the page fails the test. */
async function openDisplay(page: Page, url: string): Promise<string[]> {
	const problems: string[] = [];
	page.on('pageerror', (error) => problems.push(String(error)));
	page.on('console', (message) => {
		if (message.type() === 'error' && !message.text().includes('ERR_CONNECTION_REFUSED')) problems.push(message.text());
	});
	await page.goto(`${url}/lanes/lane-1?speak=off`);
	await page.waitForSelector('body.fresh');
	return problems;
}

/** A TCP line to a server that can be frozen: connections stay, and nothing comes through. */
async function openLine(port: number): Promise<{ url: string; freeze(): void; thaw(): void; close(): void }> {
	const ends = new Set<Socket>();
	let frozen = false;
	const line = createServer((near) => {
		const far = connect(port, '127.0.0.1');
		for (const [from, to] of [
			[near, far],
			[far, near],
		] as const) {
			ends.add(from);
			from.on('data', (bytes) => to.write(bytes));
			from.on('error', () => to.destroy());
			from.on('close', () => {
				ends.delete(from);
				to.destroy();
			});
			if (frozen) from.pause();
		}
	});
	await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(line.address() as AddressInfo).port}`,
		freeze: () => {
			frozen = true;
			for (const end of ends) end.pause();
		},
		thaw: () => {
			frozen = false;
			for (const end of ends) end.resume();
		},
		close: () => {
			line.close();
			for (const end of ends) end.destroy();
		},
	};
}

const title = (page: Page, language: 'zh' | 'en') => page.locator(`[data-language=${language}] h1`).textContent();

describeInBrowser('the display', (pages) => {
	test('shows every kind of screen with its words, tone and symbol', async () => {
		const server = await serve({ kind: 'idle', mode: 'exit' });
		const page = await pages.open();
		const problems = await openDisplay(page, server.url);
		for (const screen of screens) {
			server.publish('lane-1', screen);
			const text = textOf(screen, { timeZone, nowMs: Date.now() });
			await expect.poll(() => title(page, 'zh'), { interval: 10 }).toBe(text.zh.title);
			expect(await title(page, 'en')).toBe(text.en.title);
			expect(await page.locator('[data-language=en] p').textContent()).toBe(text.en.advice);
			expect(await page.locator('body').getAttribute('data-tone')).toBe(text.tone);
			expect(await page.locator('#mark use').getAttribute('href')).toBe(`#${text.symbol}`);
			expect(await page.locator(`symbol#${text.symbol}`).count()).toBe(1);
			expect(await page.locator(screen.kind === 'idle' ? '#invitation' : '#mark').isVisible()).toBe(true);
			expect(await page.locator('#seat').isVisible()).toBe(text.seat !== undefined);
			expect(await page.locator('#group').isVisible()).toBe(text.progress !== undefined);
		}
		expect(problems).toEqual([]);
	});

	test.each([
		[480, 320],
		[800, 480],
		[1080, 1920],
		[1920, 1080],
		[3840, 2160],
	])('keeps all words on a screen of %i × %i', async (width, height) => {
		const server = await serve({ kind: 'idle', mode: 'entry' });
		const page = await pages.open({ width, height });
		await openDisplay(page, server.url);
		for (const screen of screens) {
			server.publish('lane-1', screen);
			await expect.poll(() => title(page, 'zh'), { interval: 10 }).toBe(textOf(screen, { timeZone }).zh.title);
			const boxes = await page.locator('#words h1, #words p, #seat, #group, #picture').all();
			for (const box of boxes) {
				const area = await box.boundingBox();
				if (area === null || area.width === 0) continue;
				const name = `${screen.kind} ${await box.textContent()}`.slice(0, 60);
				expect(area.x, name).toBeGreaterThanOrEqual(0);
				expect(area.y, name).toBeGreaterThanOrEqual(0);
				expect(area.x + area.width, name).toBeLessThanOrEqual(width);
				expect(area.y + area.height, name).toBeLessThanOrEqual(height);
			}
		}
	});

	test('shows a verdict within 300 ms', async () => {
		const server = await serve({ kind: 'idle', mode: 'entry' });
		const page = await pages.open();
		await openDisplay(page, server.url);
		const shown = page.evaluate(
			() =>
				new Promise<number>((resolve) => {
					new MutationObserver(() => requestAnimationFrame(() => resolve(Date.now()))).observe(document.body, {
						attributeFilter: ['data-tone'],
					});
				}),
		);
		// The page answers in order, so the observer is in place once this is answered.
		await page.evaluate(() => 0);
		const publishedMs = Date.now();
		server.publish('lane-1', { kind: 'granted', direction: 'entry', cls: 'adult' });
		expect((await shown) - publishedMs).toBeLessThan(300);
	});

	test('shows out of service within 5 s when its gate dies, and comes back by itself', async () => {
		const server = await serve({ kind: 'granted', direction: 'entry', cls: 'adult' });
		const page = await pages.open();
		await openDisplay(page, server.url);
		await server.close();
		await expect.poll(() => title(page, 'zh'), { timeout: 5_000 }).toBe('暂停服务');
		expect(await page.locator('body').getAttribute('data-tone')).toBe('stop');
		await serve({ kind: 'idle', mode: 'entry' }, Number(new URL(server.url).port));
		await expect.poll(() => title(page, 'zh'), { timeout: 10_000 }).toBe('请出示门票');
	}, 20_000);

	test('shows out of service when its gate is silent but the connection stays', async () => {
		const server = await serve({ kind: 'idle', mode: 'entry' });
		const line = await openLine(Number(new URL(server.url).port));
		const page = await pages.open();
		await openDisplay(page, line.url);
		line.freeze();
		await expect.poll(() => title(page, 'en'), { timeout: 5_000 }).toBe('Out of service');
		line.thaw();
		await expect.poll(() => title(page, 'en'), { timeout: 10_000 }).toBe('Please show your ticket');
		line.close();
	}, 20_000);

	test('says each verdict once, Chinese first unless asked otherwise', async () => {
		const server = await serve({ kind: 'idle', mode: 'entry' });
		const page = await pages.open();
		await page.addInitScript(() => {
			const said: string[] = [];
			Object.assign(globalThis, { said });
			speechSynthesis.speak = ({ lang, text }) => void said.push(`${lang} ${text}`);
		});
		const spoken = () => page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
		await page.goto(`${server.url}/lanes/lane-1?lang=en,zh`);
		await page.waitForSelector('body.fresh');
		expect(await page.locator('#words .language').first().getAttribute('data-language')).toBe('en');
		expect(await spoken()).toEqual([]);
		const refused: Screen = { kind: 'refused', refusal: { reason: 'not_a_ticket', code: 'payment_code' } };
		server.publish('lane-1', refused);
		server.publish('lane-1', refused);
		const expected = [
			'en-US This is a payment code. Please show your ticket code',
			'zh-CN 这是付款码。请出示门票二维码',
		];
		await expect.poll(spoken).toEqual(expected);
		const group = (taken: number): Screen => ({
			kind: 'granted',
			direction: 'entry',
			cls: 'group',
			group: { taken, of: 3 },
		});
		for (const taken of [0, 1, 2]) server.publish('lane-1', group(taken));
		server.publish('lane-1', { kind: 'free' });
		await expect.poll(() => title(page, 'zh')).toBe('自由通行');
		expect(await spoken()).toEqual([...expected, 'en-US Welcome, please enter', 'zh-CN 请进']);
	});

	test('stands still for people who ask for less motion', async () => {
		const server = await serve({ kind: 'idle', mode: 'entry' });
		const page = await pages.open();
		await page.emulateMedia({ reducedMotion: 'reduce' });
		await openDisplay(page, server.url);
		expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
		await page.emulateMedia({ reducedMotion: 'no-preference' });
		await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0);
	});

	test('announces a verdict to a screen reader', async () => {
		const server = await serve({ kind: 'go_through' });
		const page = await pages.open();
		await openDisplay(page, server.url);
		const status = page.getByRole('status');
		expect(await status.getAttribute('aria-live')).toBe('assertive');
		expect(await status.textContent()).toContain('Please go through');
		expect(await status.locator('[lang=zh-CN]').textContent()).toContain('请通过');
	});
});
