import { expect } from 'vitest';
import type { Cursor } from '../protocol/cursor.ts';
import type { FeedEntry } from '../protocol/feed.ts';
import type { Laws } from './store.suite.ts';
import type { Store } from './store.ts';
import { claimOf, deviceNamed, evt, journalOf, nowMs, prepareVenue } from './testing/device-journal.ts';

const start: Cursor = { epoch: 1, control: 0, admissions: 0 };

/** Reads the feed to its end, page by page, and checks that no number is missing in it. */
async function readOn(store: Store, venue: string, from: { cursor: Cursor }): Promise<readonly FeedEntry[]> {
	const entries: FeedEntry[] = [];
	for (;;) {
		const page = await store.feed(venue, from.cursor, 7);
		if (page === undefined) throw new Error('the epoch has changed');
		for (const log of ['control', 'admissions'] as const) {
			const numbers = page.entries.filter((entry) => entry.log === log).map(({ n }) => n);
			expect(numbers).toEqual(numbers.map((_, index) => from.cursor[log] + 1 + index));
			expect(page.next[log]).toBe(from.cursor[log] + numbers.length);
		}
		from.cursor = page.next;
		if (page.entries.length === 0) return entries;
		entries.push(...page.entries);
	}
}

/** What the feed and the snapshot hold to. */
export const feedLaws: Laws = {
	'readers beside writers never see a number without those before it': async ({ store, venue }) => {
		const devices = await prepareVenue(store, venue, ['c-1', 'c-2', 'c-3', 'c-4']);
		let writing = true;
		const readers = [1, 2, 3].map(async () => {
			const from = { cursor: start };
			let seen = 0;
			while (writing) seen += (await readOn(store, venue, from)).length;
			return seen + (await readOn(store, venue, from)).length;
		});
		const writers = devices.map(async (device, index) => {
			const journal = journalOf(venue, device);
			for (let n = 0; n < 15; n++) {
				const first = journal.rows.length + 1;
				for (let k = 0; k <= n % 4; k++) journal.admit({ idx: index * 1_000 + n * 10 + k, taken: 1 });
				await store.ingest([journal.segment(first)]);
				await store.appendControl(venue, [{ kind: 'revoked', evt, idx: [n] }], nowMs);
			}
		});
		await Promise.all(writers);
		writing = false;
		const head = await store.head(venue);
		const seen = await Promise.all(readers);
		for (const count of seen) expect(count).toBe((head?.control ?? 0) + (head?.admissions ?? 0));
		expect(head?.admissions).toBe(4 * 2 * 36);
	},
	'a snapshot is what the feed says up to its cursor': async ({ store, venue, a }) => {
		const journal = journalOf(venue, a);
		const snapshots: Awaited<ReturnType<Store['snapshot']>>[] = [];
		for (let n = 0; n < 12; n++) {
			const first = journal.rows.length + 1;
			for (let idx = 0; idx < 5; idx++) journal.admit({ idx: n * 5 + idx, taken: idx % 2, back: 1 - (idx % 2) });
			const [, snapshot] = await Promise.all([store.ingest([journal.segment(first)]), store.snapshot(venue)]);
			snapshots.push(snapshot);
		}
		const entries = await readOn(store, venue, { cursor: start });
		for (const { cursor, events } of snapshots) {
			const used = new Map<number, number>();
			for (const { log, n, change } of entries) {
				if (log === 'admissions' && n <= cursor.admissions) used.set(change.idx, change.used);
			}
			const expected = [...used].filter(([, count]) => count > 0).map(([idx]) => idx);
			expect(events[0]?.redeemed).toEqual(expected.sort((x, y) => x - y));
		}
	},
	'a new epoch begins the admissions anew and asks for a snapshot; what counted still counts': async (trial) => {
		const { store, venue, a } = trial;
		const journal = journalOf(venue, a);
		journal.admit({ idx: 1, taken: 1 });
		await store.ingest([journal.segment(1)]);
		const { control = 0 } = (await store.head(venue)) ?? {};
		expect(await store.beginEpoch({ venue, server: 'centre', atMs: nowMs })).toBe(2);
		expect(await store.feed(venue, { ...start, admissions: 2 }, 10)).toBeUndefined();
		const { cursor, events } = await store.snapshot(venue);
		expect(cursor).toEqual({ epoch: 2, control: control + 1, admissions: 0 });
		expect(events[0]?.redeemed).toEqual([1]);
		expect(await store.claim([claimOf(venue, a, { idx: 1 })])).toMatchObject([{ reason: 'already_redeemed' }]);
		journal.admit({ idx: 2, taken: 1 });
		await store.ingest([journal.segment(1)]);
		const page = await store.feed(venue, { ...cursor, control }, 10);
		expect(page?.entries.map(({ log, n }) => [log, n])).toEqual([
			['control', control + 1],
			['admissions', 1],
			['admissions', 2],
		]);
		expect(page?.next).toEqual({ epoch: 2, control: control + 1, admissions: 2 });
	},
	'after a loss nothing that may have been given out before is given out again': async ({ store, venue }) => {
		const order = { venue, evt, order: 'o', cls: 'adult', count: 3, use: 1, claims: {}, atMs: nowMs };
		const { from } = await store.issueOrder(order);
		await store.addEnrollmentCode({ venue, name: 'gate-9', codeHash: `${venue}-spent`, expiresMs: nowMs + 9_999 });
		const before = await store.head(venue);
		const epoch = await store.beginEpoch({ venue, server: 'centre', atMs: nowMs, lost: true });
		const later = await store.beginEpoch({ venue, server: 'centre', atMs: nowMs + 1_000, lost: true });
		// Another restore of the same backup, a second later, is another epoch.
		expect([epoch, later]).toEqual([nowMs / 1000, nowMs / 1000 + 1]);
		const head = await store.head(venue);
		expect(head).toMatchObject({ epoch: later, admissions: 0 });
		expect(head?.control).toBeGreaterThan((before?.control ?? 0) + 1_000_000);
		const next = await store.issueOrder({ ...order, order: 'p' });
		expect(next.from).toBeGreaterThan(from + 3 + 1_000_000);
		const [jwk, device] = [{ kty: 'OKP' }, deviceNamed(`${venue}/gate-9`)];
		expect(await store.enroll({ codeHash: `${venue}-spent`, jwk, device, atMs: nowMs })).toBeUndefined();
		// The control log goes on behind the gap, and its reader finds it.
		const page = await store.feed(venue, { epoch: later, control: before?.control ?? 0, admissions: 0 }, 10);
		expect(page?.entries.map(({ change }) => change)).toEqual([
			{ kind: 'authority', epoch, server: 'centre' },
			{ kind: 'authority', epoch: later, server: 'centre' },
		]);
		expect(page?.next.control).toBe(head?.control);
		expect(await store.beginEpoch({ venue, server: 'hub', atMs: nowMs })).toBe(later + 1);
	},
	'an event is replaced whole, and the control log says so': async ({ store, venue }) => {
		await store.putEvent(venue, { evt, policy: { evt, v: 2 } }, nowMs);
		await store.putEvent(venue, { evt: 'other', policy: { evt: 'other' } }, nowMs);
		expect(await store.events(venue)).toEqual([
			{ evt, policy: { evt, v: 2 } },
			{ evt: 'other', policy: { evt: 'other' } },
		]);
		const entries = await readOn(store, venue, { cursor: start });
		expect(entries.map(({ change }) => change)).toMatchObject([{ evt }, { evt, policy: { v: 2 } }, { evt: 'other' }]);
	},
	'a session is postponed from where the rules first put it, however often': async ({ store, venue }) => {
		const evening = { fromMs: 1_000, untilMs: 9_000, graceMs: 5, postponedMs: 0 };
		const policy = { evt, sessions: { evening, matinee: evening }, capacity: 7 };
		await store.putEvent(venue, { evt, policy }, nowMs);
		const { control = 0 } = (await store.head(venue)) ?? {};
		const postpone = (session: string, postponedMs: number, of = evt) =>
			store.postponeSession({ venue, evt: of, session, postponedMs, atMs: nowMs });
		await postpone('evening', 1_800_000);
		const late = { ...policy, sessions: { evening: { ...evening, postponedMs: 3_600_000 }, matinee: evening } };
		expect(await postpone('evening', 3_600_000)).toEqual({ evt, policy: late });
		expect(await store.events(venue)).toEqual([{ evt, policy: late }]);
		const entries = await readOn(store, venue, { cursor: { ...start, control } });
		expect(entries.at(-1)?.change).toEqual({ kind: 'policy', evt, policy: late });
		await expect(postpone('constructor', 1)).rejects.toMatchObject({ code: 'session_unknown' });
		await expect(postpone('evening', 1, 'none')).rejects.toMatchObject({ code: 'event_unknown' });
		expect(await store.head(venue)).toMatchObject({ control: control + 2 });
	},
	'a venue that does not exist is named as such': async ({ store }) => {
		const unknown = { code: 'venue_unknown' };
		expect(await store.head('nowhere')).toBeUndefined();
		await expect(store.feed('nowhere', start, 10)).rejects.toMatchObject(unknown);
		await expect(store.appendControl('nowhere', [], nowMs)).rejects.toMatchObject(unknown);
		await expect(store.claim([claimOf('nowhere', 'x', { idx: 1 })])).rejects.toMatchObject(unknown);
	},
};
