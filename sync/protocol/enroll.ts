import { calculateJwkThumbprint } from 'jose';
import Type from 'typebox';
import { onlyPublic, type PublicJwk } from '../../gate-agent/core/jwk.ts';
import { deviceId, serverId, sha256Text, timeMs, venueId } from './fields.ts';
import { publicJwkSchema } from './public-key.ts';

/** `POST /v1/enroll`: a device shows its one-time code once and is known by its key from then on. */
export const enrollRequestSchema = Type.Object(
	{
		code: Type.String({ pattern: '^[A-Z0-9-]{8,64}$', description: 'One-time code of the administrator.' }),
		key: publicJwkSchema,
		name: Type.String({ minLength: 1, maxLength: 64, description: 'What people call the device.' }),
		version: Type.String({ minLength: 1, maxLength: 32, description: 'Version of its program.' }),
	},
	{ additionalProperties: false },
);
/** Keys that a server signs its time with. More than one while they are exchanged. */
export const timeKeysSchema = Type.Array(publicJwkSchema, { minItems: 1, maxItems: 8 });

/** What a device keeps from its enrollment: all that it trusts later hangs on these members. */
export const enrollResponseSchema = Type.Object({
	device: deviceId,
	venue: venueId,
	server: serverId,
	rootKey: publicJwkSchema,
	caPin: { ...sha256Text, description: 'SHA-256 of the SPKI of the venue’s CA: what TLS is pinned to.' },
	timeKeys: timeKeysSchema,
	nowMs: timeMs('Server time'),
});
/** The id of a device: the whole RFC 7638 thumbprint of its key, 43 characters. Throws `keys_invalid`. */
export function deviceIdOf(key: PublicJwk): Promise<string> {
	return calculateJwkThumbprint(onlyPublic(key), 'sha256');
}
