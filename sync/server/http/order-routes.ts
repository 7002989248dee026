import { Readable } from 'node:stream';
import { checkOrder, eventKeyOf, ticketsOf } from '../issuing.ts';
import type { ServerParts } from '../server-parts.ts';
import type { Order, OrderRequest } from '../store.ts';
import type { AddOfficeRoute } from './office-routes.ts';
import * as schemas from './office-schemas.ts';
import { Refusal } from './refusal.ts';

/**
 * Adds the calls for tickets. Orders are answered as JSON lines: the order, then one line for each ticket, then
 * `{"done":true}`; without that last line the answer broke off, and asking again gives the same tickets.
 */
export function addOrderRoutes(add: AddOfficeRoute, parts: ServerParts): void {
	addIssuing(add, parts);
	addChanges(add, parts);
}

function addIssuing(add: AddOfficeRoute, parts: ServerParts): void {
	const { store, venue, issuer } = parts;
	add({
		method: 'POST',
		path: '/orders',
		summary: 'Issues the tickets of an order, as JSON lines; again with the same number.',
		act: 'order.issue',
		body: schemas.orderSchema,
		subject: ({ order }) => order,
		handle: async ({ body, atMs }) => {
			const request = requestOf(parts, body, atMs);
			await assertIssuable(parts, request);
			return answerOf(await store.issueOrder(request), parts);
		},
	});
	add({
		method: 'GET',
		path: '/orders/:order',
		summary: 'An order and its range of ticket numbers.',
		params: schemas.params.order,
		handle: async ({ params: { order } }) => {
			const found = await store.order(venue, order);
			if (!found) throw new Refusal('not_found');
			return found;
		},
	});
	add({
		method: 'GET',
		path: '/events/:evt/tickets/:idx',
		summary: 'What became of a ticket: refunded or not, its uses, where and when it let somebody in.',
		params: schemas.params.ticket,
		handle: ({ params: { evt, idx } }) => store.ticket({ venue, evt, idx }),
	});
	add({
		method: 'POST',
		path: '/ranges',
		summary: 'Leases ticket numbers to an issuer that works offline.',
		act: 'range.lease',
		body: schemas.leaseSchema,
		subject: ({ evt, holder }) => `${evt} ${holder}`,
		handle: async ({ body: { evt, count, holder }, atMs }) => {
			eventKeyOf(issuer, evt);
			return store.leaseRange({ venue, evt, count, holder, atMs });
		},
	});
}

function addChanges(add: AddOfficeRoute, parts: ServerParts): void {
	const { store, venue } = parts;
	add({
		method: 'POST',
		path: '/orders/:order/refund',
		summary: 'Revokes the tickets of an order, or some of them.',
		act: 'order.refund',
		body: schemas.refundSchema,
		params: schemas.params.order,
		subject: (_body, { order }) => order,
		handle: async ({ body: { idx }, params: { order }, atMs }) => {
			if (!(await store.order(venue, order))) throw new Refusal('not_found');
			return store.refundOrder({ venue, order, ...(idx && { idx }), atMs });
		},
	});
	add({
		method: 'POST',
		path: '/orders/:order/restore',
		summary: 'Takes a refund back.',
		act: 'order.restore',
		body: schemas.refundSchema,
		params: schemas.params.order,
		subject: (_body, { order }) => order,
		handle: ({ body: { idx }, params: { order }, atMs }) =>
			store.restoreOrder({ venue, order, ...(idx && { idx }), atMs }),
	});
	add({
		method: 'POST',
		path: '/orders/:order/exchange',
		summary: 'Revokes an order and issues another in its place, in one transaction; answers like an order.',
		act: 'order.exchange',
		body: schemas.exchangeSchema,
		params: schemas.params.order,
		subject: ({ into }, { order }) => `${order} ${into.order}`,
		handle: async ({ body, params: { order }, atMs }) => {
			if (!(await store.order(venue, order))) throw new Refusal('not_found');
			const into = requestOf(parts, body.into, atMs);
			await assertIssuable(parts, into);
			return answerOf(await store.exchangeOrder({ venue, order, into }), parts);
		},
	});
}

function requestOf({ venue }: ServerParts, input: schemas.OrderInput, atMs: number): OrderRequest {
	const { order, evt, cls, count, use = 1, claims } = input;
	return { venue, order, evt, cls, count, use, claims, atMs };
}

/** Everything that can be wrong with tickets is found before their numbers are taken. */
async function assertIssuable({ store, venue, issuer }: ServerParts, request: OrderRequest): Promise<void> {
	const events = await store.events(venue);
	if (!events.some(({ evt }) => evt === request.evt)) {
		throw new Refusal('not_found', { detail: `there is no event ${request.evt}` });
	}
	await checkOrder(request, issuer);
}

async function answerOf(order: Order, parts: ServerParts): Promise<Readable> {
	await parts.issuer.remember?.(order.evt, order.from + order.count - 1);
	return linesOf(order, parts);
}

function linesOf(order: Order, { issuer, log }: ServerParts): Readable {
	async function* lines() {
		try {
			yield `${JSON.stringify(order)}\n`;
			for await (const tickets of ticketsOf(order, issuer)) {
				yield tickets.map((ticket) => `${JSON.stringify(ticket)}\n`).join('');
			}
			yield '{"done":true}\n';
		} catch (error) {
			// The answer has begun; without its last line the client knows that it broke off.
			log.error({ event: 'order_broke_off', order: order.order, err: error });
			throw error;
		}
	}
	return Readable.from(lines(), { objectMode: false, highWaterMark: 64 * 1024 });
}
