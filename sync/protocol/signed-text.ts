import { CompactSign, compactVerify, errors, type JWK } from 'jose';
import { algOf, importPrivateKey, importPublicKey } from '../../gate-agent/core/jwk.ts';
import { readJson, readJws } from '../../gate-agent/core/strict-jws.ts';

/** What a signed text is: its `typ` keeps one kind from passing as another (RFC 8725 §3.11). */
export type SignedType = 'stileward-device-assertion+jwt' | 'stileward-segment' | 'stileward-time';

/** A private key that its holder cannot read: a browser signs with it and gives it to nobody. */
export interface SealedKey {
	readonly alg: 'Ed25519' | 'ES256';
	readonly sealed: CryptoKey;
}

/** What signs: a key as text, or one that no program can read. */
export type SigningKey = JWK | SealedKey;

/** Signs a JSON value. `kid` names the key to whoever looks it up. Throws `keys_invalid`. */
export async function signText(
	value: unknown,
	header: { readonly typ: SignedType; readonly kid: string },
	privateKey: SigningKey,
): Promise<string> {
	const { alg, sealed } = isSealed(privateKey)
		? privateKey
		: { alg: algOf(privateKey), sealed: await importPrivateKey(privateKey) };
	return new CompactSign(new TextEncoder().encode(JSON.stringify(value)))
		.setProtectedHeader({ alg, ...header })
		.sign(sealed);
}

function isSealed(key: SigningKey): key is SealedKey {
	return 'sealed' in key;
}

/** A signed text whose signature is not checked yet: good for nothing but to look up the key. */
export interface UncheckedText {
	readonly kid: string;
	/** Checks the signature and gives the signed object; undefined for any other key, or where it is no JSON object. */
	open(publicKey: JWK): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** Takes a signed text apart; undefined unless it is a whole JWS of this type. Throws nothing. */
export function readSigned(text: string, typ: SignedType): UncheckedText | undefined {
	const parts = readJws(text);
	if (parts?.typ !== typ) return undefined;
	return {
		kid: parts.kid,
		// Nothing is parsed before the signature is checked: a stranger's megabyte costs one hash.
		open: async (publicKey) => ((await isSignedBy(text, publicKey)) ? readJson(parts.payload) : undefined),
	};
}

/** A key is used with its own algorithm only; `Ed25519` and `EdDSA` name the same one (RFC 9864). */
async function isSignedBy(text: string, publicKey: JWK): Promise<boolean> {
	const algorithms = algOf(publicKey) === 'ES256' ? ['ES256'] : ['Ed25519', 'EdDSA'];
	const key = await importPublicKey(publicKey);
	try {
		await compactVerify(text, key, { algorithms });
		return true;
	} catch (error) {
		if (!(error instanceof errors.JOSEError)) throw error;
		return false;
	}
}
