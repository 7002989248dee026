import { expect } from 'vitest';
import type { Laws, Trial } from './store.suite.ts';
import { claimOf, evt, journalOf, nowMs } from './testing/device-journal.ts';

const hourMs = 3_600_000;

/** Gives the event a capacity; its venue day begins at four in Shanghai. */
function limit({ store, venue }: Trial, capacity: number | undefined): Promise<void> {
	const calendar = { timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 240 };
	return store.putEvent(venue, { evt, policy: { evt, ...calendar, ...(capacity && { capacity }) } }, nowMs);
}

/** What the count of people and the capacity hold to. */
export const peopleLaws: Laws = {
	'400 claims at once of as many tickets fill the house and no more': async (trial) => {
		const { store, venue, a, b } = trial;
		await limit(trial, 20);
		const claims = Array.from({ length: 400 }, (_, idx) => claimOf(venue, idx % 2 === 0 ? a : b, { idx }));
		const answers = (await Promise.all(claims.map((claim) => store.claim([claim])))).flat();
		expect(answers.filter(({ result }) => result === 'granted')).toHaveLength(20);
		const denied = answers.filter(({ result }) => result === 'denied');
		expect(new Set(denied.map((answer) => 'reason' in answer && answer.reason))).toEqual(new Set(['capacity']));
		expect(await store.presence(venue, evt, nowMs)).toEqual({ entered: 0, left: 0, inside: 0, held: 20, capacity: 20 });
	},
	'a full house stays full until somebody leaves, and who was denied asks anew': async (trial) => {
		const { store, venue, a, b } = trial;
		await limit(trial, 2);
		const journal = journalOf(venue, a);
		const [one, two, three] = [
			claimOf(venue, a, { idx: 1 }),
			claimOf(venue, a, { idx: 2 }),
			claimOf(venue, b, { idx: 3 }),
		];
		expect(await store.claim([one, two, three])).toMatchObject([
			{ result: 'granted' },
			{ result: 'granted' },
			{ reason: 'capacity' },
		]);
		journal.admit({ idx: 1, redemption: one.claim.redemption, rung: 'authority', taken: 1 });
		journal.admit({ idx: 2, redemption: two.claim.redemption, rung: 'authority', taken: 0, back: 1 });
		await store.ingest([journal.segment(1)]);
		// Who did not pass left a place; the answer of before stays what it was.
		expect(await store.claim([three])).toMatchObject([{ reason: 'capacity' }]);
		expect(await store.claim([claimOf(venue, b, { idx: 3 })])).toMatchObject([{ result: 'granted' }]);
		expect(await store.claim([claimOf(venue, b, { idx: 4 })])).toMatchObject([{ reason: 'capacity' }]);
		// The ticket's own fault is said first: more room would not help.
		expect(await store.claim([claimOf(venue, b, { idx: 1 })])).toMatchObject([{ reason: 'already_redeemed' }]);
		const from = journal.rows.length + 1;
		journal.append({
			kind: 'exited',
			ticket: `${evt}/1` as never,
			allowance: 'ticket' as never,
			cls: 'adult',
			lane: 'out',
		});
		await store.ingest([journal.segment(from)]);
		expect(await store.presence(venue, evt, nowMs)).toEqual({ entered: 1, left: 1, inside: 0, held: 1, capacity: 2 });
		// A re-entry takes no use, and a place.
		const reentry = claimOf(venue, b, { idx: 1, uses: 0 });
		expect(await store.claim([reentry, claimOf(venue, b, { idx: 5 })])).toMatchObject([
			{ result: 'granted' },
			{ reason: 'capacity' },
		]);
		const group = { use: 3, uses: 2 };
		expect(await store.claim([claimOf(venue, b, { idx: 6, ...group })])).toMatchObject([{ reason: 'capacity' }]);
	},
	'rows count people once, however often they come, and those without a ticket for every event': async (trial) => {
		const { store, venue, a } = trial;
		await limit(trial, 100);
		await store.putEvent(venue, { evt: 'other', policy: { evt: 'other', capacity: 9 } }, nowMs);
		const journal = journalOf(venue, a);
		journal.admit({ idx: 1, uses: 5, use: 5, taken: 4, back: 1 });
		journal.admit({ idx: 2, reentry: true, uses: 0, taken: 1 });
		journal.append({
			kind: 'staff_entry',
			lane: 'l',
			cls: 'infant',
			count: 3,
			operator: 'o',
			reason: 'r',
			rung: 'staff',
		});
		journal.append({ kind: 'passages', lane: 'l', direction: 'entry', count: 2, during: 'free' });
		journal.append({ kind: 'passages', lane: 'l', direction: 'exit', count: 4, during: 'emergency' });
		journal.append({ kind: 'passages', lane: 'l', direction: 'exit', count: -4, during: 'free' });
		journal.append({
			kind: 'exited',
			ticket: 'other/1' as never,
			allowance: 'ticket' as never,
			cls: 'adult',
			lane: 'l',
		});
		await store.ingest([journal.segment(1, 5)]);
		await Promise.all([
			store.ingest([journal.segment(1)]),
			store.ingest([journal.segment(3)]),
			store.ingest([journal.segment(1)]),
		]);
		expect(await store.presence(venue, evt, nowMs)).toMatchObject({ entered: 10, left: 4, inside: 6, held: 0 });
		expect(await store.presence(venue, 'other', nowMs)).toMatchObject({ entered: 5, left: 5, inside: 0 });
		await expect(store.presence(venue, 'none', nowMs)).rejects.toMatchObject({ code: 'event_unknown' });
		// More exits than entries are counting errors: they make no room.
		journal.append({ kind: 'passages', lane: 'l', direction: 'exit', count: 50, during: 'free' });
		await store.ingest([journal.segment(journal.rows.length)]);
		expect(await store.presence(venue, evt, nowMs)).toMatchObject({ inside: 0 });
	},
	'a venue day begins with an empty house, though nobody was seen to leave': async (trial) => {
		const { store, venue, a, b } = trial;
		await limit(trial, 1);
		const journal = journalOf(venue, a);
		journal.admit({ idx: 1, taken: 1 });
		await store.ingest([journal.segment(1)]);
		// 2026-09-21 at 22:13 in Shanghai; its venue day ends at four.
		const claimAt = (idx: number, atMs: number) => store.claim([{ ...claimOf(venue, b, { idx }), atMs }]);
		expect(await claimAt(2, nowMs + 5.7 * hourMs)).toMatchObject([{ reason: 'capacity' }]);
		expect(await claimAt(3, nowMs + 5.8 * hourMs)).toMatchObject([{ result: 'granted' }]);
		expect(await store.presence(venue, evt, nowMs)).toMatchObject({ inside: 1 });
		expect(await store.presence(venue, evt, nowMs + 5.8 * hourMs)).toMatchObject({ inside: 0, held: 1 });
	},
	'an event without a capacity has room for all, and new rules hold at once': async (trial) => {
		const { store, venue, a } = trial;
		const claim = async (idx: number) => (await store.claim([claimOf(venue, a, { idx })]))[0]?.result;
		expect(await claim(1)).toBe('granted');
		await limit(trial, 1);
		expect(await claim(2)).toBe('denied');
		await limit(trial, 2);
		expect(await claim(3)).toBe('granted');
		await limit(trial, undefined);
		expect(await claim(4)).toBe('granted');
	},
};
