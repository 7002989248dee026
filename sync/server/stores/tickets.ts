import { type Store, type TicketRecord, ticketEntriesMax } from '../store.ts';
import { type Database, readAtOnce, type Work } from './dialect.ts';
import { loadRevoked } from './rights-table.ts';

/** The part of a store that answers for one ticket. */
export function ticketMethods(database: Database): Pick<Store, 'ticket'> {
	return { ticket: (key) => readAtOnce(database, (work) => readTicket(work, key)) };
}

async function readTicket(work: Work, key: Parameters<Store['ticket']>[0]): Promise<TicketRecord> {
	const { venue, evt, idx } = key;
	const rights = await work.tx
		.selectFrom('rights')
		.select(['allowance', 'use', 'used', 'held'])
		.where('venue_id', '=', venue)
		.where('evt', '=', evt)
		.where('idx', '=', idx)
		.orderBy('allowance')
		.execute();
	const entries = await work.tx
		.selectFrom('redemptions')
		.select(['redemption', 'device', 'lane', 'rung', 'at_ms', 'taken', 'allowance'])
		.where('venue_id', '=', venue)
		.where('evt', '=', evt)
		.where('idx', '=', idx)
		.where('taken_n', 'is not', null)
		.orderBy('taken_epoch', 'desc')
		.orderBy('taken_n', 'desc')
		.limit(ticketEntriesMax)
		.execute();
	const isRevoked = await loadRevoked(work, [key]);
	const oldestFirst = entries.reverse().map(({ at_ms, ...entry }) => ({ ...entry, atMs: at_ms }));
	return { evt, idx, revoked: isRevoked(key), rights, entries: oldestFirst };
}
