import { base64url } from 'jose';
import { parseStrictJson } from './strict-json.ts';

/** The signature algorithms that Stileward accepts (RFC 9864, RFC 8037, RFC 7518). */
export type SignatureAlg = 'Ed25519' | 'EdDSA' | 'ES256';

/** All of them make signatures of 64 bytes: 85 characters of base64url and one with four bits left over. */
const isSignature = /^[\w-]{85}[AQgw]$/;

/** The header members that are understood. Any other (`crit`, `b64`, `jwk`, `jku`, `x5c` …) makes a JWS damaged. */
const headerNames: readonly string[] = ['alg', 'kid', 'typ'];

const algs: readonly unknown[] = ['Ed25519', 'EdDSA', 'ES256'] satisfies SignatureAlg[];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Four characters are three bytes; of a last pair or triple, four or two bits are left over and must be zero. */
const canonicalBase64url = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** A compact JWS taken apart, its signature not yet verified. */
export interface JwsParts {
	readonly alg: SignatureAlg;
	readonly kid: string;
	readonly typ?: string;
	readonly payload: Uint8Array;
}

/**
 * Takes a compact JWS (RFC 7515) apart, or gives undefined: three parts in canonical base64url, a strict JSON
 * header with only `alg`, `kid` and `typ`, an accepted algorithm and a signature of 64 bytes. Never throws.
 */
export function readJws(text: string): JwsParts | undefined {
	const [head, body, tail, ...more] = text.split('.', 4);
	if (head === undefined || body === undefined || tail === undefined || more.length > 0) return undefined;
	if (!isSignature.test(tail)) return undefined;
	const headBytes = decodeBase64url(head);
	const payload = headBytes && decodeBase64url(body);
	const header = payload && readJson(headBytes);
	if (!header) return undefined;
	const { alg, kid, typ } = header;
	if (Object.keys(header).some((member) => !headerNames.includes(member))) return undefined;
	if (!algs.includes(alg) || typeof kid !== 'string' || kid === '' || kid.length > 64) return undefined;
	if (typ !== undefined && typeof typ !== 'string') return undefined;
	// `algs` holds nothing else.
	return { alg: alg as SignatureAlg, kid, ...(typ !== undefined && { typ }), payload };
}

/** Reads a UTF-8 JSON object strictly, or gives undefined. */
export function readJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
	try {
		return parseStrictJson(utf8.decode(bytes));
	} catch {
		return undefined;
	}
}

/**
 * Reads base64url without padding (RFC 7515 §2), or gives undefined for a text that the encoder would not write:
 * another character, a length of 1 modulo 4, or stray bits after the last byte.
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
	return canonicalBase64url.test(text) ? base64url.decode(text) : undefined;
}
