import type { Policy } from './policy.ts';
import type { Allowance, Direction, Grant, Rung } from './redemption.ts';
import type { Refusal } from './refusal.ts';

/** What is known of a ticket's allowance when a decision is made. */
export interface History {
	readonly revoked: boolean;
	/** A list from others says that this whole ticket is used up. */
	readonly listedRedeemed: boolean;
	/** Uses taken on this allowance, as far as this ledger knows. */
	readonly used: number;
	/** Uses held by grants that are not settled. */
	readonly held: number;
	/** Times a use was given back (counted ones). */
	readonly givenBack: number;
	/** The newest grant on this allowance, settled or not. */
	readonly last?: { readonly lane: string; readonly atMs: number };
	/** Unsettled grants of this ticket. */
	readonly open: readonly Grant[];
	/** An exit scan whose re-entry is not taken yet. */
	readonly exitedAtMs?: number;
	/** Grants of this class on the rung `local` at this lane within this clock hour. */
	readonly unverifiedInHour: number;
}

/** Where and under which rules a decision is made. */
export interface DecideContext {
	readonly policy: Policy;
	/** This agent's name: the home gate of `home_only` tickets. */
	readonly agent: string;
	readonly lane: { readonly id: string; readonly zone: string };
	readonly direction: Direction;
	/** Whether the venue's authority can be asked. A standalone gate has none. */
	readonly authority: 'reachable' | 'out_of_reach';
	/** `trusted`: `nowMs` is the time. Otherwise it is only a lower bound of the time. */
	readonly clock: { readonly nowMs: number; readonly trusted: boolean };
}

/** What a decision says. `grant` for an exit lane holds no use. */
export type Decision =
	| {
			readonly kind: 'grant';
			readonly direction: Direction;
			readonly allowance: Allowance;
			readonly uses: number;
			readonly reentry: boolean;
			readonly rung: Rung;
			/** Uses left after this grant. */
			readonly left: number;
	  }
	| { readonly kind: 'deny'; readonly refusal: Refusal };
