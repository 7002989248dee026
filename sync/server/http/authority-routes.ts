import type { ServerParts } from '../server-parts.ts';
import type { AddOfficeRoute } from './office-routes.ts';
import { authoritySchema } from './office-schemas.ts';
import { Refusal } from './refusal.ts';

/** Adds the calls that say which server grants. Only an operator moves it. */
export function addAuthorityRoutes(add: AddOfficeRoute, parts: ServerParts): void {
	const { store, venue, server: centre } = parts;
	add({
		method: 'GET',
		path: '/authority',
		summary: 'Which server grants, in which epoch, which one is to, and how the hubs stand.',
		handle: () => show(parts),
	});
	add({
		method: 'POST',
		path: '/authority',
		summary: 'Moves the authority to another server: a new epoch.',
		act: 'authority.set',
		body: authoritySchema,
		subject: ({ server, abandon }) => (abandon ? `${server} abandon` : server),
		handle: async ({ body: { server, abandon = false }, atMs }) => {
			const hubs = await store.hubs(venue);
			if (server !== centre && !hubs.some((hub) => hub.server === server)) {
				throw new Refusal('not_found', { detail: `there is no server ${server}` });
			}
			const epoch = await store.beginEpoch({ venue, server, atMs, abandon });
			parts.log.warn({ event: 'authority_set', server, epoch, abandon });
			return { epoch, ...(await show(parts)) };
		},
	});
}

async function show({ store, venue }: ServerParts) {
	const head = await store.head(venue);
	if (!head) throw new Refusal('not_found');
	const later = (await store.epochs(venue)).filter(({ epoch }) => epoch > head.epoch);
	const next = later.at(-1);
	const { epoch, authority, admissions, grants, behind } = head;
	return {
		now: { epoch, server: authority, admissions, here: grants, ...(behind && { behind }) },
		...(next && { next: { epoch: next.epoch, server: next.server } }),
		hubs: (await store.hubs(venue)).map(({ server, device, enrolledMs, lastSeenMs, report }) => {
			return { server, device, enrolledMs, ...(lastSeenMs !== undefined && { lastSeenMs }), ...(report && { report }) };
		}),
	};
}
