import type { SignatureAlg } from './strict-jws.ts';
import type { Ticket } from './ticket.ts';
import { compactFormat } from './ticket-compact.ts';
import { jwsFormat } from './ticket-jws.ts';

/** A ticket taken apart. Nothing of it is proven until `verify` has checked the signature. */
export interface DecodedTicket {
	readonly kid: string;
	readonly alg: SignatureAlg;
	readonly ticket: Ticket;
	/** The compact JWS whose signature proves the ticket, built only when it is needed. */
	readonly jws: () => string;
}

/**
 * One written form of a ticket. Its law: neither function throws on any text, `looksLike` is cheap, and `decode`
 * gives undefined for every text that is damaged, too long or not the one canonical writing.
 */
export interface TicketFormat {
	readonly name: string;
	looksLike(text: string): boolean;
	decode(text: string): DecodedTicket | undefined;
}

/** The forms that a gate reads, in the order in which they are tried. */
export const ticketFormats: readonly TicketFormat[] = [compactFormat, jwsFormat];
