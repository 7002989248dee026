import { StilewardError } from '../../gate-agent/core/errors.ts';
import { type IssuerKey, issueTicket } from '../../gate-agent/core/issue.ts';
import type { PublicJwk } from '../../gate-agent/core/jwk.ts';
import { ticketIdxMax } from '../../gate-agent/core/ticket.ts';
import type { TicketClaims } from '../../gate-agent/core/ticket-claims.ts';
import type { Order } from './store.ts';

/** The keys that tickets are signed with, and the root that vouches for them. */
export interface Issuer {
	/** The key that may sign this ticket. Throws `keys_missing` where none here may. */
	keyFor(evt: string, idx: number): IssuerKey;
	/**
	 * Notes, before they are signed, that numbers of an event up to this one are given out: whoever makes the next key
	 * leaves them to this one. Throws `keys_changed` where another manifest has come meanwhile.
	 */
	remember?(evt: string, idx: number): Promise<void>;
	/** The key manifest as the root signed it, a JWS. */
	readonly manifest: string;
	/** What devices pin and verify the manifest with. */
	readonly rootKey: PublicJwk;
}

/**
 * The key that speaks for an event as a whole: the newest, because older ones may be revoked. Throws `keys_missing` where
 * none here signs for it.
 */
export function eventKeyOf(issuer: Pick<Issuer, 'keyFor'>, evt: string): IssuerKey {
	try {
		return issuer.keyFor(evt, ticketIdxMax);
	} catch (error) {
		if (!(error instanceof StilewardError) || error.code !== 'keys_missing') throw error;
		// A key that signs the first numbers alone.
		return issuer.keyFor(evt, 0);
	}
}

/** The most tickets of one order. */
export const orderCountMax = 1_000_000;

/** Tickets signed at a time: enough to use the processor, few enough to keep memory flat. */
const signedAtOnce = 64;

/** A ticket as it is handed out. */
export interface IssuedTicket {
	readonly idx: number;
	/** Its compact form. */
	readonly ticket: string;
}

/** What the tickets of an order say beside their number; `{n}` in `seat` becomes the ticket's place in the order. */
export type OrderClaims = Omit<TicketClaims, 'evt' | 'idx' | 'cls' | 'use' | 'cnf'>;

/**
 * Signs the tickets of an order, again and with the same claims whenever they are asked for, in batches as they are
 * read: a million of them need the memory of one batch. Throws `ticket_invalid` and `keys_missing` before the first.
 */
export async function* ticketsOf(order: Order, issuer: Issuer): AsyncGenerator<readonly IssuedTicket[]> {
	for (let at = 0; at < order.count; at += signedAtOnce) {
		const places = Array.from({ length: Math.min(signedAtOnce, order.count - at) }, (_, i) => at + i);
		yield await Promise.all(places.map((place) => ticketAt(order, place, issuer)));
	}
}

/** Signs what the first and the last ticket of an order would be, so that wrong claims are found before numbers are taken. */
export async function checkOrder(order: Omit<Order, 'from' | 'status'>, issuer: Issuer): Promise<void> {
	for (const place of [0, order.count - 1]) await ticketAt({ ...order, from: 0 }, place, issuer);
}

async function ticketAt(order: Omit<Order, 'status'>, place: number, issuer: Issuer): Promise<IssuedTicket> {
	// The claims came in through `checkOrder`, and `issueTicket` checks them again.
	const { seat, ...claims } = order.claims as OrderClaims;
	const idx = order.from + place;
	const ticket: TicketClaims = {
		evt: order.evt,
		idx,
		cls: order.cls,
		use: order.use,
		...claims,
		...(seat !== undefined && { seat: seat.replaceAll('{n}', String(place + 1)) }),
	};
	return { idx, ticket: await issueTicket(ticket, issuer.keyFor(order.evt, idx), 'compact') };
}
