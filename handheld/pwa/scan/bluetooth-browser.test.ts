import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EmulatedScanner, emulateScanner } from './emulated-scanner.suite.ts';
import {
	describeInChromium,
	launchChromium,
	openScanPage,
	type ScanSite,
	serveScanPage,
} from './scan-browser.suite.ts';

const patience = { timeout: 20_000, interval: 20 };
const connected = ['connection', 'discovery', 'subscribe-to-notifications'];

describeInChromium('bluetooth in the stack of a real browser', () => {
	let site: ScanSite;
	let browser: Browser;
	let page: Page;
	let scanner: EmulatedScanner;

	beforeAll(async () => {
		site = await serveScanPage();
	}, 180_000);
	beforeEach(async () => {
		browser = await launchChromium(['--enable-features=WebBluetooth']);
		page = await openScanPage(browser, site);
	});
	afterEach(() => browser?.close());
	afterAll(() => site?.close());

	const start = () => page.evaluate(() => window.scan.start('bluetooth'));
	const texts = () => page.evaluate(() => window.scan.texts.map(({ text }) => text));

	test('reads the scanner that was chosen, shows it a verdict, and reads on after the link was lost', async () => {
		scanner = await emulateScanner(browser);
		await scanner.choose(page, 'select');
		expect(await start()).toBe('started');
		expect(scanner.asked).toEqual(connected);
		await scanner.notify(page, 'SW1:A ');
		await scanner.notify(page, ' B\r\nSW1:C\r\n');
		expect(await texts()).toEqual(['SW1:A  B', 'SW1:C']);
		await page.evaluate(() => window.scan.session?.signal?.(true));
		await expect.poll(() => scanner.asked.at(-1), patience).toBe('06');

		scanner.asked.length = 0;
		scanner.isInReach = false;
		await scanner.loseLink();
		await expect.poll(() => scanner.asked.length, patience).toBeGreaterThan(1);
		expect(new Set(scanner.asked)).toEqual(new Set(['connection']));
		scanner.isInReach = true;
		await expect.poll(() => scanner.asked.slice(-3), patience).toEqual(connected);
		await scanner.notify(page, 'SW1:D\n');
		expect(await texts()).toEqual(['SW1:A  B', 'SW1:C', 'SW1:D']);
		expect(await page.evaluate(() => window.scan.lost)).toBeUndefined();
	}, 60_000);

	test('lets go of the scanner when it is stopped, and only the next session reads it', async () => {
		scanner = await emulateScanner(browser);
		await scanner.choose(page, 'select');
		expect(await start()).toBe('started');
		const isConnected = await page.evaluate(() => {
			window.scan.session?.stop();
			return (window as unknown as { device: { gatt: { connected: boolean } } }).device.gatt.connected;
		});
		expect(isConnected).toBe(false);
		await scanner.choose(page, 'select');
		expect(await start()).toBe('started');
		await scanner.notify(page, 'SW1:A\n');
		expect(await texts()).toEqual(['SW1:A']);
	}, 60_000);

	test('says why it cannot begin: a person closed the list, no radio, a browser without Bluetooth', async () => {
		scanner = await emulateScanner(browser);
		await scanner.setRadio('absent');
		expect(await start()).toBe('not_supported');
		await scanner.setRadio('powered-on');
		await scanner.choose(page, 'cancel');
		expect(await start()).toBe('bluetooth_denied');
		await page.evaluate(() => Object.defineProperty(navigator, 'bluetooth', { value: undefined }));
		expect(await start()).toBe('not_supported');
	}, 60_000);
});
