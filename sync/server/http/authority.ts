import type { ServerParts } from '../server-parts.ts';
import type { VenueHead } from '../store.ts';
import { Refusal } from './refusal.ts';

/** Whether this server may grant. */
export interface Authority {
	/** The head of the venue. Throws a `Refusal`: `no_authority` or `stale_authority`. */
	mayGrant(): Promise<VenueHead>;
}

/** Makes the fence around a server's grants. The store remembers that a device has seen more than it. */
export function createAuthority({ store, venue, server }: ServerParts): Authority {
	return {
		mayGrant: async () => {
			const head = await store.head(venue);
			if (head?.authority !== server) throw new Refusal('no_authority');
			if (head.behind) throw new Refusal('stale_authority');
			return head;
		},
	};
}
