import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBrowser } from '../../gate-agent/display/browser.suite.ts';
import { buildHandheld, handheldFolder } from '../handheld-build.ts';
import { type Practice, startPractice } from './practice.suite.ts';
import { openSimulatedDevices } from './practice-devices.ts';

/** For what the server has a part in. */
const slow = { timeout: 20_000 };

/** A handheld takes an admission for good once nobody can take it back any more, and tells of it then. */
const settling = { timeout: 60_000, interval: 500 };

describeInBrowser('the handheld of the practice', (pages) => {
	let practice: Practice;
	beforeAll(async () => {
		await buildHandheld(() => {});
		practice = await startPractice(openSimulatedDevices, { builtHandheld: Promise.resolve(handheldFolder) });
	}, 120_000);
	afterAll(() => practice.close());

	const pin = (role: 'steward' | 'supervisor') => practice.venue.state().handheld.pins[role];
	const ticket = (page: Page, name: string) => page.locator(`[data-ticket=${name}] .status`).textContent();

	/** Opens the practice page. */
	async function open(): Promise<Page> {
		const page = await pages.open({ width: 1440, height: 900 });
		await page.goto(practice.server.url);
		await page.waitForSelector('[data-ticket=adult] .status:not(:empty)');
		return page;
	}

	/** Follows the link of the page, as a person does. */
	async function follow(page: Page): Promise<Page> {
		await page.waitForSelector('#handheld-open[href]');
		const context: BrowserContext = page.context();
		const [handheld] = await Promise.all([context.waitForEvent('page'), page.click('#handheld-open')]);
		await handheld.setViewportSize({ width: 390, height: 844 });
		return handheld;
	}

	async function signIn(handheld: Page): Promise<void> {
		await handheld.getByLabel('Staff name').fill('steward');
		await handheld.getByLabel('PIN').fill(pin('steward'));
		await handheld.getByRole('button', { name: 'Sign in' }).click();
		await handheld.locator('.stage').waitFor();
	}

	/** As a scan engine types: all keys within the time that tells them from a hand's, however busy this machine is. */
	const typeFast = (handheld: Page, code: string) =>
		handheld.evaluate((text) => {
			for (const key of [...text, 'Enter'])
				document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
		}, code);

	test('opens by its link, enrolls, signs in and admits a ticket that a lane then refuses', async () => {
		const page = await open();
		const handheld = await follow(page);
		await handheld.getByLabel('Name of this device').fill('Handheld 1');
		await handheld.getByRole('button', { name: 'Join' }).click();
		await handheld.getByLabel('PIN').waitFor();
		expect(new URL(handheld.url()).hash).toBe('');
		await expect.poll(() => page.locator('#handheld-state').textContent(), slow).toContain('It has joined');
		await signIn(handheld);
		await typeFast(handheld, practice.venue.samples().adult.code);
		await handheld.locator('.verdict[data-tone=go]').waitFor();
		await expect.poll(() => ticket(page, 'adult'), settling).toMatch(/^used: handheld-1 [0-9:]+, server agreed$/);
		await page.click('[data-sample=adult]');
		const display = page.frameLocator('[data-lane=lane-1] .display').locator('[data-language=en] h1');
		await expect.poll(() => display.textContent(), slow).toBe('This ticket was already used');
	}, 120_000);

	test('decides on its own while it is cut off, and the double entry is a case once it is joined', async () => {
		const page = await open();
		await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
		const handheld = await follow(page);
		await handheld.getByLabel('Name of this device').fill('Handheld 2');
		await handheld.getByRole('button', { name: 'Join' }).click();
		await signIn(handheld);
		await handheld.locator('.link[data-state=online]').waitFor();
		await page.bringToFront();
		await page.click('#handheld-cable');
		await expect.poll(() => page.locator('#handheld-state').textContent(), slow).toContain('decides on its own');
		await page.click('[data-copy=adult_c]');
		const copied = () => page.evaluate(() => navigator.clipboard.readText());
		await expect.poll(copied).toBe(practice.venue.samples().adult_c.code);
		await handheld.bringToFront();
		await handheld.keyboard.press('ControlOrMeta+v');
		await handheld.locator('.verdict[data-tone=go]').waitFor();
		await practice.venue.act({ kind: 'present', sample: 'adult_c', at: 'lane-2', walk: true });
		await expect.poll(() => ticket(page, 'adult_c'), slow).toContain('used: Lane 2');
		await page.bringToFront();
		await page.click('#handheld-cable');
		const found = page.locator('[data-case]').first();
		await expect.poll(() => found.locator('ul').textContent(), { timeout: 40_000 }).toContain('handheld-2');
	}, 120_000);
});
