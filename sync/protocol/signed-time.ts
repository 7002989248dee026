import type { JWK } from 'jose';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { kidOf } from '../../gate-agent/core/jwk.ts';
import { nonceText, serverId, timeMs } from './fields.ts';
import { readSigned, signText } from './signed-text.ts';

const timeType = 'stileward-time';
const timeCharsMax = 1024;

/** What the server says the time is, to whoever invented the nonce. */
const signedTimeSchema = Type.Object(
	{ nonce: nonceText, server: serverId, nowMs: timeMs('Server time') },
	{ additionalProperties: false },
);
/** @see signTime */
export type SignedTime = Static<typeof signedTimeSchema>;

/** Signs the time with the server's time key. Throws `keys_invalid`. */
export async function signTime(time: SignedTime, privateKey: JWK): Promise<string> {
	return signText(time, { typ: timeType, kid: await kidOf(privateKey) }, privateKey);
}

/**
 * Opens a signed time; undefined unless one of these keys signed it for this very nonce. An answer without the nonce
 * is a replay, a portal's page or another server's: none of them is the time.
 */
export async function openTime(
	jws: string,
	expected: { readonly nonce: string; readonly keys: readonly JWK[] },
): Promise<SignedTime | undefined> {
	const unchecked = jws.length <= timeCharsMax ? readSigned(jws, timeType) : undefined;
	if (!unchecked) return undefined;
	for (const key of expected.keys) {
		if ((await kidOf(key)) !== unchecked.kid) continue;
		const time = await unchecked.open(key);
		if (Check(signedTimeSchema, time) && time.nonce === expected.nonce) return time;
	}
	return undefined;
}
