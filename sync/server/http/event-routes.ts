import { eventKeyOf } from '../issuing.ts';
import type { ServerParts } from '../server-parts.ts';
import type { AddOfficeRoute } from './office-routes.ts';
import * as schemas from './office-schemas.ts';
import { Refusal } from './refusal.ts';

/** Adds the calls for events and their sessions. */
export function addEventRoutes(add: AddOfficeRoute, { store, venue, issuer }: ServerParts): void {
	add({
		method: 'PUT',
		path: '/events/:evt',
		summary: 'Makes an event, or gives it new rules.',
		act: 'event.put',
		body: schemas.eventSchema,
		params: schemas.params.evt,
		subject: (_body, { evt }) => evt,
		handle: async ({ body: { policy }, params: { evt }, atMs }) => {
			if (policy.evt !== evt) throw new Refusal('malformed', { detail: '`policy.evt` must name this event' });
			if (!isTimeZone(policy.timeZone)) throw new Refusal('malformed', { detail: '`timeZone` is none that is known' });
			eventKeyOf(issuer, evt);
			await store.putEvent(venue, { evt, policy }, atMs);
			return { evt };
		},
	});
	add({
		method: 'GET',
		path: '/events',
		summary: 'Events and their rules.',
		handle: async () => ({ events: await store.events(venue) }),
	});
	add({
		method: 'GET',
		path: '/events/:evt',
		summary: 'An event: its rules, and how many people its venue day has had and has inside.',
		params: schemas.params.evt,
		handle: async ({ params: { evt }, atMs }) => {
			const presence = await store.presence(venue, evt, atMs);
			const found = (await store.events(venue)).find((event) => event.evt === evt);
			return { ...found, presence };
		},
	});
	add({
		method: 'POST',
		path: '/events/:evt/sessions/:session/postpone',
		summary: 'Moves the window of a session: tickets of it are valid later, without being issued anew.',
		act: 'session.postpone',
		body: schemas.postponeSchema,
		params: schemas.params.session,
		subject: ({ minutes }, { evt, session }) => `${evt} ${session} ${minutes}`,
		handle: ({ body: { minutes }, params: { evt, session }, atMs }) =>
			store.postponeSession({ venue, evt, session, postponedMs: minutes * 60_000, atMs }),
	});
}

/** A gate counts venue days by it and would fail at one that it does not know. */
function isTimeZone(timeZone: string): boolean {
	try {
		new Intl.DateTimeFormat('en', { timeZone });
		return true;
	} catch {
		return false;
	}
}
