/** One use of a ticket, as it stands in the redemptions. */
export interface TicketUse {
	/** Name of the device. */
	readonly device: string;
	readonly lane: string;
	readonly atMs: number;
	readonly rung: string;
	/** `open`: it was granted, and nobody knows yet whether somebody passed. */
	readonly outcome: 'open' | 'taken' | 'not_taken';
	readonly taken: number;
	/** Who let in or, where nobody passed, who gave the use back. */
	readonly by?: string;
	readonly reason?: string;
}

/** What became of a ticket, and what it was sold as. */
export interface TicketHistory {
	/** Absent for a ticket of an issuer that works offline. */
	readonly sold?: { readonly order: string; readonly cls: string; readonly use: number };
	readonly revoked: boolean;
	/** The newest first. */
	readonly uses: readonly TicketUse[];
}

/** A ticket of an order. */
export interface OrderTicket {
	readonly evt: string;
	readonly idx: number;
	readonly cls: string;
	readonly use: number;
	/** Of the allowance that most uses of were taken or are held. */
	readonly used: number;
	readonly revoked: boolean;
}

/** What a server says to staff about tickets. Neither call changes anything. */
export interface TicketInquiry {
	/** Of a ticket that nobody has shown and nobody has sold here it says nothing. */
	ticketHistory(
		key: { readonly venue: string; readonly evt: string; readonly idx: number },
		limit: number,
	): Promise<TicketHistory>;
	/** The first tickets of an order; undefined where there is none of this number. */
	orderTickets(
		venue: string,
		order: string,
		limit: number,
	): Promise<{ readonly tickets: readonly OrderTicket[]; readonly more: boolean } | undefined>;
}
