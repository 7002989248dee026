import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { issueTicket } from '../../../gate-agent/core/issue.ts';
import { ed25519Jwk, issuerOf, typical } from '../../../gate-agent/core/test-issuer.suite.ts';
import { holdOffMs } from './hold-off.ts';
import { type Shot, writeQrVideo } from './qr-video.suite.ts';
import {
	describeInChromium,
	launchChromium,
	openScanPage,
	type ScanSite,
	serveScanPage,
} from './scan-browser.suite.ts';

/** Arm's length, near, far, tilted, blurred, in bad light. The first one holds a double space. */
const looks: readonly Omit<Shot, 'text'>[] = [
	{ modulePx: 6, degrees: 0, blurPx: 1, noise: 4 },
	{ modulePx: 11, degrees: 0, blurPx: 2, noise: 4 },
	{ modulePx: 3.5, degrees: 2, blurPx: 1, noise: 4 },
	{ modulePx: 6, degrees: 17, blurPx: 1, noise: 8 },
	{ modulePx: 6, degrees: 45, blurPx: 1.5, noise: 8 },
	{ modulePx: 7, degrees: 5, blurPx: 5, noise: 8 },
	{ modulePx: 6, degrees: -8, blurPx: 2, noise: 60 },
];

/** Compact tickets, of which the first has two spaces side by side. */
async function tickets(count: number): Promise<readonly string[]> {
	const key = await issuerOf(ed25519Jwk);
	const texts: string[] = [];
	for (let idx = 0; texts.length < count; idx++) {
		const text = await issueTicket({ ...typical, idx }, key, 'compact');
		if (texts.length > 0 || text.includes('  ')) texts.push(text);
	}
	return texts;
}

describeInChromium('camera', () => {
	let site: ScanSite;
	let folder: string;
	let shown: readonly string[];
	let browser: Browser;

	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'scan-video-'));
		shown = await tickets(looks.length);
		const video = join(folder, 'tickets.y4m');
		const shots = looks.map((look, index) => ({ ...look, text: shown[index] ?? '' }));
		[site] = await Promise.all([serveScanPage(), writeQrVideo(video, shots)]);
		browser = await launchChromium([
			'--use-fake-device-for-media-stream',
			'--use-fake-ui-for-media-stream',
			`--use-file-for-fake-video-capture=${video}`,
		]);
	}, 180_000);
	afterEach(async () => {
		await Promise.all(browser.contexts().map((context) => context.close()));
	});
	afterAll(async () => {
		await browser?.close();
		await site?.close();
		await rm(folder, { recursive: true });
	});

	test('reads real tickets near, far, tilted, blurred and in bad light, each once while it is in view', async () => {
		const requests: string[] = [];
		const page = await openScanPage(browser, site, requests);
		expect(await page.evaluate(() => window.scan.start('camera'))).toBe('started');
		await sees(page, shown.length);
		const { texts, decodeMs, deliveryMs } = await page.evaluate(() => window.scan);
		expect(new Set(texts.map(({ text }) => text))).toEqual(new Set(shown));
		expect(repeatsWithin(texts, holdOffMs)).toEqual([]);
		expect(requests.filter((url) => !url.startsWith(site.url))).toEqual([]);
		expect(requests.filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
		report('zxing', decodeMs, deliveryMs);
	});

	test("uses the browser's own detector where it reads QR codes, and fetches no decoder then", async () => {
		const requests: string[] = [];
		const page = await openScanPage(browser, site, requests);
		// Chromium on Linux has no service for its detector: one that answers stands in its place.
		await page.evaluate((text) => {
			Object.assign(window, {
				BarcodeDetector: class {
					static async getSupportedFormats() {
						return ['ean_13', 'qr_code'];
					}
					async detect(image: HTMLVideoElement) {
						return image.videoWidth === 1280 ? [{ rawValue: text }] : [];
					}
				},
			});
		}, 'A  B');
		expect(await page.evaluate(() => window.scan.start('camera'))).toBe('started');
		await sees(page, 1);
		expect(await page.evaluate(() => window.scan.texts.map(({ text }) => text))).toEqual(['A  B']);
		expect(requests.filter((url) => url.endsWith('.wasm'))).toEqual([]);
	});

	test('closes the camera while the page is hidden, and reads again when it is seen', async () => {
		const page = await openScanPage(browser, site);
		await page.evaluate(() => window.scan.start('camera'));
		await sees(page, 1);
		await setVisibility(page, 'hidden');
		expect(await page.evaluate(() => document.querySelector('video')?.srcObject)).toBeNull();
		const before = await page.evaluate(() => window.scan.decodeMs.length);
		await setVisibility(page, 'visible');
		await page.waitForFunction((count) => window.scan.decodeMs.length > count + 3, before);
		expect(await page.evaluate(() => window.scan.lost)).toBeUndefined();
	});

	test('opens the camera again when its track ends, and is lost when that never works', async () => {
		const page = await openScanPage(browser, site);
		await page.evaluate(() => window.scan.start('camera'));
		await endTrack(page);
		await page.waitForFunction(() => document.querySelector('video')?.srcObject !== null);
		await page.evaluate(() => {
			navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'));
		});
		await endTrack(page);
		await page.waitForFunction(() => window.scan.lost !== undefined);
		expect(await page.evaluate(() => window.scan.lost)).toBe('device_lost');
	});

	test('lets go of the camera when it is stopped', async () => {
		const page = await openScanPage(browser, site);
		await page.evaluate(() => window.scan.start('camera'));
		const states = await page.evaluate(() => {
			const { srcObject } = document.querySelector('video') as HTMLVideoElement;
			const tracks = (srcObject as MediaStream).getTracks();
			window.scan.session?.stop();
			window.scan.session?.stop();
			return tracks.map(({ readyState }) => readyState);
		});
		expect(states).toEqual(['ended']);
	});

	test('says why it cannot begin: no camera, not allowed, no camera in this kind of page', async () => {
		const plain = await launchChromium([]);
		try {
			const page = await openScanPage(plain, site);
			expect(await page.evaluate(() => window.scan.start('camera'))).toBe('no_camera');
			await page.evaluate(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }));
			expect(await page.evaluate(() => window.scan.start('camera'))).toBe('not_supported');
		} finally {
			await plain.close();
		}
		const deaf = await launchChromium(['--use-fake-device-for-media-stream', '--deny-permission-prompts']);
		try {
			const page = await openScanPage(deaf, site);
			expect(await page.evaluate(() => window.scan.start('camera'))).toBe('camera_denied');
		} finally {
			await deaf.close();
		}
	});
});

async function sees(page: Page, count: number): Promise<void> {
	const seen = (least: number) => new Set(window.scan.texts.map(({ text }) => text)).size >= least;
	await page.waitForFunction(seen, count, { timeout: 30_000 }).catch(async (cause: unknown) => {
		const texts = await page.evaluate(() => window.scan.texts.map(({ text }) => text));
		throw new Error(`read ${new Set(texts).size} of ${count} codes`, { cause });
	});
}

/** A headless browser hides no page: the page is told what a phone tells it. */
async function setVisibility(page: Page, state: 'hidden' | 'visible'): Promise<void> {
	await page.evaluate((value) => {
		Object.defineProperty(document, 'visibilityState', { value, configurable: true });
		document.dispatchEvent(new Event('visibilitychange'));
	}, state);
}

/** What a browser does when another program takes the camera. */
async function endTrack(page: Page): Promise<void> {
	await page.evaluate(() => {
		const stream = document.querySelector('video')?.srcObject as MediaStream;
		for (const track of stream.getTracks()) track.dispatchEvent(new Event('ended'));
	});
}

/** Texts that came again although they were in sight less than `ms` ago, by their deliveries. */
function repeatsWithin(texts: readonly { readonly text: string; readonly atMs: number }[], ms: number) {
	return texts.filter(({ text, atMs }, index) =>
		texts.slice(0, index).some((before) => before.text === text && atMs - before.atMs < ms),
	);
}

function report(name: string, decodeMs: readonly number[], deliveryMs: readonly number[]): void {
	const of = (all: readonly number[], part: number) =>
		(all.toSorted((a, b) => a - b)[Math.floor(all.length * part)] ?? Number.NaN).toFixed(1);
	const figures = (all: readonly number[]) => `p50 ${of(all, 0.5)} ms, p99 ${of(all, 0.99)} ms (${all.length})`;
	process.stdout.write(`${name}: a picture ${figures(decodeMs)}; shown to delivered ${figures(deliveryMs)}\n`);
}
