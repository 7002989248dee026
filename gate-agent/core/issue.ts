import { CompactSign, type JWK } from 'jose';
import { assert, StilewardError } from './errors.ts';
import { algOf, importPrivateKey, kidOf } from './jwk.ts';
import { decodeBase64url } from './strict-jws.ts';
import type { Ticket } from './ticket.ts';
import { claimNames, readClaims, type TicketClaims } from './ticket-claims.ts';
import { compactCharsMax, compactHeader, compactPayload, encodeCompact } from './ticket-compact.ts';
import { jwsCharsMax } from './ticket-jws.ts';

/** A key to sign tickets with: Ed25519, or P-256 for the JSON form only. */
export interface IssuerKey {
	readonly kid: string;
	readonly privateKey: JWK;
}

/** The written forms that tickets are issued in. */
export const issuedFormats = ['compact', 'jws'] as const;
/** @see issuedFormats */
export type IssuedFormat = (typeof issuedFormats)[number];

/**
 * Signs a ticket. Throws `ticket_invalid` naming the claim that breaks its limits, that the form cannot carry or
 * that is unknown, and `keys_invalid` for a key that cannot sign this form.
 */
export async function issueTicket(claims: TicketClaims, key: IssuerKey, format: IssuedFormat): Promise<string> {
	const ticket = checkClaims(claims);
	const alg = algOf(key.privateKey);
	if ((await kidOf(key.privateKey)) !== key.kid) {
		throw new StilewardError('keys_invalid', `the issuer key is not the key ${key.kid}`);
	}
	return format === 'compact' ? issueCompact(ticket, key, alg) : issueJws(claims, key, alg);
}

async function issueCompact(ticket: Ticket, key: IssuerKey, alg: 'Ed25519' | 'ES256'): Promise<string> {
	if (alg !== 'Ed25519') throw new StilewardError('keys_invalid', `key ${key.kid}: a compact ticket needs Ed25519`);
	if (ticket.holderBound) throw invalidClaim('cnf', 'be absent: only the JSON form carries it');
	const payload = compactPayload(ticket);
	const [header, , tail = ''] = (await sign(payload, key, alg)).split('.');
	const signature = decodeBase64url(tail);
	assert(signature && header === compactHeader(key.kid), 'the signed header is the one that gates rebuild');
	return limited(encodeCompact(key.kid, payload, signature), compactCharsMax);
}

async function issueJws(claims: TicketClaims, key: IssuerKey, alg: 'Ed25519' | 'ES256'): Promise<string> {
	const ordered = Object.fromEntries(claimNames.map((claim) => [claim, claims[claim]]));
	const payload = new TextEncoder().encode(JSON.stringify(ordered));
	return limited(await sign(payload, key, alg), jwsCharsMax);
}

async function sign(payload: Uint8Array, key: IssuerKey, alg: string): Promise<string> {
	return new CompactSign(payload)
		.setProtectedHeader({ alg, kid: key.kid })
		.sign(await importPrivateKey(key.privateKey));
}

function checkClaims(claims: TicketClaims): Ticket {
	const names: readonly string[] = claimNames;
	const unknown = Object.keys(claims).find((claim) => !names.includes(claim));
	if (unknown !== undefined) throw invalidClaim(unknown, 'be one of the claims of a ticket');
	const read = readClaims(claims as unknown as Readonly<Record<string, unknown>>);
	if (read.kind === 'problem') throw invalidClaim(read.claim, read.must);
	return read.ticket;
}

function limited(text: string, charsMax: number): string {
	if (text.length <= charsMax) return text;
	const size = `the ticket has ${text.length} characters, at most ${charsMax} are read`;
	throw new StilewardError('ticket_invalid', `${size}: shorten \`zon\` or \`seat\``);
}

function invalidClaim(claim: string, must: string): StilewardError {
	return new StilewardError('ticket_invalid', `claim \`${claim}\` must ${must}`);
}
