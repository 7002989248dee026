import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
	type Ask,
	applyOutcome,
	decideAsk,
	freshRight,
	type Outcome,
	overUse,
	type Redemption,
	type Right,
	type Verdict,
} from './rights.ts';

/** Decides claims of one allowance one after the other. */
function foldAsks(right: Right, asks: readonly Ask[]) {
	const verdicts: Verdict[] = [];
	let after = right;
	for (const each of asks) {
		const decided = decideAsk(after, each);
		after = decided.right;
		verdicts.push(decided.verdict);
	}
	return { right: after, verdicts };
}

const ask = (uses: number, lane = 'a'): Ask => ({ uses, lane, atMs: 5, revoked: false });
const granted = (uses: number): Outcome => ({ kind: 'granted', uses, reentry: false, lane: 'a', atMs: 7 });
const settled = (taken: number, back: number, late = false): Outcome => {
	return { kind: 'settled', taken, back, late, lane: 'a', atMs: 8 };
};

/** Applies outcomes of one redemption in order; what changes nothing is passed over. */
function after(right: Right, outcomes: readonly Outcome[]): { right: Right; redemption: Redemption | undefined } {
	let state: { right: Right; redemption: Redemption | undefined } = { right, redemption: undefined };
	for (const outcome of outcomes) state = applyOutcome(state.right, state.redemption, outcome) ?? state;
	return state;
}

test('the first of two claims wins and the other hears where and when', () => {
	const { right, verdicts } = foldAsks(freshRight(1), [ask(1, 'north'), ask(1, 'south')]);
	expect(right).toMatchObject({ used: 0, held: 1 });
	expect(verdicts).toEqual([
		{ result: 'granted' },
		{ result: 'denied', reason: 'in_progress', lane: 'north', atMs: 5 },
	]);
});

test('a ticket that is used up says so, a group in its own words', () => {
	const gone = { used: 1, held: 0, taken: 1, last: { lane: 'a', atMs: 1 } };
	expect(foldAsks({ use: 1, ...gone }, [ask(1)]).verdicts).toMatchObject([{ reason: 'already_redeemed', lane: 'a' }]);
	expect(foldAsks({ use: 2, ...gone }, [ask(2)]).verdicts).toMatchObject([{ reason: 'no_uses_left' }]);
});

test('a re-entry takes no use, but not with a revoked ticket', () => {
	const full = { use: 1, used: 1, held: 0, taken: 1 };
	const { right, verdicts } = foldAsks(full, [ask(0), { ...ask(0), revoked: true }]);
	expect(right).toEqual(full);
	expect(verdicts).toEqual([{ result: 'granted' }, { result: 'denied', reason: 'revoked' }]);
});

test.each<[string, readonly Outcome[], Partial<Right>]>([
	['held until it is settled', [granted(1)], { used: 0, held: 1, taken: 0 }],
	['taken', [granted(1), settled(1, 0)], { used: 1, held: 0, taken: 1 }],
	['given back', [granted(1), settled(0, 1)], { used: 0, held: 0, taken: 0 }],
	['gone although nobody passed', [granted(1), settled(0, 0)], { used: 1, held: 0, taken: 0 }],
	['taken again by a late passage', [granted(1), settled(0, 1), settled(1, 0, true)], { used: 1, taken: 1 }],
	['taken late only once', [granted(1), settled(0, 1), settled(1, 0, true), settled(1, 0, true)], { used: 1 }],
	['settled only once', [granted(1), settled(1, 0), settled(1, 0)], { used: 1, held: 0, taken: 1 }],
	['a part of a group', [granted(5), settled(3, 2)], { used: 3, held: 0, taken: 3 }],
	['not more than was granted', [granted(1), settled(9, 9)], { used: 1, held: 0, taken: 1 }],
	['nothing without a grant', [settled(1, 0)], { used: 0, held: 0, taken: 0 }],
])('a right is %s', (_, outcomes, counts) => {
	expect(after(freshRight(5), outcomes).right).toMatchObject(counts);
});

test('the row of a device consumes its claim, and holds as much as the row says', () => {
	const claimed: Redemption = { state: 'claimed', uses: 5, reentry: false, taken: 0, returned: 0 };
	expect(applyOutcome({ ...freshRight(5), held: 5 }, claimed, granted(2))?.right.held).toBe(2);
	expect(applyOutcome({ ...freshRight(5), held: 5 }, claimed, { kind: 'released' })?.right.held).toBe(0);
	expect(applyOutcome(freshRight(5), { ...claimed, state: 'released' }, granted(1))?.right.held).toBe(1);
	expect(applyOutcome(freshRight(5), { ...claimed, state: 'denied' }, granted(1))?.right.held).toBe(1);
});

test('claims never exceed the uses, whatever is asked', () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer({ min: 0, max: 7 })), (use, wanted) => {
			const { right, verdicts } = foldAsks(
				freshRight(use),
				wanted.map((uses) => ask(uses)),
			);
			const got = wanted.filter((_, i) => verdicts[i]?.result === 'granted').reduce((sum, uses) => sum + uses, 0);
			expect(right.held).toBe(got);
			expect(got).toBeLessThanOrEqual(use);
		}),
	);
});

const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(
	fc.integer({ min: 0, max: 4 }).map(granted),
	fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }), fc.boolean()).map((all) => settled(...all)),
	fc.constant<Outcome>({ kind: 'released' }),
);

test('uses are held exactly while redemptions are open, and passages never fall', () => {
	const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), anyOutcome), { maxLength: 40 });
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 4 }), steps, (use, history) => {
			const redemptions = new Map<number, Redemption>();
			let right = freshRight(use);
			for (const [id, outcome] of history) {
				const applied = applyOutcome(right, redemptions.get(id), outcome);
				if (applied === undefined) continue;
				expect(overUse(applied.right)).toBeGreaterThanOrEqual(overUse(right));
				right = applied.right;
				redemptions.set(id, applied.redemption);
			}
			const all = [...redemptions.values()];
			const open = all.filter(({ state }) => state === 'granted' || state === 'claimed');
			expect(right.held).toBe(open.reduce((sum, { uses }) => sum + uses, 0));
			expect(right.taken).toBe(all.reduce((sum, { taken }) => sum + taken, 0));
			expect(right.used).toBeGreaterThanOrEqual(right.taken);
		}),
	);
});
