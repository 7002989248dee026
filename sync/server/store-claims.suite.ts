import { expect } from 'vitest';
import type { ClaimAnswer } from '../protocol/claims.ts';
import type { Laws } from './store.suite.ts';
import { claimOf, evt, firstEpoch, journalOf, newRedemption, nowMs } from './testing/device-journal.ts';

function granted(answers: readonly (readonly ClaimAnswer[])[]): number {
	return answers.flat().filter(({ result }) => result === 'granted').length;
}

const group = { idx: 2, use: 20 };

/** What claims hold to. */
export const claimLaws: Laws = {
	'400 claims of one ticket at once: one is granted': async ({ store, venue, a, b }) => {
		const claims = Array.from({ length: 400 }, (_, i) => claimOf(venue, i % 2 ? a : b, { idx: 1 }));
		const answers = await Promise.all(claims.map((claim) => store.claim([claim])));
		expect(granted(answers)).toBe(1);
		expect(await Promise.all(claims.map((claim) => store.claim([claim])))).toEqual(answers);
	},
	'400 claims of a group ticket with 20 uses at once: 20 are granted': async ({ store, venue, a, b }) => {
		const claims = Array.from({ length: 400 }, (_, i) => claimOf(venue, i % 2 ? a : b, group));
		expect(granted(await Promise.all(claims.map((claim) => store.claim([claim]))))).toBe(20);
		const [event] = (await store.snapshot(venue)).events;
		expect(event?.counts).toEqual([{ idx: 2, allowance: 'ticket', use: 20, used: 0, held: 20 }]);
	},
	'answers come in the order asked, also for a redemption that is asked twice in one batch': async (trial) => {
		const { store, venue, a, b } = trial;
		const first = claimOf(venue, a, { idx: 1, lane: 'north' });
		const second = claimOf(venue, b, { idx: 1 });
		const answers = await store.claim([first, second, first]);
		expect(answers).toEqual([
			{ redemption: first.claim.redemption, result: 'granted' },
			{ redemption: second.claim.redemption, result: 'denied', reason: 'in_progress', lane: 'north', atMs: nowMs },
			{ redemption: first.claim.redemption, result: 'granted' },
		]);
	},
	'a denied claim stays denied after the ticket came free': async ({ store, venue, a, b }) => {
		const winner = claimOf(venue, a, { idx: 1 });
		const loser = claimOf(venue, b, { idx: 1 });
		const [, denied] = await store.claim([winner, loser]);
		const { redemption } = winner.claim;
		await store.releaseClaims({ venue, device: a, redemptions: [redemption], by: 'staff', atMs: nowMs });
		expect(await store.claim([loser])).toEqual([denied]);
		expect(await store.claim([claimOf(venue, b, { idx: 1 })])).toMatchObject([{ result: 'granted' }]);
		// What the released claim held is another's now, so its answer of before would let in two.
		expect(await store.claim([winner])).toMatchObject([{ result: 'denied', reason: 'in_progress' }]);
	},
	'a redemption id stands for one claim': async ({ store, venue, a }) => {
		const claim = claimOf(venue, a, { idx: 1 });
		await store.claim([claim]);
		const other = claimOf(venue, a, { idx: 2, redemption: claim.claim.redemption });
		const fine = claimOf(venue, a, { idx: 3 });
		// They share a commit; the bad one alone is refused.
		const together = await Promise.allSettled([store.claim([other]), store.claim([fine])]);
		expect(together).toMatchObject([
			{ status: 'rejected', reason: { code: 'redemption_differs' } },
			{ status: 'fulfilled', value: [{ result: 'granted' }] },
		]);
	},
	'the same redemption id of another device is another redemption': async ({ store, venue, a, b }) => {
		const redemption = newRedemption();
		const answers = await store.claim([
			claimOf(venue, a, { idx: 1, redemption }),
			claimOf(venue, b, { idx: 1, redemption }),
		]);
		expect(answers).toMatchObject([{ result: 'granted' }, { result: 'denied' }]);
	},
	'what the order says a ticket carries counts, whatever a claim says': async ({ store, venue, a }) => {
		const order = { order: 'o-1', cls: 'adult', count: 3, use: 2, claims: {}, atMs: nowMs };
		const { from } = await store.issueOrder({ venue, evt, ...order });
		const claims = [1, 1, 1].map((uses) => claimOf(venue, a, { idx: from + 2, use: 9, uses }));
		expect((await store.claim(claims)).map(({ result }) => result)).toEqual(['granted', 'granted', 'denied']);
		expect(await store.claim([claimOf(venue, a, { idx: from + 3, use: 9, uses: 9 })])).toMatchObject([
			{ result: 'granted' },
		]);
	},
	'a revoked ticket is denied, a re-entry with it, and any other re-entry is granted': async ({ store, venue, a }) => {
		await store.issueOrder({ venue, evt, order: 'o', cls: 'adult', count: 2, use: 1, claims: {}, atMs: nowMs });
		await store.claim([claimOf(venue, a, { idx: 1 })]);
		await store.refundOrder({ venue, order: 'o', idx: [0], atMs: nowMs });
		const answers = await store.claim([
			claimOf(venue, a, { idx: 0 }),
			claimOf(venue, a, { idx: 0, uses: 0 }),
			claimOf(venue, a, { idx: 1, uses: 0 }),
		]);
		expect(answers).toMatchObject([{ reason: 'revoked' }, { reason: 'revoked' }, { result: 'granted' }]);
	},
	'open claims are listed until a row of their device decides them': async ({ store, venue, a }) => {
		const claims = [1, 2, 3].map((idx) => claimOf(venue, a, { idx }));
		await store.claim(claims);
		const [first = '', second = '', third = ''] = claims.map(({ claim }) => claim.redemption);
		expect((await store.openClaims(venue, a)).map(({ redemption }) => redemption).sort()).toEqual(
			[first, second, third].sort(),
		);
		const journal = journalOf(venue, a);
		journal.admit({ idx: 1, redemption: first, rung: 'authority', taken: 1 });
		// The brand stands for the pattern, which a test's id has.
		journal.append({ kind: 'released', redemption: second as never, lane: 'lane-1' });
		await store.ingest([journal.segment(1)]);
		expect(await store.openClaims(venue, a)).toEqual([
			{
				redemption: third,
				journal: firstEpoch,
				atMs: nowMs,
				evt,
				idx: 3,
				allowance: 'ticket',
				uses: 1,
				lane: 'lane-1',
			},
		]);
		const release = { venue, device: a, redemptions: [first, third], by: 'staff', atMs: nowMs };
		// What a row has decided is not staff's to give back.
		expect(await store.releaseClaims(release)).toEqual([third]);
		const again = [1, 2, 3].map((idx) => claimOf(venue, a, { idx }));
		const answers = await store.claim(again);
		expect(answers.map(({ result }) => result)).toEqual(['denied', 'granted', 'granted']);
	},
	'a claim that comes once more after its device gave it back holds nothing': async ({ store, venue, a, b }) => {
		const claim = claimOf(venue, a, { idx: 1 });
		await store.claim([claim]);
		const journal = journalOf(venue, a);
		// The brand stands for the pattern, which a test's id has.
		journal.append({ kind: 'released', redemption: claim.claim.redemption as never, lane: 'lane-1' });
		await store.ingest([journal.segment(1)]);
		// A proxy has repeated it, or it was under way for long: nobody waits for the answer, and no row will end it.
		expect(await store.claim([claim])).toMatchObject([{ result: 'denied' }]);
		expect(await store.openClaims(venue, a)).toEqual([]);
		expect(await store.claim([claimOf(venue, b, { idx: 1 })])).toMatchObject([{ result: 'granted' }]);
	},
	'staff release a claim and it enters anyway: the row counts, and two that passed are a case': async (trial) => {
		const { store, venue, a, b } = trial;
		const claim = claimOf(venue, a, { idx: 1 });
		const { redemption } = claim.claim;
		await store.claim([claim]);
		await store.releaseClaims({ venue, device: a, redemptions: [redemption], by: 'staff', atMs: nowMs });
		const other = claimOf(venue, b, { idx: 1 });
		expect(await store.claim([other])).toMatchObject([{ result: 'granted' }]);
		const [slow, fast] = [journalOf(venue, a), journalOf(venue, b)];
		fast.admit({ idx: 1, redemption: other.claim.redemption, rung: 'authority', taken: 1 });
		slow.admit({ idx: 1, redemption, rung: 'authority', taken: 1 });
		await store.ingest([fast.segment(1), slow.segment(1)]);
		const [found] = await store.cases(venue);
		expect(found).toMatchObject({ kind: 'double_entry', over: 1 });
		expect(found?.redemptions.map(({ device }) => device)).toEqual([b, a]);
	},
	'a device that admits something else than it claimed lets the claim go': async ({ store, venue, a, b }) => {
		const claim = claimOf(venue, a, { idx: 1 });
		await store.claim([claim]);
		const journal = journalOf(venue, a);
		journal.admit({ idx: 2, redemption: claim.claim.redemption, rung: 'authority', taken: 1 });
		await store.ingest([journal.segment(1)]);
		const answers = await store.claim([claimOf(venue, b, { idx: 1 }), claimOf(venue, b, { idx: 2 })]);
		expect(answers).toMatchObject([{ result: 'granted' }, { reason: 'already_redeemed' }]);
	},
	'nothing is granted in an epoch that is over, nor by a store that has lost what a device saw': async (trial) => {
		const { store, venue, a } = trial;
		const claim = { ...claimOf(venue, a, { idx: 1 }), epoch: 1 };
		expect(await store.beginEpoch({ venue, server: 'centre', atMs: nowMs })).toBe(2);
		await expect(store.claim([claim])).rejects.toMatchObject({ code: 'authority_lost' });
		expect(await store.claim([{ ...claim, epoch: 2 }])).toMatchObject([{ result: 'granted' }]);
		expect(await store.feed(venue, { epoch: 2, control: 0, admissions: 99 }, 10)).toBeUndefined();
		expect(await store.head(venue)).toMatchObject({ authority: 'centre', behind: 'overtaken' });
		await expect(store.claim([{ ...claim, epoch: 2 }])).rejects.toMatchObject({ code: 'authority_lost' });
		const epoch = await store.beginEpoch({ venue, server: 'centre', atMs: nowMs });
		expect(await store.claim([{ ...claim, epoch }])).toMatchObject([{ result: 'granted' }]);
	},
};
