import { expect } from 'vitest';
import type { Laws } from './store.suite.ts';
import { claimOf, deviceNamed, journalOf, nowMs, prepareVenue } from './testing/device-journal.ts';

/** What journals hold to. */
export const journalLaws: Laws = {
	'rows are counted once, however often and in whatever pieces they come': async ({ store, venue, a }) => {
		const journal = journalOf(venue, a);
		for (let idx = 0; idx < 10; idx++) journal.admit({ idx, taken: 1 });
		const whole = journal.segment(1);
		const pieces = [journal.segment(1, 7), journal.segment(1, 7), journal.segment(3, 12), journal.segment(8, 9), whole];
		const seen: number[] = [];
		for (const piece of [...pieces, whole]) {
			const [outcome] = await store.ingest([piece]);
			expect(outcome?.kind).toBe('accepted');
			seen.push(outcome?.acceptedThrough ?? 0);
		}
		expect(seen).toEqual([7, 7, 12, 12, 20, 20]);
		const page = await store.feed(venue, { epoch: 1, control: 99, admissions: 0 }, 100);
		const seqs = page?.entries.map(({ change }) => ('seq' in change ? change.seq : 0));
		expect(seqs).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
		const { cursor, events } = await store.snapshot(venue);
		expect(cursor.admissions).toBe(20);
		expect(events[0]).toMatchObject({ redeemed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], counts: [] });
		expect(await store.cases(venue)).toEqual([]);
	},
	'a gap says from where to send, and changes nothing': async ({ store, venue, a }) => {
		const journal = journalOf(venue, a);
		for (let idx = 0; idx < 3; idx++) journal.admit({ idx, taken: 1 });
		expect(await store.ingest([journal.segment(3)])).toEqual([{ kind: 'gap', acceptedThrough: 0 }]);
		const outcomes = await store.ingest([journal.segment(5), journal.segment(1, 2), journal.segment(5)]);
		expect(outcomes.map(({ kind, acceptedThrough }) => [kind, acceptedThrough])).toEqual([
			['gap', 0],
			['accepted', 2],
			['gap', 2],
		]);
		expect(await store.device(venue, a)).toMatchObject({ status: 'active', acceptedThrough: 2 });
	},
	'a fork quarantines the device, keeps the first journal and opens a case': async ({ store, venue, a }) => {
		const original = journalOf(venue, a);
		original.admit({ idx: 1, taken: 1 });
		const clone = original.copy();
		original.admit({ idx: 2, taken: 1 });
		clone.admit({ idx: 3, taken: 1 });
		await store.ingest([original.segment(1)]);
		const forked = { kind: 'quarantined', acceptedThrough: 4, why: 'fork' };
		expect(await store.ingest([clone.segment(3)])).toEqual([forked]);
		expect(await store.ingest([clone.segment(1)])).toEqual([forked]);
		clone.admit({ idx: 5, taken: 1 });
		expect(await store.ingest([clone.segment(5)])).toEqual([forked]);
		expect(await store.device(venue, a)).toMatchObject({ status: 'quarantined', acceptedThrough: 4 });
		expect(await store.cases(venue)).toMatchObject([{ kind: 'cloned_device', device: a }]);
		original.admit({ idx: 4, taken: 1 });
		expect(await store.ingest([original.segment(5)])).toMatchObject([{ kind: 'accepted', acceptedThrough: 6 }]);
		expect((await store.snapshot(venue)).events[0]?.redeemed).toEqual([1, 2, 4]);
	},
	'changed rows, foreign hashes and rows of another number are a fork': async ({ store, venue }) => {
		const devices = await prepareVenue(store, venue, ['x', 'y', 'z']);
		for (const [index, device] of devices.entries()) {
			const journal = journalOf(venue, device);
			journal.admit({ idx: index, taken: 1 });
			const whole = journal.segment(1);
			const texts = [
				{ ...whole, rows: whole.rows.map((text) => text.replace('"uses":1', '"uses":2')) },
				{ ...whole, prevHash: deviceNamed('other') },
				{ ...whole, from: 2, to: 3 },
			];
			const bad = texts[index] ?? whole;
			expect(await store.ingest([bad])).toMatchObject([{ kind: 'quarantined', why: 'fork' }]);
		}
		expect((await store.snapshot(venue)).cursor.admissions).toBe(0);
	},
	'a new device epoch goes on, and new rows of an old one are a restored disk': async ({ store, venue, a }) => {
		const old = journalOf(venue, a, 'epoch-1');
		old.admit({ idx: 1, taken: 1 });
		await store.ingest([old.segment(1)]);
		const fresh = journalOf(venue, a, 'epoch-2');
		fresh.admit({ idx: 2, taken: 1 });
		expect(await store.ingest([fresh.segment(1)])).toMatchObject([{ kind: 'accepted', acceptedThrough: 2 }]);
		// A retry that was long under way.
		expect(await store.ingest([old.segment(1)])).toMatchObject([{ kind: 'accepted', acceptedThrough: 2 }]);
		expect(await store.device(venue, a)).toMatchObject({ status: 'active', deviceEpoch: 'epoch-2' });
		old.admit({ idx: 3, taken: 1 });
		expect(await store.ingest([old.segment(3)])).toMatchObject([{ kind: 'quarantined', why: 'rollback' }]);
		expect(await store.cases(venue)).toMatchObject([{ kind: 'restored_disk', device: a }]);
	},
	'what a journal left open that never goes on counts as taken': async ({ store, venue, a, b }) => {
		const lost = journalOf(venue, a, 'epoch-1');
		const [kept, known, unknown] = [
			lost.admit({ idx: 1 }),
			lost.admit({ idx: 2 }),
			lost.admit({ idx: 3, use: 3, uses: 3 }),
		];
		const elsewhere = journalOf(venue, b);
		elsewhere.admit({ idx: 4 });
		await store.ingest([lost.segment(1), elsewhere.segment(1)]);
		lost.settle(kept, { idx: 1, taken: 0, back: 1 });
		const fresh = journalOf(venue, a, 'epoch-2');
		// The device still knew what became of one of them.
		fresh.settle(known, { idx: 2, taken: 0, back: 1 });
		fresh.admit({ idx: 5 });
		await store.ingest([lost.segment(4), fresh.segment(1)]);
		const counts = (await store.snapshot(venue)).events[0]?.counts.map(({ idx, used, held }) => [idx, used, held]);
		expect(counts).toEqual([
			[3, 3, 0],
			[4, 0, 1],
			[5, 0, 1],
		]);
		elsewhere.admit({ idx: 3, use: 3, taken: 1 });
		await store.ingest([elsewhere.segment(2)]);
		const [found] = await store.cases(venue);
		expect(found).toMatchObject({ kind: 'double_entry', idx: 3, over: 1, redemptions: [{ redemption: unknown }, {}] });
	},
	'a double entry is one case that grows, whose winner never changes': async ({ store, venue, a, b }) => {
		const [one, two] = [journalOf(venue, a), journalOf(venue, b)];
		const waiting = one.admit({ idx: 1 });
		const winner = two.admit({ idx: 1, taken: 1 });
		await store.ingest([one.segment(1)]);
		await store.ingest([two.segment(1)]);
		expect(await store.cases(venue)).toEqual([]);
		one.settle(waiting, { idx: 1, taken: 1 });
		const [outcome] = await store.ingest([one.segment(2)]);
		expect(outcome).toMatchObject({ conflicts: [{ redemption: waiting }] });
		const [found] = await store.cases(venue);
		expect(found).toMatchObject({ kind: 'double_entry', idx: 1, over: 1 });
		expect(found?.redemptions.map(({ redemption }) => redemption)).toEqual([winner, waiting]);
		const third = one.admit({ idx: 1, taken: 1 });
		await store.ingest([one.segment(3)]);
		const cases = await store.cases(venue);
		expect(cases).toMatchObject([{ id: found?.id, over: 2 }]);
		expect(cases[0]?.redemptions.map(({ redemption }) => redemption)).toEqual([winner, waiting, third]);
	},
	'a case that a person closed is no conflict, until it grows': async ({ store, venue, a }) => {
		const journal = journalOf(venue, a);
		for (let n = 0; n < 2; n++) journal.admit({ idx: 1, taken: 1 });
		await store.ingest([journal.segment(1)]);
		const id = (await store.cases(venue))[0]?.id ?? '';
		await store.closeCase({ venue, id, text: 'brother', by: 'ann', atMs: nowMs });
		expect(await store.ingest([journal.segment(1)])).toMatchObject([{ conflicts: [] }]);
		expect(await store.cases(venue)).toMatchObject([{ outcome: { text: 'brother', by: 'ann', atMs: nowMs } }]);
		journal.admit({ idx: 1, taken: 1 });
		await store.ingest([journal.segment(5)]);
		expect((await store.cases(venue))[0]).not.toHaveProperty('outcome');
		await expect(store.closeCase({ venue, id: 'none', text: '', by: 'ann', atMs: 0 })).rejects.toMatchObject({
			code: 'case_unknown',
		});
	},
	'who did not pass makes no double entry, however late that is known': async ({ store, venue, a, b }) => {
		const [one, two] = [journalOf(venue, a), journalOf(venue, b)];
		const first = one.admit({ idx: 1 });
		two.admit({ idx: 1, taken: 1 });
		await store.ingest([one.segment(1), two.segment(1)]);
		one.settle(first, { idx: 1, taken: 0, back: 1 });
		await store.ingest([one.segment(2)]);
		expect(await store.cases(venue)).toEqual([]);
		one.settle(first, { idx: 1, taken: 1, late: true });
		await store.ingest([one.segment(3)]);
		expect(await store.cases(venue)).toMatchObject([{ kind: 'double_entry', over: 1 }]);
	},
	'a late passage adds to its redemption and moves no winner': async ({ store, venue, a, b }) => {
		const [one, two] = [journalOf(venue, a), journalOf(venue, b)];
		const winner = one.admit({ idx: 7, use: 2, uses: 2, taken: 1, back: 1 });
		const second = two.admit({ idx: 7, use: 2, taken: 1 });
		await store.ingest([one.segment(1), two.segment(1)]);
		expect(await store.cases(venue)).toEqual([]);
		one.settle(winner, { idx: 7, taken: 1, late: true });
		await store.ingest([one.segment(3)]);
		const [found] = await store.cases(venue);
		expect(found).toMatchObject({ over: 1, redemptions: [{ redemption: winner, taken: 2 }, { redemption: second }] });
	},
	'a group that is too many by three is one case of three': async ({ store, venue, a, b }) => {
		const [one, two] = [journalOf(venue, a), journalOf(venue, b)];
		one.admit({ idx: 7, use: 5, uses: 5, taken: 5 });
		two.admit({ idx: 7, use: 5, uses: 5, taken: 3, back: 2 });
		await store.ingest([one.segment(1), two.segment(1)]);
		expect(await store.cases(venue)).toMatchObject([{ kind: 'double_entry', over: 3 }]);
	},
	'an entry with a ticket that was refunded is a case': async ({ store, venue, a }) => {
		const order = { order: 'o', cls: 'adult', count: 2, use: 1, claims: {}, atMs: nowMs };
		await store.issueOrder({ venue, evt: 'lantern-2026', ...order });
		await store.refundOrder({ venue, order: 'o', atMs: nowMs });
		const journal = journalOf(venue, a);
		const redemption = journal.admit({ idx: 1, taken: 1 });
		journal.admit({ idx: 0, taken: 0, back: 1 });
		await store.ingest([journal.segment(1)]);
		const cases = await store.cases(venue);
		expect(cases).toMatchObject([{ kind: 'refunded_after_entry', idx: 1, redemptions: [{ redemption }] }]);
		expect(await store.refundOrder({ venue, order: 'o', atMs: nowMs })).toMatchObject({ refunded: [0, 1] });
	},
	'rows that make no sense are kept and move no right': async ({ store, venue, a }) => {
		const journal = journalOf(venue, a);
		const wrong = [{ uses: -1 }, { uses: 1.5 }, { idx: 2 ** 31 }, { allowance: "x'; DROP TABLE rights; --" }];
		for (const part of wrong) journal.admit({ idx: 1, ...part });
		// A device may write any text into its journal.
		journal.append({ kind: 'granted', redemption: 'short' as never, lane: '\u0000' } as never);
		journal.settle('AAAAAAAAAAAAAAAAAAAAAA', { idx: 1, taken: 1 });
		journal.append({ kind: 'denied', reason: 'expired', lane: 'lane-1', count: 1 });
		expect(await store.ingest([journal.segment(1)])).toMatchObject([{ kind: 'accepted', acceptedThrough: 7 }]);
		const { cursor, events } = await store.snapshot(venue);
		expect(cursor.admissions).toBe(0);
		expect(events).toMatchObject([{ redeemed: [], counts: [] }]);
	},
	'an unknown device is refused, and takes nobody else with it': async ({ store, venue, a }) => {
		const [good, bad] = [journalOf(venue, a), journalOf(venue, deviceNamed('stranger'))];
		for (const journal of [good, bad]) journal.admit({ idx: 1, taken: 1 });
		const together = await Promise.allSettled([store.ingest([good.segment(1)]), store.ingest([bad.segment(1)])]);
		expect(together).toMatchObject([
			{ status: 'fulfilled', value: [{ kind: 'accepted' }] },
			{ status: 'rejected', reason: { code: 'device_unknown' } },
		]);
	},
	'the row of a claim consumes it: nothing is counted twice': async ({ store, venue, a }) => {
		const claim = claimOf(venue, a, { idx: 1, use: 3 });
		await store.claim([claim]);
		const journal = journalOf(venue, a);
		journal.admit({ idx: 1, use: 3, redemption: claim.claim.redemption, rung: 'authority' });
		await store.ingest([journal.segment(1)]);
		const page = await store.feed(venue, { epoch: 1, control: 99, admissions: 0 }, 10);
		expect(page?.entries).toMatchObject([
			{ n: 1, change: { use: 3, used: 0, held: 1, seq: 1, deviceEpoch: 'epoch-1' } },
		]);
		expect(await store.claim([claim])).toMatchObject([{ result: 'granted' }]);
	},
	'segments of many venues at once never wait for each other in a circle': async ({ store }) => {
		const venues = Array.from({ length: 8 }, (_, i) => `${crypto.randomUUID().slice(0, 8)}-${i}`);
		const journals = await Promise.all(
			venues.map(async (venue) => {
				const [device = ''] = await prepareVenue(store, venue, ['gate']);
				const journal = journalOf(venue, device);
				for (let idx = 0; idx < 40; idx++) journal.admit({ idx, taken: 1 });
				return journal;
			}),
		);
		for (let from = 1; from < 80; from += 8) {
			const segments = journals.map((journal) => journal.segment(from, from + 7));
			const reversed = segments.toReversed();
			const calls = [store.ingest(segments), store.ingest(reversed), ...segments.map((each) => store.ingest([each]))];
			for (const outcomes of await Promise.all(calls)) {
				for (const outcome of outcomes) expect(outcome).toMatchObject({ acceptedThrough: from + 7 });
			}
		}
		for (const venue of venues) expect(await store.head(venue)).toMatchObject({ admissions: 80 });
	},
};
