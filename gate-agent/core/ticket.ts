declare const brand: unique symbol;

/** `evt/idx`, e.g. `lantern-2026/4711`: the identity of a ticket, whatever code it was printed in. */
export type TicketId = string & { readonly [brand]: 'TicketId' };

/** The largest dense number of a ticket within its event: 2³¹ − 1, so that it fits in every store's integer. */
export const ticketIdxMax = 2 ** 31 - 1;

/** The largest number of admissions that one ticket carries. */
export const ticketUseMax = 10_000;

/**
 * A ticket whose signature was verified. Times are NumericDates (seconds since 1970, RFC 7519).
 * `nbf` and `exp` may be absent only where `ses` names a session, whose window then comes from policy.
 */
export interface Ticket {
	readonly id: TicketId;
	/** Event id: `[a-z0-9-]`, 1 to 32 characters. */
	readonly evt: string;
	/** Dense number within the event: integer 0 … 2³¹ − 1. */
	readonly idx: number;
	/** Ticket class: `[a-z0-9_-]`, 1 to 32 characters. */
	readonly cls: string;
	readonly nbf?: number;
	readonly exp?: number;
	/** Session: `[a-z0-9_-]`, 1 to 32 characters. */
	readonly ses?: string;
	/** Zones that it opens, 1 to 16 of them; absent means all. */
	readonly zon?: readonly string[];
	/** Admissions per allowance, 1 … 10,000. */
	readonly use: number;
	/** The one agent that may admit it, for `home_only` classes. */
	readonly home?: string;
	/** Text for visitor and usher, 1 to 64 characters without control characters. */
	readonly seat?: string;
	/** True where the ticket is bound to its holder's key (RFC 7800 `cnf`), which a lane cannot prove yet. */
	readonly holderBound?: true;
}

/** The identity of the ticket with number `idx` of event `evt`. */
export function ticketId(evt: string, idx: number): TicketId {
	return `${evt}/${idx}` as TicketId;
}
