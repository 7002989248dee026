import Type from 'typebox';

const coordinate = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
const closed = { additionalProperties: false };

/** A public key as it travels: Ed25519 (RFC 8037) or P-256 (RFC 7518), with no private member and nothing else. */
export const publicJwkSchema = Type.Union([
	Type.Object({ kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: coordinate }, closed),
	Type.Object({ kty: Type.Literal('EC'), crv: Type.Literal('P-256'), x: coordinate, y: coordinate }, closed),
]);
