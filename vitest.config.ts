import { existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const chromium = '/usr/bin/chromium';
const unread = ['node_modules/**', '.build/**', 'var/**', '**/*.lab.test.ts'];

const inNode: TestProjectInlineConfiguration = {
	extends: true,
	test: { name: 'node', include: ['**/*.test.ts'], exclude: [...unread, '**/*.browser.test.ts'] },
};

/** What only a browser has: IndexedDB, Web Locks, the camera. */
const inBrowser: TestProjectInlineConfiguration = {
	extends: true,
	// Its warnings are about its own files.
	logLevel: 'error',
	// Named, because a package that is found only while tests run makes the page load anew under them.
	optimizeDeps: { include: ['idb', 'jose', '@noble/hashes/sha2.js', '@yoursunny/webcrypto-ed25519', 'fast-check'] },
	test: {
		name: 'browser',
		include: ['**/*.browser.test.ts'],
		exclude: unread,
		browser: {
			enabled: true,
			headless: true,
			screenshotFailures: false,
			provider: playwright({
				launchOptions: { executablePath: chromium, args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] },
			}),
			instances: [{ browser: 'chromium' }],
		},
	},
};

function projects(): TestProjectInlineConfiguration[] {
	if (existsSync(chromium)) return [inNode, inBrowser];
	const advice = 'tests in a browser need one: apt-get install chromium fonts-noto-cjk';
	if (process.env.CI) throw new Error(advice);
	process.stderr.write(`left out: ${advice}\n`);
	return [inNode];
}

/** A ledger in memory is a fault, and some systems have their folder of temporary files there (statfs(2): TMPFS_MAGIC). */
const tmpfs = 0x01021994;
const temporary = statfsSync(tmpdir()).type === tmpfs ? { TMPDIR: '/var/tmp' } : {};

export default defineConfig({
	cacheDir: '.build/vite',
	test: {
		env: temporary,
		projects: projects(),
		testTimeout: 60_000,
		// Two cores are enough for anyone's laptop; device tests have deadlines that a crowd of workers would break.
		maxWorkers: 2,
		// Device tests have real deadlines and CI's machine is shared: one more try there, which the report shows.
		retry: process.env.CI ? 1 : 0,
	},
});
