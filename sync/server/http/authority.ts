import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Cursor } from '../../protocol/cursor.ts';
import type { DeviceParts } from '../server-parts.ts';
import type { VenueHead } from '../store.ts';
import { Refusal } from './refusal.ts';

/** Whether this server may grant. */
export interface Authority {
	/** The head of the venue. Throws a `Refusal`: `no_authority` or `stale_authority`. */
	mayGrant(): Promise<VenueHead>;
	/**
	 * Does work in the epoch that this server grants in. The epoch is remembered, because the store judges it under its
	 * lock in any case; where it has ended meanwhile, the work is done once more in the one that is read anew. Whoever has
	 * seen more than this server has (the store compares that, too) ends its grants: `stale_authority`.
	 */
	grant<T>(seen: Cursor | undefined, work: (epoch: number) => Promise<T>): Promise<T>;
}

/** Makes the fence around a server's grants. The store remembers that somebody has seen more than it. */
export function createAuthority({ store, venue }: Pick<DeviceParts, 'store' | 'venue'>): Authority {
	const mayGrant = async () => {
		const head = await store.head(venue);
		if (!head?.grants) throw new Refusal('no_authority');
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
		grant: async (seen, work) => {
			try {
				return await work(known ?? (await newest()));
			} catch (error) {
				if (!(error instanceof StilewardError && error.code === 'authority_lost')) throw error;
				if (seen !== undefined) await store.shown(venue, seen);
				return work(await newest());
			}
		},
	};
}
