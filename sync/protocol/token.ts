import Type, { type Static } from 'typebox';
import { timeKeysSchema } from './enroll.ts';
import { nonceText, serverId, timeMs, venueId } from './fields.ts';

/**
 * `GET /v1/nonce`: what the next assertion must carry. The time comes with it, so that a device whose clock stands at
 * 1970 can still sign an assertion that is valid now.
 */
export const nonceResponseSchema = Type.Object({
	nonce: nonceText,
	server: serverId,
	nowMs: timeMs('Server time'),
});
/** The grant type of RFC 7523 §2.1. */
export const jwtBearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** `POST /v1/token`: the members of RFC 7523, as JSON like everything else here. */
export const tokenRequestSchema = Type.Object(
	{
		grant_type: Type.Literal(jwtBearerGrant),
		assertion: Type.String({ maxLength: 2048, description: 'Device assertion, a compact JWS.' }),
	},
	{ additionalProperties: false },
);

/** A short-lived access token (RFC 6749 §5.1). It is opaque to the device. */
export const tokenResponseSchema = Type.Object({
	access_token: Type.String({ pattern: '^[A-Za-z0-9._~+/-]{16,2048}=*$' }),
	token_type: Type.Literal('Bearer'),
	expires_in: Type.Integer({ minimum: 30, maximum: 86_400, description: 'Seconds.' }),
	venue: venueId,
	timeKeys: timeKeysSchema,
});
/** @see tokenResponseSchema */
export type TokenResponse = Static<typeof tokenResponseSchema>;
