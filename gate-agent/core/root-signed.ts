import { CompactSign, compactVerify, errors, type JWK } from 'jose';
import type { StilewardError } from './errors.ts';
import { importPrivateKey, importPublicKey, kidOf } from './jwk.ts';
import { readJson, readJws } from './strict-jws.ts';

/** One kind of what the venue's offline root key signs. */
export interface RootSigned {
	/** Keeps one kind from passing as another (RFC 8725 §3.11). */
	readonly typ: string;
	/** What people call it, with its article. */
	readonly name: string;
	/** The largest one, in characters of its JWS. */
	readonly charsMax: number;
	readonly invalid: (why: string) => StilewardError;
}

/** Signs a text with the root key (Ed25519) as a compact JWS (RFC 7515). Throws `keys_invalid` for a key that is none. */
export async function signAsRoot(text: string, { typ }: RootSigned, rootPrivate: JWK): Promise<string> {
	return new CompactSign(new TextEncoder().encode(text))
		.setProtectedHeader({ alg: 'Ed25519', kid: await kidOf(rootPrivate), typ })
		.sign(await importPrivateKey(rootPrivate));
}

/** Gives the JSON that this root key signed; throws the kind's own error for anything else. Nothing of it is checked yet. */
export async function openAsRoot(jws: string, kind: RootSigned, rootPublic: JWK): Promise<unknown> {
	const text = jws.trim();
	const parts = text.length <= kind.charsMax ? readJws(text) : undefined;
	const value = parts && readJson(parts.payload);
	if (!value || parts.typ !== kind.typ) throw kind.invalid(`this text is not ${kind.name}`);
	if (parts.kid !== (await kidOf(rootPublic))) {
		throw kind.invalid('it is signed by another root key than the pinned one');
	}
	const key = await importPublicKey(rootPublic);
	try {
		await compactVerify(text, key, { algorithms: ['Ed25519'] });
	} catch (error) {
		if (!(error instanceof errors.JOSEError)) throw error;
		throw kind.invalid('its signature is not of the pinned root key');
	}
	return value;
}
