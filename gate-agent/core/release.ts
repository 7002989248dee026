import type { JWK } from 'jose';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { StilewardError } from './errors.ts';
import { openAsRoot, type RootSigned, signAsRoot } from './root-signed.ts';
import { numericDateMax } from './ticket-claims.ts';

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

const kind: RootSigned = { typ: 'stileward-release', name: 'a release', charsMax: releaseCharsMax, invalid };

/** Signs a release with the root key; the JWS travels beside the package. Throws `release_invalid`. */
export async function signRelease(release: Release, rootPrivate: JWK): Promise<string> {
	if (!Check(releaseSchema, release)) throw invalid('its version, architecture or length is none');
	return signAsRoot(JSON.stringify(release), kind, rootPrivate);
}

/** Opens a release. Throws `release_invalid` unless this root key signed it. */
export async function openRelease(jws: string, rootPublic: JWK): Promise<Release> {
	const release = await openAsRoot(jws, kind, rootPublic);
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
