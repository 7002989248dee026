import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type ScriptedSite, startScriptedSite } from './scripted-site.suite.ts';

/** One picture: how the page stands, and what is done to get there. */
interface Picture {
	readonly name: string;
	readonly state?: string;
	readonly language?: 'zh-CN' | 'en';
	readonly theme?: 'auto' | 'light' | 'sunlight' | 'dark';
	readonly largeText?: boolean;
	readonly size?: readonly [width: number, height: number];
	readonly steps?: (page: Page) => Promise<void>;
}

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = join(here, '../pictures');

const present = (text: string) => async (page: Page) => {
	await page.waitForSelector('.ready');
	await page.evaluate(`scripted.present('${text}')`);
	await page.waitForSelector('.verdict');
};

const sheet = (entry: string) => async (page: Page) => {
	await page.click('.actions button');
	await page.click(`[data-entry=${entry}]`);
};

const look = async (page: Page) => {
	await page.click('.actions button:nth-child(3)');
	await present('granted')(page);
};

const override = async (page: Page) => {
	await present('used')(page);
	await page.click('.actions button:nth-child(2)');
};

const history = async (page: Page) => {
	await present('used')(page);
	await page.click('.actions button:nth-child(1)');
	await page.waitForSelector('.uses li');
};

const pin = async (page: Page) => {
	await page.click('.name');
	for (const digit of '0000') await page.click(`[data-digit="${digit}"]`);
	await page.click('[type=submit]');
	await page.waitForSelector('.problem:not(:empty)');
};

const pictures: readonly Picture[] = [
	{ name: 'enroll', state: 'unenrolled' },
	{ name: 'sign-in', state: 'signed_out' },
	{ name: 'pin-locked', state: 'signed_out', language: 'en', theme: 'dark', steps: pin },
	{ name: 'ready' },
	{ name: 'lost', state: 'lost', language: 'en' },
	{ name: 'granted', steps: present('granted') },
	{ name: 'granted-en', language: 'en', steps: present('annual') },
	{ name: 'cue', steps: present('cue') },
	{ name: 'group', language: 'en', steps: present('group') },
	{ name: 'confirm', steps: present('confirm') },
	{ name: 'used', steps: present('used') },
	{ name: 'used-large', language: 'en', largeText: true, steps: present('used') },
	{ name: 'used-narrow', language: 'en', size: [320, 568], steps: present('used') },
	{ name: 'group-landscape', language: 'en', size: [740, 360], steps: present('group') },
	{ name: 'granted-landscape', size: [740, 360], steps: present('granted') },
	{ name: 'looked', language: 'en', steps: look },
	{ name: 'override', steps: override },
	{ name: 'history', language: 'en', theme: 'dark', steps: history },
	{ name: 'menu', theme: 'sunlight', steps: (page) => page.click('.actions button') },
	{ name: 'without-ticket', steps: (page) => page.click('.actions button:nth-child(2)') },
	{ name: 'typed', language: 'en', steps: sheet('typed') },
	{ name: 'lanes', language: 'en', steps: sheet('lanes') },
	{ name: 'settings', theme: 'dark', steps: sheet('settings') },
];

/** Takes the pictures of the README, all or those that are named. */
async function takePictures(site: ScriptedSite, browser: Browser, names: readonly string[]): Promise<void> {
	mkdirSync(folder, { recursive: true });
	for (const picture of pictures.filter(({ name }) => names.length === 0 || names.includes(name))) {
		const [width, height] = picture.size ?? [390, 780];
		const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
		const kept = { theme: picture.theme ?? 'auto', largeText: picture.largeText ?? false };
		await context.addInitScript(
			(settings) => localStorage.setItem('stileward.handheld.settings', settings),
			JSON.stringify({ ...kept, language: picture.language === 'en' ? 'en' : 'zh' }),
		);
		const page = await context.newPage();
		await page.goto(`${site.url}?state=${picture.state ?? 'working'}`);
		await page.waitForSelector('main');
		await picture.steps?.(page);
		await page.screenshot({ path: join(folder, `${picture.name}.png`) });
		await context.close();
	}
}

/** Draws the icons that a home screen wants as pixels. */
async function drawIcons(browser: Browser): Promise<void> {
	const svg = readFileSync(join(here, '../public/icon.svg'), 'utf8');
	for (const size of [192, 512]) {
		const page = await browser.newPage({ viewport: { width: size, height: size } });
		// The ground reaches every edge: a home screen cuts its own shape.
		await page.setContent(`<body style="margin:0;background:#0a1626"><div style="padding:10%">${svg}</div></body>`);
		await page.screenshot({ path: join(here, `../public/icon-${size}.png`) });
		await page.close();
	}
}

if (import.meta.main) {
	const browser = await chromium.launch({
		executablePath: '/usr/bin/chromium',
		args: ['--no-sandbox', '--disable-gpu'],
	});
	if (process.argv.includes('icons')) await drawIcons(browser);
	else {
		const site = await startScriptedSite();
		await takePictures(site, browser, process.argv.slice(2));
		await site.close();
	}
	await browser.close();
}
