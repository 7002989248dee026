import type { Selectable } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { ticketIdxMax } from '../../../gate-agent/core/ticket.ts';
import { type Order, type OrderRequest, type RefundOutcome, type Store, unsyncedMax } from '../store.ts';
import { type Database, transact, type Work } from './dialect.ts';
import { lockVenue } from './heads.ts';
import { changeRevoked } from './revocations.ts';
import { loadRevoked } from './rights-table.ts';
import type { Tables } from './schema.ts';

type OrderRow = Selectable<Tables['orders']>;

type OrderMethods =
	| 'counters'
	| 'issueOrder'
	| 'order'
	| 'refundOrder'
	| 'restoreOrder'
	| 'exchangeOrder'
	| 'leaseRange';

/** Numbers between what is sold and a lease: the largest order still fits in. */
const leaseRoom = 1_000_000;

/** The orders' part of a store. Tickets of an order are one run of numbers, and one row. */
export function orderMethods(database: Database): Pick<Store, OrderMethods> {
	return {
		issueOrder: (request) =>
			transact(database, async (work) => {
				await lockVenue(work, request.venue);
				return issue(work, request);
			}),
		order: async (venue, order) => {
			const row = await database.db
				.selectFrom('orders')
				.selectAll()
				.where('venue_id', '=', venue)
				.where('order_id', '=', order)
				.executeTakeFirst();
			return row && orderOf(row);
		},
		refundOrder: (refund) => transact(database, (work) => refundOrder(work, refund)),
		restoreOrder: (restore) => transact(database, (work) => restoreOrder(work, restore)),
		exchangeOrder: (exchange) => transact(database, (work) => exchangeOrder(work, exchange)),
		leaseRange: (lease) => transact(database, (work) => leaseRange(work, lease)),
		counters: (venue) => transact(database, (work) => readCounters(work, venue)),
	};
}

/** Takes the next run of numbers of an event that no lease has: one counter, so that they are dense. */
async function takeNumbers(
	{ tx }: Work,
	{ venue, evt, count }: { readonly venue: string; readonly evt: string; readonly count: number },
): Promise<number> {
	const counter = await tx
		.selectFrom('counters')
		.select('next_idx')
		.where('venue_id', '=', venue)
		.where('evt', '=', evt)
		.executeTakeFirst();
	if (counter === undefined) throw new StilewardError('event_unknown', `${venue} has no event ${evt}`);
	const leases = await tx
		.selectFrom('leases')
		.select(['from_idx', 'to_idx'])
		.where('venue_id', '=', venue)
		.where('to_idx', '>=', counter.next_idx)
		.orderBy('from_idx')
		.execute();
	const from = leases.reduce((start, { from_idx, to_idx }) => {
		return start + count > from_idx && start <= to_idx ? to_idx + 1 : start;
	}, counter.next_idx);
	if (from + count - 1 > ticketIdxMax) {
		throw new StilewardError('ticket_invalid', `${evt} has no ${count} ticket numbers left`);
	}
	await tx
		.updateTable('counters')
		.set({ next_idx: from + count })
		.where('venue_id', '=', venue)
		.where('evt', '=', evt)
		.execute();
	return from;
}

async function issue(work: Work, request: OrderRequest): Promise<Order> {
	const known = await findOrder(work, request.venue, request.order);
	if (known !== undefined) {
		if (isSame(known, request)) return orderOf(known);
		throw new StilewardError('order_differs', `order ${request.order} was issued with other contents`);
	}
	const { venue, evt, order, cls, count, use, claims, atMs } = request;
	if (!Number.isSafeInteger(count) || count < 1) throw new StilewardError('ticket_invalid', 'an order has tickets');
	const row: OrderRow = {
		...{ venue_id: venue, order_id: order, evt, cls, from_idx: await takeNumbers(work, request), size: count, use },
		...{ claims: JSON.stringify(claims ?? null), status: 'issued', issued_ms: atMs, revoked_ms: null, revoked_n: null },
	};
	await work.tx.insertInto('orders').values(row).execute();
	return orderOf(row);
}

function isSame(row: OrderRow, { evt, cls, count, use, claims }: OrderRequest): boolean {
	const contents = [row.evt, row.cls, row.size, row.use, row.claims];
	return JSON.stringify(contents) === JSON.stringify([evt, cls, count, use, JSON.stringify(claims ?? null)]);
}

async function findOrder({ tx }: Work, venue: string, order: string): Promise<OrderRow | undefined> {
	return tx
		.selectFrom('orders')
		.selectAll()
		.where('venue_id', '=', venue)
		.where('order_id', '=', order)
		.executeTakeFirst();
}

async function needOrder(work: Work, venue: string, order: string): Promise<OrderRow> {
	const row = await findOrder(work, venue, order);
	if (row === undefined) throw new StilewardError('order_unknown', `${venue} has no order ${order}`);
	return row;
}

function orderOf({ order_id, evt, cls, from_idx, size, use, claims, status }: OrderRow): Order {
	return {
		...{ order: order_id, evt, cls, from: from_idx, count: size, use, claims: JSON.parse(claims) },
		// Written by this file alone.
		status: status as Order['status'],
	};
}

async function refundOrder(work: Work, refund: Parameters<Store['refundOrder']>[0]): Promise<RefundOutcome> {
	const { venue, atMs } = refund;
	await lockVenue(work, venue);
	const row = await needOrder(work, venue, refund.order);
	if (row.status === 'exchanged') throw closed(row);
	const { refunded, alreadyUsed, entry } = await revokeUnused(work, row, { idx: refund.idx, atMs });
	const revoked_n = entry ?? row.revoked_n;
	const status = refund.idx === undefined ? 'refunded' : row.status;
	await setStatus(work, row, { status, revoked_ms: row.revoked_ms ?? atMs, revoked_n });
	const unsynced = await unsyncedDevices(work, venue, revoked_n ?? 0);
	return { refunded, alreadyUsed, pending: unsynced.length > 0, unsynced };
}

/** Revokes those of an order's numbers that let nobody in yet; `entry` is the control log's, where one was needed. */
async function revokeUnused(
	work: Work,
	row: OrderRow,
	{ idx, atMs }: { readonly idx: readonly number[] | undefined; readonly atMs: number },
): Promise<{ refunded: readonly number[]; alreadyUsed: readonly number[]; entry: number | undefined }> {
	const numbers = numbersOf(row, idx);
	const used = await usedNumbers(work, row);
	const { venue_id: venue, evt } = row;
	const refunded = numbers.filter((number) => !used.has(number));
	const entry = await changeRevoked(work, { venue, evt, kind: 'revoked', idx: refunded, atMs });
	return { refunded, alreadyUsed: numbers.filter((number) => used.has(number)), entry };
}

function numbersOf({ order_id, from_idx, size }: OrderRow, idx: readonly number[] | undefined): readonly number[] {
	if (idx === undefined) return Array.from({ length: size }, (_, index) => from_idx + index);
	const isForeign = (number: number) => !Number.isInteger(number) || number < from_idx || number >= from_idx + size;
	const foreign = idx.find(isForeign);
	if (foreign !== undefined) throw new StilewardError('order_unknown', `${foreign} is not of order ${order_id}`);
	return [...new Set(idx)].sort((a, b) => a - b);
}

/** Numbers that are used, except those that were refunded before: their entry is a case, and the refund stands. */
async function usedNumbers(work: Work, row: OrderRow): Promise<ReadonlySet<number>> {
	const { venue_id: venue, evt, from_idx, size } = row;
	const used = await work.tx
		.selectFrom('rights')
		.select('idx')
		.where('venue_id', '=', venue)
		.where('evt', '=', evt)
		.where('idx', '>=', from_idx)
		.where('idx', '<', from_idx + size)
		.where('used', '>', 0)
		.execute();
	const tickets = used.map(({ idx }) => ({ venue, evt, idx }));
	const isRevoked = await loadRevoked(work, tickets);
	return new Set(tickets.filter((ticket) => !isRevoked(ticket)).map(({ idx }) => idx));
}

/** Devices that may have admitted without knowing of an entry of the control log. */
async function unsyncedDevices({ tx }: Work, venue: string, entry: number): Promise<readonly string[]> {
	const rows = await tx
		.selectFrom('devices')
		.select('name')
		.where('venue_id', '=', venue)
		.where('status', '!=', 'disabled')
		.where('synced_control', '<', entry)
		.orderBy('name')
		.limit(unsyncedMax)
		.execute();
	return rows.map(({ name }) => name);
}

async function setStatus(
	{ tx }: Work,
	{ venue_id, order_id }: OrderRow,
	change: Pick<OrderRow, 'status' | 'revoked_ms' | 'revoked_n'>,
): Promise<void> {
	await tx
		.updateTable('orders')
		.set(change)
		.where('venue_id', '=', venue_id)
		.where('order_id', '=', order_id)
		.execute();
}

async function restoreOrder(work: Work, restore: Parameters<Store['restoreOrder']>[0]): Promise<Order> {
	const { venue, order, idx, atMs } = restore;
	await lockVenue(work, venue);
	const row = await needOrder(work, venue, order);
	if (row.status === 'exchanged') throw closed(row);
	await changeRevoked(work, { venue, evt: row.evt, kind: 'restored', idx: numbersOf(row, idx), atMs });
	const kept = { revoked_ms: row.revoked_ms, revoked_n: row.revoked_n };
	const change = { status: 'issued', ...(idx === undefined ? { revoked_ms: null, revoked_n: null } : kept) };
	await setStatus(work, row, change);
	return orderOf({ ...row, ...change });
}

async function exchangeOrder(work: Work, exchange: Parameters<Store['exchangeOrder']>[0]): Promise<Order> {
	const { venue, order, into } = exchange;
	if (into.venue !== venue || into.order === order) {
		throw new StilewardError('order_differs', 'an order is exchanged into another one of the same venue');
	}
	await lockVenue(work, venue);
	const row = await needOrder(work, venue, order);
	const made = await findOrder(work, venue, into.order);
	if (row.status === 'exchanged' && made !== undefined) return issue(work, into);
	if (row.status !== 'issued') throw closed(row);
	if (made !== undefined) throw new StilewardError('order_differs', `order ${into.order} exists already`);
	const { alreadyUsed, entry = null } = await revokeUnused(work, row, { idx: undefined, atMs: into.atMs });
	if (alreadyUsed.length > 0) {
		throw new StilewardError('order_closed', `${alreadyUsed.length} tickets of order ${order} are used`);
	}
	await setStatus(work, row, { status: 'exchanged', revoked_ms: into.atMs, revoked_n: entry });
	return issue(work, into);
}

function closed({ order_id, status }: OrderRow): StilewardError {
	return new StilewardError('order_closed', `order ${order_id} is ${status}`);
}

/**
 * Leases numbers above those of every event, for an issuer key has one range for all of them: the server's own keeps what
 * lies below, and another one goes on above. Between the two is room for what is sold until then.
 */
async function leaseRange(
	work: Work,
	lease: Parameters<Store['leaseRange']>[0],
): Promise<{ readonly from: number; readonly to: number }> {
	const { venue, evt, count, holder, atMs } = lease;
	if (!Number.isSafeInteger(count) || count < 1) throw new StilewardError('ticket_invalid', 'a lease has numbers');
	await lockVenue(work, venue);
	const counters = await readCounters(work, venue);
	if (!counters.some((counter) => counter.evt === evt)) {
		throw new StilewardError('event_unknown', `${venue} has no event ${evt}`);
	}
	const leased = await work.tx
		.selectFrom('leases')
		.select('to_idx')
		.where('venue_id', '=', venue)
		.orderBy('to_idx', 'desc')
		.executeTakeFirst();
	const highest = Math.max((leased?.to_idx ?? -1) + 1, ...counters.map(({ next }) => next));
	const from = highest + leaseRoom;
	const to = from + count - 1;
	if (to > ticketIdxMax) throw new StilewardError('ticket_invalid', `no ${count} ticket numbers are left`);
	const row = { venue_id: venue, evt, from_idx: from, to_idx: to, holder, at_ms: atMs };
	await work.tx.insertInto('leases').values(row).execute();
	return { from, to };
}

async function readCounters({ tx }: Pick<Work, 'tx'>, venue: string): ReturnType<Store['counters']> {
	const rows = await tx.selectFrom('counters').select(['evt', 'next_idx']).where('venue_id', '=', venue).execute();
	return rows.map(({ evt, next_idx }) => ({ evt, next: next_idx }));
}
