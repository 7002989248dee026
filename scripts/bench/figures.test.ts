import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Figure, keepsBudget, percentile, tableOf } from './figures.ts';

describe('a percentile', () => {
	it('is the sample of its rank', () => {
		const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
		expect([0.5, 0.99, 1].map((share) => percentile(samples, share))).toEqual([50, 99, 100]);
		expect(percentile([7], 0.99)).toBe(7);
	});

	it('never lets more samples lie above it than it says', () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(samples, share) => {
					const value = percentile(samples, share);
					expect(samples).toContain(value);
					expect(samples.filter((each) => each > value).length).toBeLessThanOrEqual(
						(1 - share) * samples.length + 1e-9,
					);
				},
			),
		);
	});
});

describe('a figure', () => {
	const figure: Figure = { bench: 'decision', what: 'p99', value: 5.001, unit: 'ms', budget: 5 };

	it('misses its budget by however little', () => {
		expect(keepsBudget(figure)).toBe(false);
		expect(tableOf([figure])).toContain('MISS');
	});

	it('passes at its budget', () => {
		expect(tableOf([{ ...figure, value: 5 }])).toContain('pass');
	});

	it('that must be large misses its budget where it is smaller', () => {
		const large: Figure = { ...figure, least: true };
		expect([keepsBudget({ ...large, value: 4.999 }), keepsBudget(large)]).toEqual([false, true]);
		expect(tableOf([large])).toContain('≥ 5 ms');
	});

	it('without a budget is neither', () => {
		const { budget: _, ...free } = figure;
		expect(tableOf([free])).not.toMatch(/pass|MISS/);
	});
});
