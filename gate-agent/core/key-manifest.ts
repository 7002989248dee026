import type { JWK } from 'jose';
import Type from 'typebox';
import { Errors } from 'typebox/value';
import { StilewardError } from './errors.ts';
import { kidOf, type PublicJwk } from './jwk.ts';
import { openAsRoot, type RootSigned, signAsRoot } from './root-signed.ts';
import { ticketIdxMax } from './ticket.ts';
import { numericDateMax } from './ticket-claims.ts';

/** One issuer key and what it may sign. */
export interface ManifestKey {
	readonly kid: string;
	readonly jwk: PublicJwk;
	/** `Ed25519` and `EdDSA` name the same key; either permits both headers. */
	readonly alg: 'Ed25519' | 'EdDSA' | 'ES256';
	/** The one event it signs for; absent means any. */
	readonly evt?: string;
	/** The first and last `idx` that it signs, both inclusive. */
	readonly from: number;
	readonly to: number;
	/** NumericDates. A ticket's own `nbf` … `exp` must lie within them. */
	readonly nbf?: number;
	readonly exp?: number;
}

/**
 * What the offline root key signs: who may issue which tickets. Ranges of one event never overlap, so two issuers
 * cannot sign the same ticket; a key without an event overlaps every event, and a revoked key's range is free.
 */
export interface KeyManifest {
	/** Rises by at least 1 with every change. */
	readonly version: number;
	/** NumericDate of the signing. */
	readonly issuedAt: number;
	readonly keys: readonly ManifestKey[];
	/** Kids whose tickets are all refused, also those of keys that are no longer listed. */
	readonly revoked: readonly string[];
}

/** The largest manifest, in characters of its JWS. */
export const manifestCharsMax = 512 * 1024;

const closed = { additionalProperties: false };
const kid = Type.String({ pattern: '^[A-Za-z0-9_-]{8}$' });
const coordinate = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
const idx = Type.Integer({ minimum: 0, maximum: ticketIdxMax });
const numericDate = Type.Integer({ minimum: 0, maximum: numericDateMax });

const okp = Type.Object({ kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: coordinate }, closed);
const ec = Type.Object({ kty: Type.Literal('EC'), crv: Type.Literal('P-256'), x: coordinate, y: coordinate }, closed);

const manifestKey = Type.Object(
	{
		kid,
		jwk: Type.Union([okp, ec]),
		alg: Type.Union([Type.Literal('Ed25519'), Type.Literal('EdDSA'), Type.Literal('ES256')]),
		evt: Type.Optional(Type.String({ pattern: '^[a-z0-9-]{1,32}$' })),
		from: idx,
		to: idx,
		nbf: Type.Optional(numericDate),
		exp: Type.Optional(numericDate),
	},
	closed,
);

/** The schema of a manifest. No key in it can have a private part. */
export const keyManifestSchema = Type.Object(
	{
		version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
		issuedAt: numericDate,
		keys: Type.Array(manifestKey, { minItems: 1, maxItems: 256 }),
		revoked: Type.Array(kid, { maxItems: 4096, uniqueItems: true }),
	},
	closed,
);

const kind: RootSigned = {
	...{ typ: 'stileward-key-manifest', name: 'a key manifest', charsMax: manifestCharsMax },
	invalid,
};

/** Signs a manifest with the root key. Throws `manifest_invalid`, or `keys_invalid` for the root. */
export async function signManifest(manifest: KeyManifest, rootPrivate: JWK): Promise<string> {
	await checkManifest(manifest);
	return signAsRoot(manifestText(manifest), kind, rootPrivate);
}

/** Opens a manifest. Throws `manifest_invalid` unless this root key signed it and it keeps every rule. */
export async function openManifest(jws: string, rootPublic: JWK): Promise<KeyManifest> {
	return checkManifest(await openAsRoot(jws, kind, rootPublic));
}

/** The manifest with its members in one order: equal manifests have equal texts. */
export function manifestText({ version, issuedAt, keys, revoked }: KeyManifest): string {
	const ordered = keys.map(({ kid, jwk, alg, evt, from, to, nbf, exp }) => {
		const { kty, crv, x, y }: JWK = jwk;
		return { kid, jwk: { kty, crv, x, y }, alg, evt, from, to, nbf, exp };
	});
	return JSON.stringify({ version, issuedAt, keys: ordered, revoked });
}

/** Checks the shape and the rules between members. Throws `manifest_invalid` naming the member, never its value. */
export async function checkManifest(value: unknown): Promise<KeyManifest> {
	const [problem] = Errors(keyManifestSchema, value);
	if (problem) throw invalid(`${problem.instancePath || 'it'} ${problem.message}`);
	// The schema has just accepted it.
	const manifest = value as KeyManifest;
	for (const [at, key] of manifest.keys.entries()) {
		const wrong = await keyProblem(key);
		if (wrong) throw invalid(`keys/${at} (${key.kid}) ${wrong}`);
	}
	const clash = overlap(manifest);
	if (clash) throw invalid(clash);
	return manifest;
}

async function keyProblem({ kid, jwk, alg, from, to, nbf, exp }: ManifestKey): Promise<string | undefined> {
	if (from > to) return 'has `from` above `to`';
	if (nbf !== undefined && exp !== undefined && exp <= nbf) return 'has `exp` before `nbf`';
	if ((alg === 'ES256') !== (jwk.kty === 'EC')) return 'has an `alg` that does not fit its key';
	return kid === (await kidOf(jwk)) ? undefined : 'has a `kid` that is not of its key';
}

function overlap({ keys, revoked }: KeyManifest): string | undefined {
	if (new Set(keys.map(({ kid }) => kid)).size < keys.length) return 'a kid is listed twice';
	const valid = keys.filter(({ kid }) => !revoked.includes(kid));
	for (const [at, a] of valid.entries()) {
		const b = valid.slice(at + 1).find((other) => sharesTickets(a, other));
		if (b) return `the ranges of ${a.kid} and ${b.kid} overlap`;
	}
	return undefined;
}

function sharesTickets(a: ManifestKey, b: ManifestKey): boolean {
	const sameEvent = a.evt === undefined || b.evt === undefined || a.evt === b.evt;
	return sameEvent && a.from <= b.to && b.from <= a.to;
}

function invalid(message: string): StilewardError {
	return new StilewardError('manifest_invalid', `key manifest: ${message}`);
}
