import { createPrivateKey, sign } from 'node:crypto';
import { base64url, type JWK } from 'jose';
import type { IssuerKey } from './issue.ts';
import { kidOf, onlyPublic } from './jwk.ts';
import type { KeyManifest, ManifestKey } from './key-manifest.ts';
import { createKeyset, type Keyset } from './keyset.ts';
import { ticketIdxMax } from './ticket.ts';
import type { TicketClaims } from './ticket-claims.ts';
import { compactHeader, encodeCompact } from './ticket-compact.ts';

/** The key of RFC 8037 appendix A (RFC 8032 test 1), known to everyone. */
export const ed25519Jwk: JWK = {
	kty: 'OKP',
	crv: 'Ed25519',
	x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
	d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
};

/** The key of RFC 7515 appendix A.3. */
export const p256Jwk: JWK = {
	kty: 'EC',
	crv: 'P-256',
	x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
	y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
	d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
};

/** A root key: RFC 8032 test 2. */
export const rootJwk: JWK = {
	kty: 'OKP',
	crv: 'Ed25519',
	x: 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw',
	d: 'TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs',
};

/** A typical ticket. */
export const typical: TicketClaims = {
	evt: 'lantern-2026',
	idx: 999_999,
	cls: 'adult',
	nbf: 1_790_000_000,
	exp: 1_790_086_400,
};

/** An issuer key of a test key. */
export async function issuerOf(privateKey: JWK): Promise<IssuerKey> {
	return { kid: await kidOf(privateKey), privateKey };
}

/** A manifest entry of a test key that may sign everything unless said otherwise. */
export async function entryFor(jwk: JWK, rest: Partial<ManifestKey> = {}): Promise<ManifestKey> {
	const alg = jwk.kty === 'EC' ? 'ES256' : 'Ed25519';
	return { kid: await kidOf(jwk), jwk: onlyPublic(jwk), alg, from: 0, to: ticketIdxMax, ...rest };
}

/** A manifest of these entries. */
export function manifestWith(keys: readonly ManifestKey[], rest: Partial<KeyManifest> = {}): KeyManifest {
	return { version: 1, issuedAt: 1_790_000_000, keys, revoked: [], ...rest };
}

/** A keyset that trusts one test key. */
export async function keysetOf(jwk: JWK, rest: Partial<ManifestKey> = {}): Promise<Keyset> {
	return createKeyset(manifestWith([await entryFor(jwk, rest)]));
}

/** Signs any bytes, also those that no honest issuer would write; independent of jose and of `issueTicket`. */
export function signBytes(jwk: JWK, input: string): Uint8Array<ArrayBuffer> {
	const key = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
	const signature = sign(jwk.kty === 'EC' ? 'sha256' : null, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
	return new Uint8Array(signature);
}

/** A compact ticket of any payload bytes, validly signed. */
export async function compactOf(payload: Uint8Array, jwk: JWK = ed25519Jwk): Promise<string> {
	const kid = await kidOf(jwk);
	return encodeCompact(kid, payload, signBytes(jwk, `${compactHeader(kid)}.${base64url.encode(payload)}`));
}

/** A JWS of any header and payload text, validly signed. */
export function jwsOf(header: object | string, payload: string | Uint8Array, jwk: JWK = ed25519Jwk): string {
	const head = base64url.encode(typeof header === 'string' ? header : JSON.stringify(header));
	return jwsOfParts(head, base64url.encode(payload), jwk);
}

/** A JWS of two encoded parts, validly signed as they are. */
export function jwsOfParts(head: string, body: string, jwk: JWK = ed25519Jwk): string {
	return `${head}.${body}.${base64url.encode(signBytes(jwk, `${head}.${body}`))}`;
}
