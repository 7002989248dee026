import { type RawBuilder, sql } from 'kysely';
import type { Store } from '../store.ts';
import type { OrderTicket, TicketHistory, TicketInquiry, TicketUse } from '../ticket-inquiry.ts';
import { type Database, readAtOnce, type Work } from './dialect.ts';
import { loadRevoked } from './rights-table.ts';

/** The part of a store that answers staff about tickets. */
export function ticketInquiryMethods(database: Database): Pick<Store, keyof TicketInquiry> {
	return {
		ticketHistory: (key, limit) => readAtOnce(database, (work) => readHistory(work, key, limit)),
		orderTickets: (venue, order, limit) => readAtOnce(database, (work) => readOrder(work, { venue, order, limit })),
	};
}

type Ticket = Parameters<TicketInquiry['ticketHistory']>[0];

async function readHistory(work: Work, key: Ticket, limit: number): Promise<TicketHistory> {
	const { venue, evt, idx } = key;
	const order = await work.tx
		.selectFrom('orders')
		.select(['order_id', 'cls', 'use', 'from_idx', 'size'])
		.where('venue_id', '=', venue)
		.where('evt', '=', evt)
		.where('from_idx', '<=', idx)
		.orderBy('from_idx', 'desc')
		.limit(1)
		.executeTakeFirst();
	const isSold = order !== undefined && order.from_idx + order.size > idx;
	const isRevoked = await loadRevoked(work, [key]);
	return {
		...(isSold && { sold: { order: order.order_id, cls: order.cls, use: order.use } }),
		revoked: isRevoked(key),
		uses: await readUses(work, key, limit),
	};
}

interface UseRow {
	device: string;
	lane: string;
	at_ms: number;
	rung: string;
	state: string;
	taken: number;
	granted_by: string | null;
	reason: string | null;
	ended_by: string | null;
}

/**
 * Each kind of redemption has an index of its own, whose condition stands in the query word for word: without it every
 * redemption of the venue would be read. Claims are few, because each ends in a row.
 */
const kinds: readonly RawBuilder<unknown>[] = [
	sql`r.taken_n IS NOT NULL`,
	sql`r.taken_n IS NULL AND r.state IN ('granted', 'settled')`,
	sql`r.state = 'claimed'`,
];

async function readUses({ tx }: Work, { venue, evt, idx }: Ticket, limit: number): Promise<readonly TicketUse[]> {
	const found: UseRow[] = [];
	for (const kind of kinds) {
		const { rows } = await sql<UseRow>`
			SELECT COALESCE(d.name, r.device) AS device, r.lane, r.at_ms, r.rung, r.state, r.taken,
				r.granted_by, r.reason, r.ended_by
			FROM redemptions r LEFT JOIN devices d ON d.venue_id = r.venue_id AND d.device = r.device
			WHERE r.venue_id = ${venue} AND r.evt = ${evt} AND r.idx = ${idx} AND ${kind}
			ORDER BY r.at_ms DESC LIMIT ${limit}`.execute(tx);
		found.push(...rows);
	}
	return found
		.toSorted((a, b) => b.at_ms - a.at_ms)
		.slice(0, limit)
		.map(useOf);
}

function useOf({ device, lane, at_ms, rung, state, taken, granted_by, reason, ended_by }: UseRow): TicketUse {
	const outcome = taken > 0 ? 'taken' : state === 'settled' ? 'not_taken' : 'open';
	const by = (outcome === 'not_taken' ? ended_by : undefined) ?? granted_by ?? ended_by;
	return {
		...{ device, lane, atMs: at_ms, rung, outcome, taken },
		...(by !== null && { by }),
		...(reason !== null && { reason }),
	};
}

async function readOrder(
	work: Work,
	{ venue, order, limit }: { readonly venue: string; readonly order: string; readonly limit: number },
): ReturnType<TicketInquiry['orderTickets']> {
	const row = await work.tx
		.selectFrom('orders')
		.select(['evt', 'cls', 'use', 'from_idx', 'size'])
		.where('venue_id', '=', venue)
		.where('order_id', '=', order)
		.executeTakeFirst();
	if (row === undefined) return undefined;
	const { evt, cls, use, from_idx: from, size } = row;
	const count = Math.min(size, limit);
	const used = await readUsed(work, { venue, evt, from, to: from + count - 1 });
	const keys = Array.from({ length: count }, (_, at) => ({ venue, evt, idx: from + at }));
	const isRevoked = await loadRevoked(work, keys);
	const tickets = keys.map(
		(key): OrderTicket => ({ evt, idx: key.idx, cls, use, used: used.get(key.idx) ?? 0, revoked: isRevoked(key) }),
	);
	return { tickets, more: size > count };
}

async function readUsed(
	{ tx }: Work,
	{
		venue,
		evt,
		from,
		to,
	}: { readonly venue: string; readonly evt: string; readonly from: number; readonly to: number },
): Promise<ReadonlyMap<number, number>> {
	const { rows } = await sql<{ idx: number; used: number }>`
		SELECT idx, max(used + held) AS used FROM rights
		WHERE venue_id = ${venue} AND evt = ${evt} AND idx BETWEEN ${from} AND ${to}
		GROUP BY idx`.execute(tx);
	return new Map(rows.map(({ idx, used }) => [idx, used]));
}
