import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { type Cursor, isAhead } from '../../protocol/cursor.ts';
import type { DeviceParts } from '../server-parts.ts';
import type { VenueHead } from '../store.ts';
import { Refusal } from './refusal.ts';

/** What a device says of how far it has followed. */
export interface Shown {
	readonly epoch?: number | undefined;
	readonly cursor?: Cursor | undefined;
}

/** Whether this server may grant. */
export interface Authority {
	/** The head of the venue. Throws a `Refusal`: `no_authority` or `stale_authority`. */
	mayGrant(): Promise<VenueHead>;
	/**
	 * Does work in the epoch that this server grants in. The epoch is remembered, because the store judges it under its
	 * lock in any case; where it has ended meanwhile, the work is done once more in the one that is read anew. Whoever has
	 * seen more than this server ends its grants: `stale_authority`.
	 */
	grant<T>(shown: Shown, work: (epoch: number) => Promise<T>): Promise<T>;
}

/** Makes the fence around a server's grants. The store remembers that somebody has seen more than it. */
export function createAuthority({ store, venue }: Pick<DeviceParts, 'store' | 'venue'>): Authority {
	const mayGrant = async () => {
		const head = await store.head(venue);
		if (!head?.grants) throw new Refusal('no_authority');
		if (head.behind) throw new Refusal('stale_authority');
		return head;
	};
	let known: VenueHead | undefined;
	const newest = async () => {
		known = await mayGrant();
		return known;
	};
	/** The log grows while a device follows it, so one that seems to be ahead of what is remembered is compared anew. */
	const compare = async ({ epoch = 0, cursor }: Shown, head: VenueHead) => {
		const seen = cursor !== undefined && cursor.epoch >= epoch ? cursor : { epoch, control: 0, admissions: 0 };
		if (!isAhead(seen, head)) return;
		if (isAhead(seen, await newest()) && (await store.shown(venue, seen)) === 'behind') {
			throw new Refusal('stale_authority');
		}
	};
	return {
		mayGrant,
		grant: async (shown, work) => {
			const isRemembered = known !== undefined;
			await compare(shown, known ?? (await newest()));
			const { epoch } = known ?? (await newest());
			if (!isRemembered) return work(epoch);
			try {
				return await work(epoch);
			} catch (error) {
				if (!(error instanceof StilewardError && error.code === 'authority_lost')) throw error;
				known = undefined;
				return work((await newest()).epoch);
			}
		},
	};
}
