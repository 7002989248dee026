import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBrowser } from '../../gate-agent/display/browser.suite.ts';
import { type LaneId, sampleNames } from './page/practice-wire.ts';
import { type Practice, startPractice } from './practice.suite.ts';
import { openPracticeDevices } from './practice-devices.ts';

const first = '[data-lane=lane-1]';

/** For what the server or a cable has a part in. */
const slow = { timeout: 15_000 };

describeInBrowser('the practice page', (pages) => {
	let practice: Practice;
	beforeAll(async () => {
		practice = await startPractice(openPracticeDevices);
	}, 60_000);
	afterAll(() => practice.close());

	/** Opens the page; what goes wrong inside it fails the test. */
	async function open(): Promise<{ page: Page; problems: string[] }> {
		const page = await pages.open({ width: 1440, height: 900 });
		const problems: string[] = [];
		page.on('pageerror', (error) => problems.push(String(error)));
		page.on('console', (message) => {
			if (message.type() === 'error') problems.push(message.text());
		});
		await page.goto(practice.server.url);
		await page.waitForSelector(`${first} .journal li`);
		await page.waitForSelector('[data-ticket=adult] .status:not(:empty)');
		return { page, problems };
	}

	const verdict = (page: Page, lane: LaneId = 'lane-1') =>
		page.frameLocator(`[data-lane=${lane}] .display`).locator('[data-language=en] h1').textContent();
	const newest = (page: Page) => page.locator(`${first} .journal li span`).first().textContent();
	const text = (page: Page, selector: string) => page.locator(selector).textContent();
	const more = (page: Page) => page.click(`${first} summary`);

	test('presents a ticket, opens, lets a visitor through and writes it down', async () => {
		const { page, problems } = await open();
		expect(await page.locator('#samples img').count()).toBe(sampleNames.length);
		await page.click('[data-sample=adult]');
		await expect.poll(() => verdict(page), slow).toBe('Welcome, please enter');
		await expect.poll(() => newest(page), slow).toBe('granted: Adult');
		await page.click(`${first} .walk`);
		await expect.poll(() => newest(page), slow).toBe('went through');
		await expect.poll(() => text(page, `${first} .gate-state`), slow).toContain('Visitors through: 1');
		await page.click('[data-sample=adult]');
		await expect.poll(() => verdict(page), slow).toBe('This ticket was already used');
		await page.fill('#own-text', 'https://example.org/');
		await page.press('#own-text', 'Enter');
		await expect.poll(() => verdict(page), slow).toBe('This code is a web link');
		expect(problems).toEqual([]);
	}, 60_000);

	test('shows an unplugged scanner, and that it is back', async () => {
		const { page } = await open();
		await more(page);
		await page.click(`${first} .scanner-plug`);
		await expect.poll(() => verdict(page), slow).toBe('Out of service');
		await page.click('[data-sample=payment]');
		await expect.poll(() => page.getByRole('alert').textContent(), slow).toContain('Press "Plug scanner in"');
		await page.click(`${first} .scanner-plug`);
		await expect.poll(() => verdict(page), slow).toBe('Please show your ticket');
	}, 60_000);

	test('shows the way of a ticket, link by link', async () => {
		const { page } = await open();
		const link = (name: string) => text(page, `${first} [data-link=${name}] span`);
		expect(await Promise.all(['ticket', 'scanner', 'server', 'decision'].map(link))).toEqual([
			'pick one',
			'connected',
			'answers',
			'waiting',
		]);
		await page.click('#new-tickets');
		await expect.poll(() => text(page, '[data-ticket=adult] .status'), slow).toBe('valid');
		await page.click('[data-sample=adult]');
		await expect.poll(() => link('decision'), slow).toBe('granted: Adult');
		await expect
			.poll(() => Promise.all(['ticket', 'relay', 'turnstile'].map(link)))
			.toEqual(['Adult A', 'pulsed', 'open']);
		await page.click(`${first} .walk`);
		await expect.poll(() => link('turnstile'), slow).toBe('shut');
		await page.click('[data-sample=forged]');
		await expect.poll(() => link('decision'), slow).toBe('refused: bad signature');
		expect(await link('relay')).toBe('at rest');
	}, 60_000);

	test('moves nothing when a notice comes, and names the button that helps', async () => {
		const { page } = await open();
		await more(page);
		const place = () => page.locator(first).evaluate((lane) => lane.getBoundingClientRect().top + window.scrollY);
		await page.click(`${first} .scanner-plug`);
		await expect.poll(() => text(page, `${first} .scanner-plug`), slow).toBe('Plug scanner in');
		const before = await place();
		await page.click('[data-sample=payment]');
		await page.getByRole('alert').waitFor();
		expect(await place()).toEqual(before);
		await page.click(`${first} .scanner-plug`);
		await expect.poll(() => text(page, `${first} .scanner-plug`), slow).toBe('Unplug scanner');
		await expect.poll(() => verdict(page), slow).toBe('Please show your ticket');
	}, 60_000);

	test('fits a phone without scrolling sideways, and brings the gate into view when a ticket is presented', async () => {
		const { page } = await open();
		await page.setViewportSize({ width: 390, height: 844 });
		const width = () => page.evaluate(() => document.documentElement.scrollWidth);
		expect(await width()).toBe(390);
		await page.click('[data-sample=payment]');
		const top = async () => (await page.locator(`${first} .display`).boundingBox())?.y;
		await expect.poll(top).toBeGreaterThanOrEqual(0);
	});

	test('speaks both languages, with every text and every control named', async () => {
		const { page, problems } = await open();
		const texts = () =>
			page
				.locator('[data-t], #samples strong, #samples small, .mode option, #story [role=status], #links *')
				.allTextContents();
		const english = await texts();
		await page.click('#language');
		const chinese = await texts();
		expect(english.every((each) => /[a-z]/i.test(each))).toBe(true);
		expect(chinese.every((each) => /\p{Script=Han}/u.test(each))).toBe(true);
		expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
		const unnamed = await page.evaluate(() =>
			[...document.querySelectorAll<HTMLElement>('button, select, input, iframe, [role=log], [role=img]')]
				.filter((control) => {
					const labels = 'labels' in control ? [...((control as HTMLInputElement).labels ?? [])] : [];
					const ids = (control.getAttribute('aria-labelledby') ?? '').split(' ').filter((id) => id !== '');
					const named = [...labels, ...ids.map((id) => document.getElementById(id))];
					const own = control.matches('[role]') ? '' : control.textContent;
					return `${own}${control.title}${named.map((each) => each?.textContent).join('')}`.trim() === '';
				})
				.map(({ className }) => className),
		);
		expect(unnamed).toEqual([]);
		const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map(({ id }) => id));
		expect(new Set(ids).size).toBe(ids.length);
		expect(problems).toEqual([]);
	});

	test('works by keyboard alone', async () => {
		const { page } = await open();
		await page.locator('[data-sample=forged]').focus();
		await page.keyboard.press('Enter');
		await expect.poll(() => verdict(page), slow).toBe('This ticket failed the check');
		await page.locator('#at input:checked').focus();
		await page.keyboard.press('ArrowRight');
		await page.locator('[data-sample=forged]').focus();
		await page.keyboard.press('Enter');
		await expect.poll(() => verdict(page, 'lane-2'), slow).toBe('This ticket failed the check');
	});

	test('tells the story: one opens, the refund refuses, cut off both open, and the case comes', async () => {
		const { page, problems } = await open();
		const did = (name: string) => page.click(`[data-do=${name}]`);
		const step = (name: string) => text(page, `[data-step=${name}] [role=status]`);
		const ticket = (name: string) => text(page, `[data-ticket=${name}] .status`);
		await page.click('#again');
		await expect.poll(() => ticket('adult'), slow).toBe('valid');
		await did('present_a');
		await expect.poll(() => ticket('adult'), slow).toMatch(/^used: Lane [12] [0-9:]+, server agreed$/);
		expect(await step('once')).toBe('One gate opened, the other refused.');
		await did('refund_b');
		await expect.poll(() => ticket('adult_b'), slow).toBe('refunded');
		await did('present_b');
		await expect.poll(() => verdict(page), slow).toBe('This ticket was canceled');
		await expect.poll(() => step('refund'), slow).toBe('The gate knew of the refund and refused.');
		await did('cut');
		await expect.poll(() => text(page, '[data-gate=lane-2] .status'), slow).toContain('cable cut');
		await did('present_c');
		await expect.poll(() => step('cut'), slow).toBe('Both opened, and each wrote it down.');
		await expect.poll(() => text(page, '[data-gate=lane-1] .status'), slow).toMatch(/[2-9] rows waiting/);
		await did('heal');
		const found = page.locator('[data-case]').first();
		await expect.poll(() => found.locator('strong').textContent(), { timeout: 40_000 }).toContain('Adult C');
		expect(await found.locator('ul').textContent()).toMatch(/Lane 1.*gate alone.*Lane 2.*gate alone|Lane 2.*Lane 1/);
		await found.locator('input').fill('two friends, one ticket');
		await found.locator('button').click();
		await expect.poll(() => found.locator('p').textContent()).toBe('Closed: two friends, one ticket');
		expect(problems).toEqual([]);
	}, 120_000);
});
