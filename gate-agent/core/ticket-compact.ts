import { decode, encode } from 'cborg';
import { base64url } from 'jose';
import { decodeBase45, encodeBase45 } from './base45.ts';
import type { Ticket } from './ticket.ts';
import { readClaims, type TicketClaims } from './ticket-claims.ts';
import type { DecodedTicket, TicketFormat } from './ticket-formats.ts';

/** What every compact QR ticket begins with. */
export const compactPrefix = 'SW1:';

/** The longest compact ticket, in characters. A typical one has 174. */
export const compactCharsMax = 512;

const kidBytes = 8;
const signatureBytes = 64;
const kidPattern = /^[A-Za-z0-9_-]{8}$/;

/** The integer that stands for each claim in the payload. Numbers are never reused. */
const payloadKeys = {
	evt: 1,
	idx: 2,
	cls: 3,
	nbf: 4,
	exp: 5,
	ses: 6,
	zon: 7,
	use: 8,
	home: 9,
	seat: 10,
} as const satisfies Partial<Record<keyof TicketClaims, number>>;

// Object.entries widens the names to string; the table above has exactly these.
const payloadEntries = Object.entries(payloadKeys) as readonly [keyof typeof payloadKeys, number][];
const claimOfKey: ReadonlyMap<unknown, string> = new Map(payloadEntries.map(([claim, key]) => [key, claim]));

const strict = {
	strict: true,
	useMaps: true,
	rejectDuplicateMapKeys: true,
	allowIndefinite: false,
	allowUndefined: false,
	allowBigInt: false,
	allowInfinity: false,
	allowNaN: false,
} as const;

/**
 * The compact QR form: `SW1:` and base45 of
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | length of the kid, always 8 |
 * | 8 | kid, ASCII |
 * | n | payload: a map in deterministic CBOR (RFC 8949 §4.2): 1 evt, 2 idx, 3 cls, 4 nbf, 5 exp, 6 ses, 7 zon, 8 use, 9 home, 10 seat |
 * | 64 | Ed25519 signature of the JWS signing input |
 *
 * The JWS protected header is not carried: it is the fixed text `{"alg":"Ed25519","kid":"…"}`. One ticket has one
 * payload: `use` is absent when it is 1, `zon` is sorted and without repeats, other keys are refused. The payload
 * begins with a CBOR map and never with `{`, so neither form can be passed off as the other.
 */
export const compactFormat: TicketFormat = {
	name: 'compact',
	looksLike: (text) => text.startsWith(compactPrefix),
	decode: decodeCompact,
};

/** The payload bytes of a ticket. */
export function compactPayload(ticket: Ticket): Uint8Array<ArrayBuffer> {
	const map = new Map<number, unknown>();
	for (const [claim, key] of payloadEntries) {
		const value = ticket[claim];
		if (value !== undefined && !(claim === 'use' && value === 1)) map.set(key, value);
	}
	return encode(map);
}

/** The JWS protected header of a compact ticket, in base64url. */
export function compactHeader(kid: string): string {
	return base64url.encode(`{"alg":"Ed25519","kid":"${kid}"}`);
}

/** Writes a signed payload as the text of a QR code. */
export function encodeCompact(kid: string, payload: Uint8Array, signature: Uint8Array): string {
	const bytes = new Uint8Array(1 + kidBytes + payload.length + signatureBytes);
	bytes[0] = kidBytes;
	bytes.set(new TextEncoder().encode(kid), 1);
	bytes.set(payload, 1 + kidBytes);
	bytes.set(signature, 1 + kidBytes + payload.length);
	return compactPrefix + encodeBase45(bytes);
}

function decodeCompact(text: string): DecodedTicket | undefined {
	if (text.length > compactCharsMax || !text.startsWith(compactPrefix)) return undefined;
	const bytes = decodeBase45(text.slice(compactPrefix.length));
	if (!bytes || bytes.length <= 1 + kidBytes + signatureBytes || bytes[0] !== kidBytes) return undefined;
	const kid = String.fromCharCode(...bytes.subarray(1, 1 + kidBytes));
	if (!kidPattern.test(kid)) return undefined;
	const payload = bytes.subarray(1 + kidBytes, -signatureBytes);
	const ticket = readPayload(payload);
	if (!ticket) return undefined;
	const signature = bytes.subarray(-signatureBytes);
	return {
		kid,
		alg: 'Ed25519',
		ticket,
		jws: () => `${compactHeader(kid)}.${base64url.encode(payload)}.${base64url.encode(signature)}`,
	};
}

/** Reads a payload and writes it again: whatever does not come out as it went in is not the canonical writing. */
function readPayload(payload: Uint8Array): Ticket | undefined {
	const claims = readMap(payload);
	const read = claims && readClaims(claims);
	if (read?.kind !== 'ticket') return undefined;
	return sameBytes(compactPayload(read.ticket), payload) ? read.ticket : undefined;
}

function readMap(payload: Uint8Array): Record<string, unknown> | undefined {
	// Cheap refusal before the parser: a map of at most ten members.
	const head = payload[0] ?? 0;
	if (head < 0xa3 || head > 0xa0 + payloadEntries.length) return undefined;
	const map = tryDecode(payload);
	if (!(map instanceof Map)) return undefined;
	const claims: Record<string, unknown> = {};
	for (const [key, value] of map) {
		const claim = claimOfKey.get(key);
		if (claim === undefined) return undefined;
		claims[claim] = value;
	}
	return claims;
}

function tryDecode(payload: Uint8Array): unknown {
	try {
		return decode(payload, strict);
	} catch {
		return undefined;
	}
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}
