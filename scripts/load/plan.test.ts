import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlanOptions, planScans, scanEveryMs } from './plan.ts';

const peak: PlanOptions = { handhelds: 60, lanes: 50, seconds: 60, seed: 1 };

describe('the plan of a peak', () => {
	it('is the same for the same seed and another for another', () => {
		expect(planScans(peak)).toEqual(planScans(peak));
		expect(planScans({ ...peak, seed: 2 })).not.toEqual(planScans(peak));
	});

	it('gives each device its scans at its pace', () => {
		for (const [kind, count] of [
			['handheld', peak.handhelds],
			['lane', peak.lanes],
		] as const) {
			const own = planScans(peak).filter((scan) => scan.kind === kind);
			const perDevice = [...Map.groupBy(own, ({ at }) => at).values()].map((scans) => scans.length);
			expect(perDevice).toEqual(Array(count).fill((peak.seconds * 1_000) / scanEveryMs[kind]));
		}
	});

	it('shows one ticket in twenty again, soon and elsewhere', () => {
		const scans = planScans({ ...peak, seconds: 600 });
		const again = scans.length - new Set(scans.map(({ idx }) => idx)).size;
		expect(again / scans.length).toBeGreaterThan(0.04);
		expect(again / scans.length).toBeLessThan(0.06);
	});

	it('comes in the order of time, with numbers from 0 on, and what comes again was elsewhere before', () => {
		fc.assert(
			fc.property(
				fc.record({
					handhelds: fc.integer({ min: 0, max: 8 }),
					lanes: fc.integer({ min: 1, max: 8 }),
					seconds: fc.integer({ min: 6, max: 60 }),
					seed: fc.nat(),
				}),
				(options) => {
					const scans = planScans(options);
					const numbers = [...new Set(scans.map(({ idx }) => idx))];
					expect(numbers).toEqual(numbers.map((_, at) => at));
					expect(scans).toEqual(scans.toSorted((a, b) => a.atMs - b.atMs));
					expect(scans.every(({ atMs }) => atMs < options.seconds * 1_000)).toBe(true);
					for (const shown of Map.groupBy(scans, ({ idx }) => idx).values()) {
						const places = shown.map(({ kind, at }) => `${kind}-${at}`);
						expect(shown.length === 1 || new Set(places).size > 1).toBe(true);
					}
				},
			),
		);
	});
});
