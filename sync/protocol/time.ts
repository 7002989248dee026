import Type from 'typebox';
import { nonceText } from './fields.ts';

/**
 * `GET /v1/time?nonce=`: the server's time as a JWS that carries the caller's nonce. No token is needed, and no page
 * of a captive portal can be mistaken for it.
 */
export const timeQuerySchema = Type.Object({ nonce: nonceText }, { additionalProperties: false });

/** @see timeQuerySchema */
export const timeResponseSchema = Type.Object({
	time: Type.String({ maxLength: 1024, description: 'Signed time, a compact JWS.' }),
});
