import { expect } from 'vitest';
import type { Laws } from './store.suite.ts';
import type { OrderRequest } from './store.ts';
import { claimOf, evt, journalOf, nowMs } from './testing/device-journal.ts';

function request(venue: string, order: string, count: number): OrderRequest {
	return { venue, evt, order, cls: 'adult', count, use: 1, claims: { zon: ['main'] }, atMs: nowMs };
}

async function revokedOf(store: Parameters<Laws[string]>[0]['store'], venue: string): Promise<readonly number[]> {
	return (await store.snapshot(venue)).events[0]?.revoked ?? [];
}

/** What orders and leases hold to. */
export const orderLaws: Laws = {
	'numbers of orders are dense, however many come at once': async ({ store, venue }) => {
		const orders = Array.from({ length: 30 }, (_, i) => store.issueOrder(request(venue, `o-${i}`, i + 1)));
		let next = 0;
		for (const { from, count } of (await Promise.all(orders)).toSorted((a, b) => a.from - b.from)) {
			expect(from).toBe(next);
			next += count;
		}
		expect(next).toBe(465);
		expect(await store.counters(venue)).toEqual([{ evt, next: 465 }]);
	},
	'leased numbers lie above those of every event, and none of them is ever issued': async ({ store, venue }) => {
		await store.putEvent(venue, { evt: 'other', policy: { evt: 'other' } }, nowMs);
		await store.issueOrder({ ...request(venue, 'p', 700_000), evt: 'other' });
		const lease = (of: string, count: number) =>
			store.leaseRange({ venue, evt: of, count, holder: 'window-1', atMs: nowMs });
		const leases = await Promise.all([lease(evt, 10), lease('other', 1), lease(evt, 500)]);
		const taken = leases.toSorted((a, b) => a.from - b.from);
		// The largest order that there is still fits in below.
		expect(taken[0]?.from).toBe(1_700_000);
		for (const [at, { from }] of taken.entries()) expect(from).toBeGreaterThan(taken[at - 1]?.to ?? 699_999);
		expect(await store.issueOrder(request(venue, 'below', 2))).toMatchObject({ from: 0 });
		for (const of of [evt, 'other']) {
			for (let n = 0; n < 6; n++) {
				const { from, count } = await store.issueOrder({ ...request(venue, `${of}-${n}`, 900_000), evt: of });
				const hit = leases.find((range) => from <= range.to && range.from < from + count);
				expect({ of, n, hit }).toEqual({ of, n, hit: undefined });
			}
		}
		await expect(lease('none', 1)).rejects.toMatchObject({ code: 'event_unknown' });
		await expect(lease(evt, 2 ** 31)).rejects.toMatchObject({ code: 'ticket_invalid' });
	},
	'the same order number gives the same tickets, and never others': async ({ store, venue }) => {
		const [first, ...same] = await Promise.all([1, 2, 3, 4].map(() => store.issueOrder(request(venue, 'o', 3))));
		for (const order of same) expect(order).toEqual(first);
		expect(first).toEqual({ ...request(venue, 'o', 3), venue: undefined, atMs: undefined, from: 0, status: 'issued' });
		await expect(store.issueOrder(request(venue, 'o', 4))).rejects.toMatchObject({ code: 'order_differs' });
		await expect(store.issueOrder({ ...request(venue, 'p', 1), evt: 'none' })).rejects.toMatchObject({
			code: 'event_unknown',
		});
		expect(await store.issueOrder(request(venue, 'q', 1))).toMatchObject({ from: 3 });
	},
	'staff are told what a ticket was sold as and what became of it, the newest first': async ({ store, venue, a }) => {
		await store.issueOrder({ ...request(venue, 'o', 2), use: 3 });
		const history = (idx: number, limit = 50) => store.ticketHistory({ venue, evt, idx }, limit);
		const sold = { order: 'o', cls: 'adult', use: 3 };
		expect(await history(0)).toEqual({ sold, revoked: false, uses: [] });
		const rows = journalOf(venue, a);
		rows.admit({ idx: 0, use: 3, taken: 1 });
		rows.admit({ idx: 0, use: 3, taken: 0, back: 1 });
		rows.admit({ idx: 0, use: 3 });
		rows.admit({ idx: 9, taken: 1 });
		await store.ingest([rows.segment(1)]);
		const claim = { ...claimOf(venue, a, { idx: 0, use: 3 }), atMs: nowMs + 60_000 };
		await store.claim([claim]);
		const { uses } = await history(0);
		expect(uses.map(({ outcome }) => outcome)).toEqual(['open', 'open', 'not_taken', 'taken']);
		expect(uses[0]).toEqual({
			...{ device: 'gate-a', lane: 'lane-1', atMs: claim.atMs, rung: 'authority', outcome: 'open', taken: 0 },
		});
		expect((await history(0, 2)).uses).toEqual(uses.slice(0, 2));
		expect(await history(9)).toMatchObject({ revoked: false, uses: [{ outcome: 'taken' }] });
		expect(await history(9)).not.toHaveProperty('sold');
		await store.refundOrder({ venue, order: 'o', idx: [1], atMs: nowMs });
		const whole = { evt, cls: 'adult', use: 3 };
		expect(await store.orderTickets(venue, 'o', 2)).toEqual({
			tickets: [
				{ ...whole, idx: 0, used: 3, revoked: false },
				{ ...whole, idx: 1, used: 0, revoked: true },
			],
			more: false,
		});
		expect(await store.orderTickets(venue, 'o', 1)).toMatchObject({ tickets: [{ idx: 0 }], more: true });
		expect(await store.orderTickets(venue, 'none', 1)).toBeUndefined();
	},
	'a million tickets are issued and refunded in moments': async ({ store, venue }) => {
		const begin = performance.now();
		await store.issueOrder(request(venue, 'big', 1_000_000));
		const { refunded } = await store.refundOrder({ venue, order: 'big', atMs: nowMs });
		expect(refunded).toHaveLength(1_000_000);
		expect(await revokedOf(store, venue)).toHaveLength(1_000_000);
		expect(performance.now() - begin).toBeLessThan(20_000);
		const page = await store.feed(venue, { epoch: 1, control: 1, admissions: 0 }, 5_000);
		const told = page?.entries.flatMap(({ change }) =>
			'kind' in change && change.kind === 'revoked' ? change.idx : [],
		);
		expect(told).toHaveLength(1_000_000);
	},
	'a refund tells the control log once, spares what is used and can be taken back': async ({ store, venue, a }) => {
		await store.issueOrder(request(venue, 'o', 4));
		const journal = journalOf(venue, a);
		journal.admit({ idx: 1, taken: 1 });
		await store.ingest([journal.segment(1)]);
		const refund = { venue, order: 'o', atMs: nowMs };
		for (let n = 0; n < 2; n++) {
			expect(await store.refundOrder(refund)).toMatchObject({ refunded: [0, 2, 3], alreadyUsed: [1] });
		}
		expect(await store.order(venue, 'o')).toMatchObject({ status: 'refunded' });
		expect(await store.restoreOrder({ venue, order: 'o', idx: [2], atMs: nowMs })).toMatchObject({ status: 'issued' });
		expect(await revokedOf(store, venue)).toEqual([0, 3]);
		await store.restoreOrder({ venue, order: 'o', atMs: nowMs });
		const page = await store.feed(venue, { epoch: 1, control: 1, admissions: 99 }, 10);
		expect(page).toBeUndefined();
		const told = await store.feed(venue, { epoch: 1, control: 1, admissions: 2 }, 10);
		expect(told?.entries.map(({ change }) => change)).toEqual([
			{ kind: 'revoked', evt, idx: [0, 2, 3] },
			{ kind: 'restored', evt, idx: [2] },
			{ kind: 'restored', evt, idx: [0, 3] },
		]);
		await expect(store.refundOrder({ ...refund, idx: [4] })).rejects.toMatchObject({ code: 'order_unknown' });
	},
	'a ticket tells of its refund, its uses and where it let somebody in': async ({ store, venue, a }) => {
		await store.issueOrder(request(venue, 'o', 3));
		const journal = journalOf(venue, a);
		journal.admit({ idx: 1, taken: 1 });
		await store.ingest([journal.segment(1)]);
		await store.refundOrder({ venue, order: 'o', idx: [2], atMs: nowMs });
		expect(await store.ticket({ venue, evt, idx: 0 })).toEqual({
			evt,
			idx: 0,
			revoked: false,
			rights: [],
			entries: [],
		});
		const used = await store.ticket({ venue, evt, idx: 1 });
		expect(used).toMatchObject({ revoked: false, rights: [{ allowance: 'ticket', use: 1, used: 1, held: 0 }] });
		expect(used.entries).toMatchObject([{ device: a, rung: 'local', taken: 1 }]);
		expect(await store.ticket({ venue, evt, idx: 2 })).toMatchObject({ revoked: true, rights: [], entries: [] });
	},
	'an exchange revokes and issues in one step, once': async ({ store, venue, a }) => {
		await store.issueOrder(request(venue, 'old', 2));
		const exchange = { venue, order: 'old', into: request(venue, 'new', 3) };
		const [one, two] = await Promise.all([store.exchangeOrder(exchange), store.exchangeOrder(exchange)]);
		expect(one).toMatchObject({ order: 'new', from: 2, count: 3 });
		expect(two).toEqual(one);
		expect(await revokedOf(store, venue)).toEqual([0, 1]);
		const closed = { code: 'order_closed' };
		await expect(store.restoreOrder({ venue, order: 'old', atMs: nowMs })).rejects.toMatchObject(closed);
		await expect(store.refundOrder({ venue, order: 'old', atMs: nowMs })).rejects.toMatchObject(closed);
		const journal = journalOf(venue, a);
		journal.admit({ idx: 3, taken: 1 });
		await store.ingest([journal.segment(1)]);
		const used = { venue, order: 'new', into: request(venue, 'newer', 3) };
		await expect(store.exchangeOrder(used)).rejects.toMatchObject(closed);
		// What failed changed nothing.
		expect(await revokedOf(store, venue)).toEqual([0, 1]);
		expect(await store.order(venue, 'newer')).toBeUndefined();
	},
};
