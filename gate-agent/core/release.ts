import { CompactSign, compactVerify, errors, type JWK } from 'jose';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { StilewardError } from './errors.ts';
import { importPrivateKey, importPublicKey, kidOf } from './jwk.ts';
import { readJson, readJws } from './strict-jws.ts';
import { numericDateMax } from './ticket-claims.ts';

/** Keeps a release from passing as anything else that the root key signs (RFC 8725 §3.11). */
const releaseType = 'stileward-release';

/** The largest package, in bytes. */
export const packageBytesMax = 256 * 1024 * 1024;

/** The largest release, in characters of its JWS. */
export const releaseCharsMax = 4_096;

/** What the venue's root key vouches for: one package, byte for byte. Times are NumericDates. */
export const releaseSchema = Type.Object(
	{
		version: Type.String({ pattern: '^[0-9]{1,6}(\\.[0-9]{1,6}){2}$' }),
		arch: Type.Union([Type.Literal('amd64'), Type.Literal('arm64')]),
		bytes: Type.Integer({ minimum: 1, maximum: packageBytesMax }),
		sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
		issuedAt: Type.Integer({ minimum: 0, maximum: numericDateMax }),
	},
	{ additionalProperties: false },
);
/** @see releaseSchema */
export type Release = Readonly<Static<typeof releaseSchema>>;

/** Signs a release with the root key (Ed25519); the JWS (RFC 7515) travels beside the package. Throws `release_invalid`. */
export async function signRelease(release: Release, rootPrivate: JWK): Promise<string> {
	if (!Check(releaseSchema, release)) throw invalid('its version, architecture or length is none');
	return new CompactSign(new TextEncoder().encode(JSON.stringify(release)))
		.setProtectedHeader({ alg: 'Ed25519', kid: await kidOf(rootPrivate), typ: releaseType })
		.sign(await importPrivateKey(rootPrivate));
}

/** Opens a release. Throws `release_invalid` unless this root key signed it. */
export async function openRelease(jws: string, rootPublic: JWK): Promise<Release> {
	const text = jws.trim();
	const parts = text.length <= releaseCharsMax ? readJws(text) : undefined;
	if (parts?.typ !== releaseType) throw invalid('this text is not a release');
	if (parts.kid !== (await kidOf(rootPublic))) throw invalid('it is signed by another root key than the pinned one');
	try {
		await compactVerify(text, await importPublicKey(rootPublic), { algorithms: ['Ed25519'] });
	} catch (error) {
		if (!(error instanceof errors.JOSEError)) throw error;
		throw invalid('its signature is not of the pinned root key');
	}
	const release = readJson(parts.payload);
	if (!Check(releaseSchema, release)) throw invalid('it does not say which package it is for');
	return release;
}

/** Negative where `a` is older than `b`, 0 where they are the same. */
export function compareVersions(a: string, b: string): number {
	const [left, right] = [a.split('.'), b.split('.')];
	const differing = left.findIndex((part, at) => Number(part) !== Number(right[at]));
	return differing === -1 ? 0 : Number(left[differing]) - Number(right[differing]);
}

function invalid(why: string): StilewardError {
	return new StilewardError('release_invalid', `the release is refused: ${why}`);
}
