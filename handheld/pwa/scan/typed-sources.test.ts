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

	test('a page that is busy for longer than a pause cuts no code in two', async () => {
		await page.evaluate(() => window.scan.start('wedge'));
		await page.evaluate(() => {
			const startMs = performance.now();
			const press = (key: string, index: number) => {
				const event = new KeyboardEvent('keydown', { key, bubbles: true });
				// A key that waits in the queue keeps the time at which it was pressed.
				Object.defineProperty(event, 'timeStamp', { value: startMs + index });
				document.body.dispatchEvent(event);
			};
			[...'SW1:AB'].forEach(press);
			const pressRest = () => {
				for (const [index, key] of ['C', 'D', 'Enter'].entries()) press(key, index + 6);
			};
			setTimeout(pressRest, 150);
			// Both timers are due by then, and that of the pause comes first.
			while (performance.now() < startMs + 300);
		});
		await page.waitForFunction(() => window.scan.texts.length > 0);
		expect(await texts()).toEqual(['SW1:ABCD']);
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
