import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Venue } from '../../sync/acceptance/venue.suite.ts';

const executablePath = '/usr/bin/chromium';
const program = fileURLToPath(new URL('../../scripts/handheld-build.ts', import.meta.url));

/** Builds the page as it is shipped, where it is not; a server that starts afterwards serves it. */
export async function buildPage(): Promise<void> {
	await promisify(execFile)(process.execPath, [program]);
}

/** How a phone is switched on. */
export interface PhoneStart {
	/** What its camera sees, again and again: a y4m file. Absent means that it has none. */
	readonly video?: string;
}

/** A phone with a browser: what is kept on it outlives its pages and its batteries. */
export interface Phone extends AsyncDisposable {
	/** Switches it on; another start ends the one before. */
	start(options?: PhoneStart): Promise<Page>;
	setOffline(isOffline: boolean): Promise<void>;
	/** What its pages said on the console that was an error. */
	readonly errors: readonly string[];
}

/** A phone on which the venue's certificate was installed. */
export async function openPhone(venue: Venue): Promise<Phone> {
	const profile = await mkdtemp(join(tmpdir(), 'stileward-phone-'));
	// Chromium wants base64, and trusts a chain in which it finds the key.
	const pin = Buffer.from(venue.fingerprint, 'base64url').toString('base64');
	const errors: string[] = [];
	let context: BrowserContext | undefined;
	return {
		errors,
		start: async ({ video } = {}) => {
			await context?.close();
			const camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
			context = await chromium.launchPersistentContext(profile, {
				...{ executablePath, headless: true, viewport: { width: 390, height: 780 }, locale: 'en-US' },
				args: [
					...['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
					`--ignore-certificate-errors-spki-list=${pin}`,
					...(video === undefined ? [] : [...camera, `--use-file-for-fake-video-capture=${video}`]),
				],
			});
			const [page] = context.pages();
			if (page === undefined) throw new Error('Chromium opened no page');
			page.on('console', (message) => {
				if (message.type() === 'error') errors.push(message.text());
			});
			page.on('pageerror', (error) => errors.push(String(error)));
			return page;
		},
		setOffline: async (isOffline) => void (await context?.setOffline(isOffline)),
		[Symbol.asyncDispose]: async () => {
			await context?.close();
			await rm(profile, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}

/** Joins the venue as staff do: the address of the QR code, a name for the phone, a name and a PIN for the shift. */
export async function joinAndSignIn(
	page: Page,
	{ link, phone, name, pin }: Readonly<Record<'link' | 'phone' | 'name' | 'pin', string>>,
): Promise<void> {
	await page.goto(link);
	await page.fill('label:nth-of-type(2) input', phone);
	await page.click('button.main');
	await page.waitForSelector('[data-digit]');
	await page.fill('form label input', name);
	for (const digit of pin) await page.click(`[data-digit="${digit}"]`);
	await page.click('button.main');
	await page.waitForSelector('.ready');
}

/** Why the browser would not install the page, in its own words; nothing where it would. */
export async function installProblems(page: Page): Promise<readonly string[]> {
	const browser = await page.context().newCDPSession(page);
	const { installabilityErrors } = await browser.send('Page.getInstallabilityErrors');
	await browser.detach();
	return installabilityErrors.map(({ errorId }) => errorId);
}

/** Waits until the handheld has reached its server and has nothing left to send. */
export async function untilSynced(page: Page): Promise<void> {
	await page.waitForSelector('.link[data-state="online"]', { timeout: 60_000 });
	await page.waitForFunction(() => /\b0\b/.test(document.querySelectorAll('.status li')[2]?.textContent ?? ''), null, {
		timeout: 60_000,
	});
}

/** What a handheld says. */
interface Said {
	readonly tone: string;
	readonly words: string;
}

/** Presents a ticket to a scanner that types; `tookMs` is from its first key to the frame that shows the verdict. */
export async function present(page: Page, text: string): Promise<Said & { readonly tookMs: number }> {
	await page
		.locator('.verdict .tap')
		.click({ timeout: 500 })
		.catch(() => {});
	await page.waitForSelector('.verdict', { state: 'detached' });
	const tookMs = await page.evaluate(typeAsScanner, text);
	return { ...(await verdictOf(page)), tookMs };
}

/** Keys as fast as a scanner has them, which a remote keyboard on a busy machine has not. */
function typeAsScanner(text: string): Promise<number> {
	const startedMs = performance.now();
	const shown = new Promise<number>((resolve, reject) => {
		setTimeout(() => reject(new Error('no verdict came')), 30_000);
		const observer = new MutationObserver(() => {
			if (document.querySelector('.verdict') === null) return;
			observer.disconnect();
			requestAnimationFrame(() => resolve(performance.now() - startedMs));
		});
		observer.observe(document.body, { childList: true, subtree: true });
	});
	for (const key of [...text, 'Enter']) {
		document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
	}
	return shown;
}

/** The verdict that is shown, or the next one. */
export async function verdictOf(page: Page, tone?: string): Promise<Said> {
	const shown = page.locator(tone === undefined ? '.verdict' : `.verdict[data-tone="${tone}"]`);
	await shown.waitFor({ timeout: 30_000 });
	return { tone: (await shown.getAttribute('data-tone')) ?? '', words: (await shown.textContent()) ?? '' };
}
