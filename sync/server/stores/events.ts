import { sql } from 'kysely';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Store, VenueEvent } from '../store.ts';
import { type Database, transact, type Work } from './dialect.ts';
import { lockVenue, logControl } from './heads.ts';

/** The events' part of a store. */
export function eventMethods(database: Database): Pick<Store, 'putEvent' | 'events' | 'postponeSession'> {
	return {
		putEvent: (venue, event, atMs) =>
			transact(database, async (work) => {
				await lockVenue(work, venue);
				await saveEvent(work, { venue, event, atMs });
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
		postponeSession: (change) => transact(database, (work) => postponeSession(work, change)),
	};
}

async function saveEvent(
	work: Work,
	{ venue, event: { evt, policy }, atMs }: { venue: string; event: VenueEvent; atMs: number },
): Promise<void> {
	await work.tx
		.insertInto('events')
		.values({ venue_id: venue, evt, policy: JSON.stringify(policy ?? null) })
		.onConflict((conflict) => conflict.columns(['venue_id', 'evt']).doUpdateSet({ policy: sql.ref('excluded.policy') }))
		.execute();
	await work.tx
		.insertInto('counters')
		.values({ venue_id: venue, evt, next_idx: 0 })
		.onConflict((conflict) => conflict.doNothing())
		.execute();
	await logControl(work, { venue, changes: [{ kind: 'policy', evt, policy }], atMs });
}

async function postponeSession(work: Work, change: Parameters<Store['postponeSession']>[0]): Promise<VenueEvent> {
	const { venue, evt, session, postponedMs, atMs } = change;
	await lockVenue(work, venue);
	const row = await work.tx
		.selectFrom('events')
		.select('policy')
		.where('venue_id', '=', venue)
		.where('evt', '=', evt)
		.executeTakeFirst();
	if (row === undefined) throw new StilewardError('event_unknown', `${venue} has no event ${evt}`);
	// The server has checked rules before they came here.
	const policy = JSON.parse(row.policy) as { readonly sessions?: Readonly<Record<string, object>> };
	const { sessions = {} } = policy;
	if (!Object.hasOwn(sessions, session)) {
		throw new StilewardError('session_unknown', `${evt} has no session ${session}`);
	}
	const moved = { ...sessions, [session]: { ...sessions[session], postponedMs } };
	const event = { evt, policy: { ...policy, sessions: moved } };
	await saveEvent(work, { venue, event, atMs });
	return event;
}
