import { defineConfig } from 'vitest/config';
import { slowness } from './scripts/lab/slowness.ts';

/** The tests that need a kernel of their own: `npm run lab` runs them in its guest. */
export default defineConfig({
	cacheDir: '/tmp/vitest',
	test: {
		include: ['**/*.lab.test.ts'],
		exclude: ['node_modules/**', '.build/**', 'var/**'],
		// An emulated processor is ten to twenty times slower than the one it runs on.
		testTimeout: 120_000 * slowness,
		hookTimeout: 120_000 * slowness,
		// A program crashes in the emulated processor once in some hundred starts; the report shows each second try.
		retry: 1,
		pool: 'forks',
		isolate: false,
		maxWorkers: 1,
		fileParallelism: false,
	},
});
