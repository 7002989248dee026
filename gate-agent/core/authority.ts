import type { Allowance, RedemptionId } from './redemption.ts';
import type { Refusal } from './refusal.ts';

/** What a lane asks the venue's authority for: may this ticket enter here now? */
export interface ClaimRequest {
	readonly redemptionId: RedemptionId;
	readonly evt: string;
	readonly idx: number;
	readonly allowance: Allowance;
	readonly cls: string;
	/** Admissions per allowance that the ticket carries. */
	readonly use: number;
	/** How many it asks for now; 0 for a re-entry. */
	readonly uses: number;
	readonly lane: string;
	readonly atMs: number;
}

/** What the authority said, or that it said nothing in time: it may have granted all the same. */
export type ClaimVerdict =
	| { readonly kind: 'granted' }
	/** `left`: uses that are still free, where fewer are than were asked for. */
	| { readonly kind: 'denied'; readonly refusal: Refusal; readonly left: number }
	| { readonly kind: 'out_of_reach' };

/**
 * The venue's authority as a lane sees it. Its law:
 * 1. `claim` resolves within the claim budget and never rejects. The same redemption id gives the same answer.
 * 2. A granted claim holds its uses until the ledger has a row of its redemption: granted or released.
 * 3. `done` says that the ledger has that row, or never will; until then nobody gives the claim back.
 */
export interface Authority {
	/** Whether it is worth asking. */
	state(): 'reachable' | 'out_of_reach';
	claim(request: ClaimRequest): Promise<ClaimVerdict>;
	done(redemptionId: RedemptionId): void;
}

/** The authority of a gate that stands alone. */
export const noAuthority: Authority = {
	state: () => 'out_of_reach',
	claim: async () => ({ kind: 'out_of_reach' }),
	done: () => undefined,
};
