import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, test } from 'vitest';

const executablePath = '/usr/bin/chromium';
const advice = 'needs a real browser: apt-get install chromium fonts-noto-cjk';

/** Opens pages of one real, headless browser. */
export interface Pages {
	open(viewport?: { readonly width: number; readonly height: number }): Promise<Page>;
}

/**
 * Tests in a real Chromium. Without one they are skipped with the advice in their name, and under CI they fail, so
 * that nobody takes a page for tested that was not.
 */
export function describeInBrowser(name: string, define: (pages: Pages) => void): void {
	if (!existsSync(executablePath)) {
		withoutBrowser(name);
		return;
	}
	describe(name, () => {
		let browser: Browser | undefined;
		beforeAll(async () => {
			browser = await launch();
		}, 30_000);
		afterEach(async () => {
			await Promise.all((browser?.contexts() ?? []).map((context) => context.close()));
		});
		afterAll(() => browser?.close());
		define({
			open: async (viewport = { width: 1280, height: 720 }) => {
				if (browser === undefined) throw new Error('assertion failed: the browser is open in tests only');
				return browser.newPage({ viewport });
			},
		});
	});
}

function launch(): Promise<Browser> {
	return chromium.launch({
		executablePath,
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
			'--no-first-run',
			'--disable-quic',
		],
	});
}

function withoutBrowser(name: string): void {
	if (process.env.CI === undefined) {
		describe.skip(`${name} (${advice})`, () => test('in a browser', () => {}));
		return;
	}
	test(name, () => {
		throw new Error(`${name}: ${advice}`);
	});
}
