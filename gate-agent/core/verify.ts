import { type CryptoKey, compactVerify, errors } from 'jose';
import { classifyForeign } from './foreign-code.ts';
import { covers, type Keyset, permits } from './keyset.ts';
import type { Refusal } from './refusal.ts';
import type { Ticket, TicketId } from './ticket.ts';
import { type DecodedTicket, ticketFormats } from './ticket-formats.ts';

/** What a code proves. `ticketId` of a refusal is what the code claims, not what it proves. */
export type Verified =
	| { readonly kind: 'ticket'; readonly ticket: Ticket; readonly kid: string; readonly format: string }
	| {
			readonly kind: 'refused';
			readonly refusal: Refusal & { reason: 'unreadable' | 'not_a_ticket' | 'bad_signature' | 'unknown_key' };
			readonly ticketId?: TicketId;
	  };

/**
 * Says which ticket a scanned text proves. It never throws on any text, needs no network and no clock, and checks
 * all that is cheap before the signature:
 *
 * - `not_a_ticket`: another kind of code.
 * - `unreadable`: one of ours, but damaged, or not the one canonical writing, whoever signed it.
 * - `unknown_key`: no valid key of this name, or one that may not sign this event, number or validity.
 * - `bad_signature`: the key is known and did not sign this.
 */
export async function verify(text: string, keyset: Keyset): Promise<Verified> {
	const claim = claimOf(text, keyset);
	return claim.kind === 'refused' ? claim : claim.prove();
}

/** What a code claims before its signature is checked. Nothing may follow from it until `prove` gives a ticket. */
export type Claim =
	| (Verified & { kind: 'refused' })
	| { readonly kind: 'claim'; readonly ticket: Ticket; readonly prove: () => Promise<Verified> };

/** The part of `verify` that comes before the signature, for those who have something to do while it is checked. */
export function claimOf(text: string, keyset: Keyset): Claim {
	const format = ticketFormats.find(({ looksLike }) => looksLike(text));
	if (!format) return { kind: 'refused', refusal: { reason: 'not_a_ticket', code: classifyForeign(text) } };
	const decoded = format.decode(text);
	if (!decoded) return { kind: 'refused', refusal: { reason: 'unreadable' } };
	const { kid, alg, ticket } = decoded;
	const key = keyset.keys.get(kid);
	if (!key || !covers(key.entry, ticket)) return refused('unknown_key', ticket);
	if (!permits(key.entry, alg)) return refused('bad_signature', ticket);
	const prove = async (): Promise<Verified> =>
		(await isSigned(decoded, key.verifyKey))
			? { kind: 'ticket', ticket, kid, format: format.name }
			: refused('bad_signature', ticket);
	return { kind: 'claim', ticket, prove };
}

function refused(reason: 'unknown_key' | 'bad_signature', { id }: Ticket): Verified & { kind: 'refused' } {
	return { kind: 'refused', refusal: { reason }, ticketId: id };
}

async function isSigned({ jws, alg }: DecodedTicket, key: CryptoKey): Promise<boolean> {
	try {
		await compactVerify(jws(), key, { algorithms: [alg] });
		return true;
	} catch (error) {
		if (error instanceof errors.JOSEError) return false;
		throw error;
	}
}
