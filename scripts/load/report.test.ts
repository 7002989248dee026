import { describe, expect, it } from 'vitest';
import type { CrowdResult, Visit } from './crowd.ts';
import type { Problem } from './judge.ts';
import type { Peak } from './peak.ts';
import { figuresOf, textOf } from './report.ts';

const visit: Visit = {
	device: 'd-1',
	name: 'lane-1',
	idx: 1,
	tookMs: 151,
	outcome: { kind: 'granted', redemption: 'r-1', rung: 'authority' },
	claims: [{ tookMs: 149, kind: 'granted' }],
};
const refused: Visit = { ...visit, outcome: { kind: 'refused', reason: 'already_redeemed' } };
const none = { count: 0, p50: 0, p99: 0, max: 0 };
const lanes: CrowdResult = {
	kind: 'lane',
	visits: [visit, refused, { ...refused, claims: [] }, { ...refused, claims: [] }],
	journals: [
		{ device: 'd-1', name: 'lane-1', rows: 3 },
		{ device: 'd-2', name: 'lane-2', rows: 4 },
	],
	errors: [],
	feed: { count: 5, p50: 20, p99: 101, max: 120 },
	late: { count: 9, p50: 0, p99: 1, max: 2 },
};
const peak: Peak = {
	scans: Array.from({ length: 4 }, (_, idx) => ({ atMs: idx, kind: 'lane', at: 0, idx })),
	crowds: [lanes],
	seconds: 4,
	settledMs: 1_500,
	cpuSeconds: { hub: 1 },
	cpuGrowth: { hub: 1.1 },
	problems: [],
};

function valuesOf(of: Peak): Readonly<Record<string, number>> {
	return Object.fromEntries(figuresOf(of).map(({ bench, what, value }) => [`${bench}: ${what}`, value]));
}

describe('the report of a peak', () => {
	it('tells who was refused by the device itself and who by the hub', () => {
		expect(valuesOf(peak)).toMatchObject({
			'2 lanes: scans': 4,
			'2 lanes: admitted': 1,
			'2 lanes: shown elsewhere before, refused by the device itself': 2,
			'2 lanes: shown elsewhere before, refused by the hub': 1,
			'venue: claims a second': 0.5,
			'venue: rows pushed': 7,
			'venue: CPU of the hub for a scan': 250,
		});
	});

	it('calls a missed budget of time a miss and no problem', () => {
		const text = textOf(peak);
		expect(text).toContain('1 budgets missed');
		expect(text).toContain('every ticket went in once');
		expect(text).not.toContain('✗');
	});

	it('gives a crowd of handhelds the patience of Wi-Fi', () => {
		const budgetOf = (kind: CrowdResult['kind']) => {
			return figuresOf({ ...peak, crowds: [{ ...lanes, kind }] }).find(({ what }) => what === 'claim: p99')?.budget;
		};
		expect([budgetOf('lane'), budgetOf('handheld')]).toEqual([150, 600]);
	});

	it('has no figure of what never happened', () => {
		const quiet = { ...lanes, visits: [], feed: none };
		const names = Object.keys(valuesOf({ ...peak, crowds: [quiet] }));
		expect(names.filter((name) => /claim:|admission|known/.test(name))).toEqual([]);
	});

	it('counts problems by kind and shows a few of each', () => {
		const cases = Array.from(
			{ length: 9 },
			(_, idx): Problem => ({ kind: 'case', text: `double_entry of ticket ${idx}` }),
		);
		const text = textOf({ ...peak, problems: [{ kind: 'out_of_reach', text: 'lane-1' }, ...cases] });
		expect(text).toContain('MISS the authority was out of reach: 1\n    lane-1\n✗ a case was invented: 9\n');
		expect(text).toContain('double_entry of ticket 2\n    and 6 more\n');
		expect(text).not.toContain('every ticket went in once');
	});

	it('says where the load itself was too slow to tell who was', () => {
		const problems: readonly Problem[] = [{ kind: 'out_of_reach', text: 'lane-1' }];
		const slow = { ...lanes, late: { ...lanes.late, max: 400 } };
		expect(textOf({ ...peak, problems, crowds: [slow] })).toContain('late by up to 400 ms');
		expect(textOf({ ...peak, problems })).not.toContain('late by up to');
		expect(textOf({ ...peak, crowds: [slow] })).not.toContain('late by up to');
	});
});
