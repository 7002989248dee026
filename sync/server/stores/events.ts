import { sql } from 'kysely';
import type { Store } from '../store.ts';
import { type Database, transact } from './dialect.ts';
import { lockVenue, logControl } from './heads.ts';

/** The events' part of a store. */
export function eventMethods(database: Database): Pick<Store, 'putEvent' | 'events'> {
	return {
		putEvent: (venue, { evt, policy }, atMs) =>
			transact(database, async (work) => {
				await lockVenue(work, venue);
				await work.tx
					.insertInto('events')
					.values({ venue_id: venue, evt, policy: JSON.stringify(policy ?? null) })
					.onConflict((conflict) =>
						conflict.columns(['venue_id', 'evt']).doUpdateSet({ policy: sql.ref('excluded.policy') }),
					)
					.execute();
				await work.tx
					.insertInto('counters')
					.values({ venue_id: venue, evt, next_idx: 0 })
					.onConflict((conflict) => conflict.doNothing())
					.execute();
				await logControl(work, { venue, changes: [{ kind: 'policy', evt, policy }], atMs });
			}),
		events: async (venue) => {
			const rows = await database.db
				.selectFrom('events')
				.select(['evt', 'policy'])
				.where('venue_id', '=', venue)
				.orderBy('evt')
				.execute();
			return rows.map(({ evt, policy }) => ({ evt, policy: JSON.parse(policy) }));
		},
	};
}
