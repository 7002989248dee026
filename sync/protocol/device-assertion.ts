import type { JWK } from 'jose';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { deviceId, nonceText, redemptionId, serverId, venueId } from './fields.ts';
import type { ProblemCode } from './problem.ts';
import { readSigned, type SigningKey, signText } from './signed-text.ts';

/** Seconds for which an assertion may be valid. */
export const assertionSecondsMax = 60;

/** Seconds by which `iat` may lie ahead of the server: the two clocks are one, but it is read twice. */
const clockLeewaySeconds = 5;

/** The largest assertion, in characters. */
const assertionCharsMax = 2048;

const assertionType = 'stileward-device-assertion+jwt';
const numericDate = Type.Integer({ minimum: 0, maximum: 2 ** 40 });

/** The claims of a device assertion (RFC 7523 §3), with the venue and the server's nonce. Times are NumericDates. */
const assertionSchema = Type.Object(
	{
		iss: deviceId,
		sub: deviceId,
		aud: serverId,
		venue: venueId,
		nonce: nonceText,
		jti: redemptionId,
		iat: numericDate,
		exp: numericDate,
	},
	{ additionalProperties: false },
);
type Assertion = Static<typeof assertionSchema>;

/** What a device says when it asks for a token. */
export interface AssertionRequest {
	readonly device: string;
	readonly venue: string;
	/** The server that is asked: the one of the enrollment, never one that an answer names. */
	readonly server: string;
	readonly nonce: string;
	/** 128 random bits, base64url. */
	readonly jti: string;
	/** The time that came with the nonce: the device's own clock may stand at 1970. */
	readonly nowMs: number;
}

/** Signs an assertion for `assertionSecondsMax` seconds with the device key. Throws `keys_invalid`. */
export function signDeviceAssertion(request: AssertionRequest, privateKey: SigningKey): Promise<string> {
	const { device, venue, server, nonce, jti, nowMs } = request;
	const iat = Math.floor(nowMs / 1000);
	const claims = { iss: device, sub: device, aud: server, venue, nonce, jti, iat, exp: iat + assertionSecondsMax };
	return signText(claims satisfies Assertion, { typ: assertionType, kid: device }, privateKey);
}

/** What a server knows of the device that an assertion names. */
export type KnownDevice =
	| { readonly kind: 'enrolled'; readonly venue: string; readonly key: JWK }
	| { readonly kind: 'disabled' }
	| { readonly kind: 'unknown' };

/** What a server checks an assertion against. */
export interface AssertionCheck {
	readonly server: string;
	readonly nowMs: number;
	device(id: string): Promise<KnownDevice>;
	/**
	 * Uses a nonce and a `jti` up, both at once and for all processes of the server: `unknown` where the nonce was never
	 * given or is too old, `replayed` where either was used before.
	 */
	useUp(use: {
		readonly nonce: string;
		readonly jti: string;
		readonly untilMs: number;
	}): Promise<'fresh' | 'unknown' | 'replayed'>;
}

/** Who a server speaks with, or why it does not. */
export type AssertionResult =
	| { readonly kind: 'verified'; readonly device: string; readonly venue: string }
	| { readonly kind: 'refused'; readonly code: ProblemCode };

/**
 * Verifies an assertion: the form, the device, its signature, then server, venue, time, and at last the nonce, which
 * nobody but the device itself can use up. Never throws for what a stranger sends.
 */
export async function verifyDeviceAssertion(jws: string, check: AssertionCheck): Promise<AssertionResult> {
	const unchecked = jws.length <= assertionCharsMax ? readSigned(jws, assertionType) : undefined;
	if (!unchecked) return refused('assertion_invalid');
	const known = await check.device(unchecked.kid);
	if (known.kind !== 'enrolled') return refused(known.kind === 'disabled' ? 'device_disabled' : 'device_unknown');
	const claims = await unchecked.open(known.key);
	if (!Check(assertionSchema, claims)) return refused('assertion_invalid');
	if (claims.iss !== unchecked.kid || claims.sub !== unchecked.kid) return refused('assertion_invalid');
	if (claims.aud !== check.server) return refused('wrong_audience');
	if (claims.venue !== known.venue) return refused('wrong_venue');
	if (!isValidAt(claims, check.nowMs)) return refused('assertion_expired');
	const { nonce, jti, exp } = claims;
	const use = await check.useUp({ nonce, jti, untilMs: exp * 1000 });
	if (use !== 'fresh') return refused(use === 'unknown' ? 'nonce_unknown' : 'assertion_replayed');
	return { kind: 'verified', device: claims.sub, venue: claims.venue };
}

function isValidAt({ iat, exp }: Assertion, nowMs: number): boolean {
	const now = nowMs / 1000;
	return exp > iat && exp - iat <= assertionSecondsMax && iat <= now + clockLeewaySeconds && now < exp;
}

function refused(code: ProblemCode): AssertionResult {
	return { kind: 'refused', code };
}
