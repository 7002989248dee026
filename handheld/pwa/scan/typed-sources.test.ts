import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
	describeInChromium,
	launchChromium,
	openScanPage,
	type ScanSite,
	serveScanPage,
} from './scan-browser.suite.ts';

describeInChromium('sources that type and paste', () => {
	let site: ScanSite;
	let browser: Browser;
	let page: Page;

	beforeAll(async () => {
		site = await serveScanPage();
		browser = await launchChromium([]);
	}, 180_000);
	beforeEach(async () => {
		page = await openScanPage(browser, site);
	});
	afterAll(async () => {
		await browser?.close();
		await site?.close();
	});

	const texts = () => page.evaluate(() => window.scan.texts.map(({ text }) => text));

	test('a scan engine types a code outside of fields, also without Enter', async () => {
		await page.evaluate(() => window.scan.start('wedge'));
		await typeFast(page, [...'SW1:A  B', 'Enter']);
		expect(await texts()).toEqual(['SW1:A  B']);
		await typeFast(page, [...'SW1:C ']);
		await page.waitForFunction(() => window.scan.texts.length === 2);
		expect(await texts()).toEqual(['SW1:A  B', 'SW1:C ']);
	});

	test('the Enter of a code presses no button, that of a person does', async () => {
		await page.evaluate(() => {
			const button = document.body.appendChild(document.createElement('button'));
			button.addEventListener('click', () => {
				document.title = 'pressed';
			});
			button.focus();
			return window.scan.start('wedge');
		});
		expect(await typeFast(page, [...'SW1:AB', 'Enter'])).toBe(true);
		await page.keyboard.press('Enter');
		expect(await page.title()).toBe('pressed');
		expect(await texts()).toEqual(['SW1:AB']);
	});

	test('leaves what a person types into a field where it is', async () => {
		await page.evaluate(() => window.scan.start('wedge'));
		await page.locator('#field').pressSequentially('lantern-2026');
		await page.keyboard.press('Enter');
		expect(await page.locator('#field').inputValue()).toBe('lantern-2026');
		expect(await texts()).toEqual([]);
	});

	test('takes a whole text that an engine sets at once, and no word of a keyboard', async () => {
		await page.evaluate(() => window.scan.start('wedge'));
		await page.locator('#field').focus();
		await page.keyboard.insertText('SW1:0123456789  ABCDEF');
		await page.keyboard.insertText('lantern');
		expect(await texts()).toEqual(['SW1:0123456789  ABCDEF']);
		expect(await page.locator('#field').inputValue()).toBe('lantern');
	});

	test('says unreadable for what is too long, and nothing after it is stopped', async () => {
		await page.evaluate(() => window.scan.start('wedge'));
		await page.locator('#field').focus();
		await page.keyboard.insertText('A'.repeat(4097));
		expect(await page.evaluate(() => window.scan.unreadable)).toBe(1);
		await page.evaluate(() => window.scan.session?.stop());
		await page.locator('#field').blur();
		await typeFast(page, [...'SW1:AB', 'Enter']);
		expect(await texts()).toEqual([]);
	});

	test('reads what is pasted outside of fields, with its spaces', async () => {
		await page.evaluate(() => window.scan.start('paste'));
		await paste(page, 'body', 'SW1:A  B \r\n');
		await paste(page, '#field', 'an order number');
		expect(await texts()).toEqual(['SW1:A  B ']);
	});
});

/** Presses keys without a pause, as no driver of a browser can in time; answers whether the last one was taken. */
function typeFast(page: Page, keys: readonly string[]): Promise<boolean> {
	return page.evaluate((all) => {
		const target = document.activeElement ?? document.body;
		const press = (key: string) =>
			!target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
		return all.map(press).at(-1) ?? false;
	}, keys);
}

async function paste(page: Page, selector: string, text: string): Promise<void> {
	await page.locator(selector).evaluate((element, value) => {
		const clipboardData = new DataTransfer();
		clipboardData.setData('text/plain', value);
		element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
	}, text);
}
