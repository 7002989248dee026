import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBrowser } from '../../gate-agent/display/browser.suite.ts';
import { sampleNames } from './page/practice-wire.ts';
import { type Practice, startPractice } from './practice.suite.ts';
import { openPracticeDevices } from './practice-devices.ts';

describeInBrowser('the practice page', (pages) => {
	let practice: Practice;
	beforeAll(async () => {
		practice = await startPractice(openPracticeDevices);
	}, 30_000);
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
		await page.waitForSelector('#journal li');
		return { page, problems };
	}

	const verdict = (page: Page) => page.frameLocator('#display').locator('[data-language=en] h1').textContent();
	const newest = (page: Page) => page.locator('#journal li span').first().textContent();

	test('presents a ticket, opens, lets a visitor through and writes it down', async () => {
		const { page, problems } = await open();
		expect(await page.locator('#samples img').count()).toBe(sampleNames.length);
		await page.click('[data-sample=adult]');
		await expect.poll(() => verdict(page)).toBe('Welcome, please enter');
		await expect.poll(() => newest(page)).toBe('granted: Adult');
		await page.click('#walk');
		await expect.poll(() => newest(page)).toBe('went through');
		await expect.poll(() => page.locator('#gate-state').textContent()).toContain('Visitors through: 1');
		await page.click('[data-sample=adult]');
		await expect.poll(() => verdict(page)).toBe('This ticket was already used');
		await page.fill('#own-text', 'https://example.org/');
		await page.press('#own-text', 'Enter');
		await expect.poll(() => verdict(page)).toBe('This code is a web link');
		expect(problems).toEqual([]);
	}, 30_000);

	test('shows an unplugged scanner, and that it is back', async () => {
		const { page } = await open();
		await page.click('#scanner-plug');
		await expect.poll(() => verdict(page), { timeout: 5_000 }).toBe('Out of service');
		await page.click('[data-sample=payment]');
		await expect.poll(() => page.getByRole('alert').textContent()).toContain('Press "Plug scanner in"');
		await page.click('#scanner-plug');
		await expect.poll(() => verdict(page), { timeout: 8_000 }).toBe('Please show your ticket');
	}, 30_000);

	test('shows the way of a ticket, link by link', async () => {
		const { page } = await open();
		const link = (name: string) => page.locator(`[data-link=${name}] span`).textContent();
		expect(await Promise.all(['ticket', 'scanner', 'decision'].map(link))).toEqual([
			'pick one',
			'connected',
			'waiting',
		]);
		await page.click('#new-tickets');
		await page.click('[data-sample=adult]');
		await expect.poll(() => link('decision')).toBe('granted: Adult');
		await expect
			.poll(() => Promise.all(['ticket', 'relay', 'turnstile'].map(link)))
			.toEqual(['Adult', 'pulsed', 'open']);
		await page.click('#walk');
		await expect.poll(() => link('turnstile')).toBe('shut');
		await page.click('[data-sample=forged]');
		await expect.poll(() => link('decision')).toBe('refused: bad signature');
		expect(await link('relay')).toBe('at rest');
	}, 30_000);

	test('moves nothing when a notice comes, and names the button that helps', async () => {
		const { page } = await open();
		const place = () => page.locator('#gate').boundingBox();
		await page.click('#scanner-plug');
		await expect.poll(() => page.locator('#scanner-plug').textContent()).toBe('Plug scanner in');
		const before = await place();
		await page.click('[data-sample=payment]');
		await page.getByRole('alert').waitFor();
		expect(await place()).toEqual(before);
		await page.click('#scanner-plug');
		await expect.poll(() => page.locator('#scanner-plug').textContent()).toBe('Unplug scanner');
		await expect.poll(() => verdict(page), { timeout: 8_000 }).toBe('Please show your ticket');
	}, 30_000);

	test('fits a phone without scrolling sideways, and brings the gate into view when a ticket is presented', async () => {
		const { page } = await open();
		await page.setViewportSize({ width: 390, height: 844 });
		const width = () => page.evaluate(() => document.documentElement.scrollWidth);
		expect(await width()).toBe(390);
		await page.click('[data-sample=payment]');
		await expect.poll(async () => (await page.locator('#display').boundingBox())?.y).toBeGreaterThanOrEqual(0);
	});

	test('speaks both languages, with every text and every control named', async () => {
		const { page, problems } = await open();
		const texts = () => page.locator('[data-t], #samples strong, #samples small, #mode option').allTextContents();
		const english = await texts();
		await page.click('#language');
		const chinese = await texts();
		expect(english.every((text) => /[a-z]/i.test(text))).toBe(true);
		expect(chinese.every((text) => /\p{Script=Han}/u.test(text))).toBe(true);
		expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
		const unnamed = await page.evaluate(() =>
			[...document.querySelectorAll<HTMLElement>('button, select, input, iframe')]
				.filter((control) => {
					const labels = 'labels' in control ? [...((control as HTMLInputElement).labels ?? [])] : [];
					return `${control.textContent}${control.title}${labels.map((label) => label.textContent)}`.trim() === '';
				})
				.map(({ id }) => id),
		);
		expect(unnamed).toEqual([]);
		expect(problems).toEqual([]);
	});

	test('works by keyboard alone', async () => {
		const { page } = await open();
		await page.locator('[data-sample=forged]').focus();
		await page.keyboard.press('Enter');
		await expect.poll(() => verdict(page)).toBe('This ticket failed the check');
	});
});
