import { readJson, readJws } from './strict-jws.ts';
import { readClaims } from './ticket-claims.ts';
import type { DecodedTicket, TicketFormat } from './ticket-formats.ts';

/** The longest JWS ticket, in characters. */
export const jwsCharsMax = 2048;

/** How base64url of `{` and what may follow it in JSON begins: a quote, a space, a tab, LF or CR. */
const headerStart = /^(?:eyJ|eyA|ewk|ewo|ew0)/;

/**
 * The JSON form: a compact JWS (RFC 7515) whose payload is a JSON object of claims, so that any JOSE library can
 * issue it. Order, whitespace, escapes and further claims (`iss`, `iat`, `jti`) are free; duplicate names and
 * numbers that are not written as integers are refused, because two readers could disagree about them.
 * `typ` is absent or `JWT`: no other signed object of Stileward can pass as a ticket.
 */
export const jwsFormat: TicketFormat = {
	name: 'jws',
	looksLike: (text) => headerStart.test(text),
	decode: decodeJws,
};

function decodeJws(text: string): DecodedTicket | undefined {
	if (text.length > jwsCharsMax) return undefined;
	const jws = readJws(text);
	if (!jws || (jws.typ !== undefined && jws.typ.toUpperCase() !== 'JWT')) return undefined;
	const claims = readJson(jws.payload);
	const read = claims && readClaims(claims);
	if (read?.kind !== 'ticket') return undefined;
	return { kid: jws.kid, alg: jws.alg, ticket: read.ticket, jws: () => text };
}
