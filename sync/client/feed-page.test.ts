import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FeedEntry } from '../protocol/feed.ts';
import { type PagePlan, planPage } from './feed-page.ts';

const own = { device: 'x'.repeat(43), deviceEpoch: 'e1' };
const revoked = (n: number): FeedEntry => ({ log: 'control', n, change: { kind: 'revoked', evt: 'fair', idx: [n] } });
const page = (from: number, to: number, epoch = 1) => ({
	entries: Array.from({ length: to - from }, (_, i) => revoked(from + i + 1)),
	next: { epoch, control: to, admissions: 0 },
});
const at = (control: number, epoch = 1) => ({ epoch, control, admissions: 0 });

describe('a page of the feed', () => {
	test.each<[string, number, ReturnType<typeof page>, Partial<PagePlan>]>([
		['that follows is applied', 3, page(3, 5), { kind: 'apply', next: at(5) }],
		['that overlaps is applied from where it is new', 4, page(3, 5), { kind: 'apply', next: at(5) }],
		['that is empty changes nothing', 3, page(3, 3), { kind: 'apply', changes: [] }],
		['that begins too late needs a snapshot', 3, page(4, 6), { kind: 'snapshot', why: 'gap' }],
		['whose end is missing needs a snapshot', 3, { ...page(3, 5), next: at(6) }, { kind: 'snapshot', why: 'gap' }],
		['of another epoch needs a snapshot', 3, page(3, 5, 2), { kind: 'snapshot', why: 'epoch' }],
		['that ends before the cursor is refused', 9, page(3, 5), { kind: 'refuse', why: 'rollback' }],
		[
			'whose entries go beyond its end is refused',
			3,
			{ ...page(3, 5), next: at(4) },
			{ kind: 'refuse', why: 'disorder' },
		],
	])('%s', (_, control, each, plan) => {
		expect(planPage(at(control), each, own)).toMatchObject(plan);
	});

	test('of an older epoch is refused', () => {
		expect(planPage(at(3, 2), page(3, 5, 1), own)).toEqual({ kind: 'refuse', why: 'older_epoch' });
	});

	test('cut, doubled and shuffled with others gives every entry once and in order, or none', () => {
		const cuts = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 30 });
		fc.assert(
			fc.property(cuts, (pages) => {
				let cursor = at(0);
				const seen: number[] = [];
				for (const [a, b] of pages) {
					const plan = planPage(cursor, page(Math.min(a, b), Math.max(a, b)), own);
					if (plan.kind !== 'apply') continue;
					for (const change of plan.changes) if (change.kind === 'revoked') seen.push(...change.idx);
					cursor = { ...cursor, control: plan.next.control };
				}
				expect(seen).toEqual(Array.from({ length: cursor.control }, (_, i) => i + 1));
			}),
		);
	});
});
