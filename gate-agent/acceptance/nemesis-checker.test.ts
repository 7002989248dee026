import { describe, expect, it } from 'vitest';
import type { LedgerRow } from './gate.suite.ts';
import { check, type Edge, type History } from './nemesis-checker.suite.ts';
import { planOf } from './nemesis-plan.suite.ts';

const startMs = Date.parse('2026-11-22T12:00:00Z');
const at = (ms: number) => new Date(startMs + ms).toISOString();
const [good, other] = ['lantern-2026/1', 'lantern-2026/2'];

type Row = Partial<LedgerRow> & { readonly kind: string; readonly ms: number };

/** Rows with their numbers and the members that every row has. */
function journal(...rows: readonly Row[]): readonly LedgerRow[] {
	const fixed = { ticket: null, reason: null, rung: null, lane: 'lane-1', epoch: 'e1', allowance: 'ticket' };
	return rows.map(({ ms, ...row }, index) => ({ ...fixed, seq: index + 1, at: at(ms), ...row }));
}

const granted = (ms: number, more: Partial<LedgerRow> = {}): Row => ({
	...{ kind: 'granted', ms, redemption: 'r1', ticket: good, uses: 1 },
	...more,
});
const settled = (ms: number, more: Partial<LedgerRow> = {}): Row => ({
	...{ kind: 'settled', ms, redemption: 'r1', ticket: good, outcome: 'taken', taken: 1, of: 1, back: 0 },
	...more,
});
const notTaken = { outcome: 'not_taken', taken: 0, back: 1 };

/** A pulse of the entry's coil. */
const pulse = (ms: number, longMs = 300, channel = 1): Edge[] => [
	{ atMs: startMs + ms, channel, closed: true },
	{ atMs: startMs + ms + longMs, channel, closed: false },
];

/** A history of one visitor who passed, changed. */
function story(change: Partial<History> = {}): History {
	const rows = change.rows ?? journal(granted(0), settled(1_000));
	return {
		...{
			uses: new Map([good, other].map((ticket) => [ticket, 1])),
			entryChannel: 1,
			pulseMs: 300,
			latePassageMs: 1_500,
		},
		...{ edges: pulse(5), passages: [startMs + 500], holds: [], faults: [], sensor: true, crashes: [] },
		...{ acknowledged: ['r1'], rowsBefore: rows, rows, endMs: startMs + 60_000, lagMs: 400 },
		...change,
	};
}

const told = (change: Partial<History>) => check(story(change)).map(({ rule, what }) => `${rule}: ${what}`);

describe('the checker is content with', () => {
	it('one visitor who passed', () => expect(told({})).toEqual([]));

	it('one who turned back, and came again', () => {
		const again = { redemption: 'r2' };
		const rows = journal(granted(0), settled(1_500, notTaken), granted(3_000, again), settled(4_000, again));
		expect(told({ rows, edges: [...pulse(5), ...pulse(3_005)], passages: [startMs + 3_300] })).toEqual([]);
	});

	it('one who passed late', () => {
		const rows = journal(granted(0), settled(1_500, notTaken), settled(1_900, { late: true }));
		expect(told({ rows, passages: [startMs + 1_700] })).toEqual([]);
	});

	it('an opening that a fire ordered, however long', () => {
		const holds = [{ fromMs: startMs + 2_000, untilMs: startMs + 9_000 }];
		expect(told({ holds, edges: [...pulse(5), ...pulse(2_100, 6_500), ...pulse(2_100, 6_500, 2)] })).toEqual([]);
	});
});

describe('the checker reports', () => {
	const cases: Readonly<Record<string, [Partial<History>, RegExp]>> = {
		'a second opening for one ticket': [{ edges: [...pulse(5), ...pulse(600)] }, /I1: the opening .* no row/],
		'an opening whose row is missing': [
			{ rows: journal(), acknowledged: [], passages: [] },
			/I1: the opening .* no row/,
		],
		'an opening before its row': [{ edges: pulse(-20) }, /I1: the opening .* no row/],
		'an opening after the end of its grant': [{ edges: pulse(1_600) }, /I1: the opening .* no row/],
		'an opening on the wrong channel': [{ edges: pulse(5, 300, 2) }, /I1: .* channel 2/],
		'a coil left on': [{ edges: pulse(5, 1_400) }, /relay: channel 1 was on for 1400 ms/],
		'a coil that never fell': [{ edges: pulse(5).slice(0, 1) }, /relay: channel 1 was on/],
		'a grant for a ticket that is not good': [
			{ rows: journal(granted(0, { ticket: 'lantern-2026/9' }), settled(1_000)) },
			/I1: row 1 grants lantern-2026\/9/,
		],
		'a ticket that was taken and is admitted again': [
			{
				edges: [...pulse(5), ...pulse(3_005)],
				rows: journal(
					granted(0),
					settled(1_000),
					granted(3_000, { redemption: 'r2' }),
					settled(4_000, { redemption: 'r2' }),
				),
			},
			/I2: row 3 grants .* beyond its 1 uses/,
		],
		'a late passage that did not take its use again': [
			{
				edges: [...pulse(5), ...pulse(3_005)],
				rows: journal(
					granted(0),
					settled(1_500, notTaken),
					settled(1_900, { late: true }),
					granted(3_000, { redemption: 'r2' }),
					settled(4_000, { redemption: 'r2' }),
				),
			},
			/I2: row 4 grants/,
		],
		'a visitor who passed and whose use came back': [
			{ rows: journal(granted(0), settled(1_500, notTaken)) },
			/I2: a visitor passed on row 1, .* not_taken/,
		],
		'a visitor who passed late and whose use stayed with the ticket': [
			{ rows: journal(granted(0), settled(1_500, notTaken)), passages: [startMs + 1_700] },
			/I2: a visitor passed on row 1, .* not_taken/,
		],
		'a grant that was acknowledged and is gone': [{ acknowledged: ['r1', 'r7'] }, /I4: the grant r7 is lost/],
		'a grant that is there twice': [
			{ rows: journal(granted(0), granted(1), settled(1_000)) },
			/I4: the grant r1 is there twice/,
		],
		'a grant settled twice': [
			{ rows: journal(granted(0), settled(1_000), settled(1_100)) },
			/I4: .* is settled 2 times/,
		],
		'a grant that is never settled': [{ rows: journal(granted(0)) }, /I4: .* is settled 0 times/],
		'a grant left open until the next start': [
			{ rowsBefore: journal(granted(0)) },
			/I4: .* still open when all was quiet/,
		],
		'a settlement of nothing': [
			{ rows: journal(granted(0), settled(1_000), settled(1_100, { redemption: 'r9' })) },
			/I4: row 3 settles a grant that is not there/,
		],
		'a row that changed': [{ rowsBefore: journal(granted(0), settled(999)) }, /I4: row 2 changed/],
		'a number that is missing': [
			{ rows: journal(granted(0), settled(1_000)).map((row) => ({ ...row, seq: row.seq * 2 })) },
			/I10: row 1 is numbered 2/,
		],
		'a new epoch': [{ rows: journal(granted(0), settled(1_000, { epoch: 'e2' })) }, /I10: the epoch changed/],
		'an agent that ended by itself': [{ crashes: ['exit code 70'] }, /crash: exit code 70/],
		'time that goes back': [{ rows: journal(granted(0), settled(-1)) }, /I12: row 2 is older/],
	};
	for (const [name, [change, report]] of Object.entries(cases)) {
		it(name, () => {
			const rows = change.rows ? { rowsBefore: change.rowsBefore ?? change.rows } : {};
			expect(told({ ...change, ...rows })).toContainEqual(expect.stringMatching(report));
		});
	}
});

it('a seed gives the same plan every time, and another seed another one', () => {
	const options = { seed: 42, ms: 60_000, contacts: true };
	expect(planOf(options)).toEqual(planOf(options));
	expect(planOf({ ...options, seed: 43 }).steps).not.toEqual(planOf(options).steps);
	const kinds = new Set(planOf({ ...options, ms: 120_000 }).steps.map(({ action }) => action.kind));
	expect(kinds.size).toBe(11);
});
