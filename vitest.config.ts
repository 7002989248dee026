import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['**/*.test.ts'],
		exclude: ['node_modules/**', '.build/**', 'var/**', '**/*.lab.test.ts'],
		testTimeout: 60_000,
		// Two cores are enough for anyone's laptop; device tests have deadlines that a crowd of workers would break.
		maxWorkers: 2,
		// Device tests have real deadlines and CI's machine is shared: one more try there, which the report shows.
		retry: process.env.CI ? 1 : 0,
	},
});
