import type { LaneMode } from './lane-state.ts';
import type { RefusalReason } from './refusal.ts';
import type { ForeignKind } from './scan.ts';
import type { TicketId } from './ticket.ts';

declare const brand: unique symbol;

/** 128 random bits in base64url: names one redemption for ever, so that asking again gives the same answer. */
export type RedemptionId = string & { readonly [brand]: 'RedemptionId' };

/** How an admission was allowed, from exactly-once to a person's word. */
export type Rung = 'authority' | 'local' | 'home' | 'staff';

/** Which way a visitor goes. */
export type Direction = 'entry' | 'exit';

/**
 * What a use is counted on within a ticket: `ticket`, `day:2026-11-22`, `session:evening`, `zone:hall-2`.
 * Made by `allowanceOf`.
 */
export type Allowance = string & { readonly [brand]: 'Allowance' };

/** A committed right to let visitors through, until it is settled. */
export interface Grant {
	readonly redemptionId: RedemptionId;
	readonly ticketId: TicketId;
	readonly evt: string;
	readonly idx: number;
	readonly allowance: Allowance;
	readonly cls: string;
	/** Uses that it holds: 1, the rest of a group, or 0 for a re-entry. */
	readonly uses: number;
	/** A re-entry after an exit: it consumes the exit's permission and no use. */
	readonly reentry: boolean;
	readonly rung: Rung;
	readonly lane: string;
	/** Ledger time, milliseconds since 1970. */
	readonly atMs: number;
}

/** How a grant ended. */
export interface Settlement {
	readonly redemptionId: RedemptionId;
	/**
	 * `taken`: the sensor saw them pass. `taken_assumed`: no working sensor, the pulse was confirmed, or the agent
	 * died in between. `not_taken`: nobody passed.
	 */
	readonly outcome: 'taken' | 'taken_assumed' | 'not_taken';
	/** Passages seen or assumed: `taken` of the grant's `uses` (a re-entry counts 1 of 1). */
	readonly taken: number;
	/** Whether the uses that were not taken return to the ticket. */
	readonly back: boolean;
	/** Whether this return counts toward `giveBackMax` (a fire or the rest of a group does not). */
	readonly counted: boolean;
	/** A passage that came after the grant was settled as `not_taken`; it takes the use again. */
	readonly late?: true;
	/** Who of the staff ended it: an admission that was undone. */
	readonly by?: string;
}

/** What a lane raises until it is over. */
export type AlarmKind =
	| 'forced_open'
	| 'open_too_long'
	| 'tamper'
	| 'fire'
	| 'emergency_open'
	| 'free_access'
	| 'sensor_dead'
	| 'unverified_limit'
	| 'relay_failed';

/** A foreign code as it may be kept: never its content. */
export interface ForeignTrace {
	readonly kind: ForeignKind;
	readonly length: number;
	/** HMAC-SHA-256 under the venue's key, first 16 hex characters: tells repeats apart, reveals nothing. */
	readonly hmac: string;
}

/**
 * One fact of the journal. A row is `{seq, epoch, at, ...fact}` with `at` in milliseconds since 1970; its JSON text
 * is made once and then stored, hashed, signed and sent verbatim.
 */
export type Fact =
	| {
			readonly kind: 'granted';
			readonly redemption: RedemptionId;
			readonly ticket: TicketId;
			readonly allowance: Allowance;
			readonly cls: string;
			readonly uses: number;
			/** Admissions per allowance that the ticket carries; 1 where it is absent. */
			readonly use?: number;
			readonly reentry?: true;
			readonly rung: Rung;
			readonly lane: string;
			readonly zone: string;
			/** Who of the staff admitted, where one did. */
			readonly by?: string;
			/** Why a person decided against a refusal. */
			readonly reason?: string;
	  }
	| {
			readonly kind: 'settled';
			readonly redemption: RedemptionId;
			readonly ticket: TicketId;
			readonly outcome: Settlement['outcome'];
			readonly taken: number;
			readonly of: number;
			readonly back: number;
			readonly late?: true;
			readonly lane: string;
			/** Who of the staff ended it, where one did. */
			readonly by?: string;
	  }
	| {
			readonly kind: 'denied';
			readonly reason: RefusalReason;
			readonly lane: string;
			readonly ticket?: TicketId;
			readonly code?: ForeignTrace;
			/** How many scans this row stands for, where equal ones were coalesced. */
			readonly count: number;
	  }
	/** A claim that the authority granted and this device does not use: the right goes back. */
	| { readonly kind: 'released'; readonly redemption: RedemptionId; readonly lane: string }
	/** Refused scans above the journal's rate limit: only their number by reason is kept. */
	| {
			readonly kind: 'denied_many';
			readonly lane: string;
			readonly counts: Readonly<Partial<Record<RefusalReason, number>>>;
	  }
	| {
			readonly kind: 'exited';
			readonly ticket: TicketId;
			readonly allowance: Allowance;
			readonly cls: string;
			readonly lane: string;
	  }
	| {
			readonly kind: 'staff_entry';
			readonly lane: string;
			readonly cls: string;
			readonly count: number;
			readonly operator: string;
			readonly reason: string;
			readonly rung: 'staff';
	  }
	/** Passages without a grant: counted in `free` and `drop_arm` mode and in an emergency, an alarm otherwise. */
	| {
			readonly kind: 'passages';
			readonly lane: string;
			readonly direction: Direction;
			readonly count: number;
			readonly during: 'free' | 'drop_arm' | 'emergency' | 'forced';
	  }
	/** Somebody opened the gate to see whether it opens; nobody is to pass. */
	| { readonly kind: 'relay_test'; readonly lane: string; readonly direction: Direction; readonly by: string }
	| { readonly kind: 'alarm'; readonly lane: string; readonly alarm: AlarmKind; readonly on: boolean }
	| {
			readonly kind: 'lane';
			readonly lane: string;
			readonly mode: LaneMode;
			readonly emergency: boolean;
			readonly by: string;
	  }
	| {
			readonly kind: 'started';
			readonly agent: string;
			readonly version: string;
			readonly clock: 'trusted' | 'untrusted';
			readonly clockEpoch: number;
	  };

/** A row of the journal as it is read back. */
export type JournalRow = { readonly seq: number; readonly epoch: string; readonly at: number } & Fact;
