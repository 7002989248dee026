import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { ServerParts } from '../server-parts.ts';
import type { VenueHead } from '../store.ts';
import { Refusal } from './refusal.ts';

/** Whether this server may grant. */
export interface Authority {
	/** The head of the venue. Throws a `Refusal`: `no_authority` or `stale_authority`. */
	mayGrant(): Promise<VenueHead>;
	/**
	 * Does work in the epoch that this server grants in. The epoch is remembered, because the store judges it under its
	 * lock in any case; where it has ended meanwhile, the work is done once more in the one that is read anew.
	 */
	grant<T>(work: (epoch: number) => Promise<T>): Promise<T>;
}

/** Makes the fence around a server's grants. The store remembers that a device has seen more than it. */
export function createAuthority({ store, venue, server }: ServerParts): Authority {
	const mayGrant = async () => {
		const head = await store.head(venue);
		if (head?.authority !== server) throw new Refusal('no_authority');
		if (head.behind) throw new Refusal('stale_authority');
		return head;
	};
	let known: number | undefined;
	const newest = async () => {
		known = (await mayGrant()).epoch;
		return known;
	};
	return {
		mayGrant,
		grant: async (work) => {
			if (known === undefined) return work(await newest());
			try {
				return await work(known);
			} catch (error) {
				if (!(error instanceof StilewardError && error.code === 'authority_lost')) throw error;
				known = undefined;
				return work(await newest());
			}
		},
	};
}
