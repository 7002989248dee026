import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { StilewardError } from './errors.ts';
import type { SignatureAlg } from './strict-jws.ts';

/** The public half of a key: Ed25519 (RFC 8037) or P-256 (RFC 7518 §6.2). */
export type PublicJwk =
	| { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
	| { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string };

/** A key's name: the first 8 characters of its thumbprint (RFC 7638), so that two installations never share one. */
export async function kidOf(jwk: JWK | PublicJwk): Promise<string> {
	return (await calculateJwkThumbprint(onlyPublic(jwk), 'sha256')).slice(0, 8);
}

/** The public half of a key, with the members that identify it and no others. Throws `keys_invalid`. */
export function onlyPublic(jwk: JWK | PublicJwk): PublicJwk {
	const { kty, crv, x, y }: JWK = jwk;
	if (kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string') return { kty: 'OKP', crv: 'Ed25519', x };
	if (kty === 'EC' && crv === 'P-256' && typeof x === 'string' && typeof y === 'string')
		return { kty: 'EC', crv: 'P-256', x, y };
	throw new StilewardError('keys_invalid', 'a key must be an Ed25519 or a P-256 key');
}

/** The algorithm that a key signs with. Throws `keys_invalid`. */
export function algOf(jwk: JWK | PublicJwk): 'Ed25519' | 'ES256' {
	return onlyPublic(jwk).kty === 'OKP' ? 'Ed25519' : 'ES256';
}

/** Imports a key to verify with. Throws `keys_invalid` where it is not a point of its curve. */
export async function importPublicKey(jwk: JWK | PublicJwk): Promise<CryptoKey> {
	return importKey(onlyPublic(jwk));
}

/** Imports a key to sign with. Throws `keys_invalid`; the message never holds any of the key. */
export async function importPrivateKey(jwk: JWK): Promise<CryptoKey> {
	if (typeof jwk.d !== 'string') throw new StilewardError('keys_invalid', 'the private part of the key is missing');
	return importKey({ ...onlyPublic(jwk), d: jwk.d });
}

/**
 * `alg` is left out of the JWK: jose refuses an `EdDSA` header against a JWK that says `Ed25519`, although both
 * name the same key and signature (RFC 9864).
 */
async function importKey(jwk: JWK): Promise<CryptoKey> {
	const alg: SignatureAlg = jwk.kty === 'OKP' ? 'Ed25519' : 'ES256';
	try {
		// jose gives bytes for symmetric keys only.
		return (await importJWK(jwk, alg)) as CryptoKey;
	} catch {
		// The cause is dropped: what a runtime says about a private key is not for any log.
		throw new StilewardError('keys_invalid', 'the key is not a valid point or number of its curve');
	}
}
