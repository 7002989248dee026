import Type from 'typebox';

/** The version that stands in every path. A change that an older device would misread makes a new one. */
export const protocolVersion = 'v1';

/** `lantern-2026`. */
export const eventId = Type.String({ pattern: '^[a-z0-9-]{1,32}$', description: 'Event id.' });

/** Names a server among those of its venue: who an assertion is for, and who may grant. */
export const serverId = Type.String({ pattern: '^[a-z0-9.-]{1,64}$', description: 'Server id.' });

/** Random bits that one side invents and the other gives back, base64url. */
export const nonceText = Type.String({ pattern: '^[A-Za-z0-9_-]{22,128}$', description: 'Nonce.' });

/** A venue of the server. */
export const venueId = Type.String({ pattern: '^[a-z0-9-]{1,32}$', description: 'Venue id.' });

/** Dense number of a ticket in its event. */
export const ticketNumber = Type.Integer({
	minimum: 0,
	maximum: 2 ** 31 - 1,
	description: 'Ticket number in its event.',
});

/** What a use is counted on: `ticket`, `day:2026-11-22`, `session:evening`, `zone:hall-2`. */
export const allowanceName = Type.String({ pattern: '^[a-z]+(:[a-z0-9_-]{1,32})?$', description: 'Allowance.' });

/** Ticket class. */
export const className = Type.String({ pattern: '^[a-z0-9_-]{1,32}$', description: 'Ticket class.' });

/** Lane of a device. */
export const laneName = Type.String({ pattern: '^[a-z0-9_-]{1,32}$', description: 'Lane.' });

/** Order number of the seller. */
export const orderNumber = Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$', description: 'Order number.' });

/** Somebody of the staff, as they sign in. */
export const staffName = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,31}$', description: 'Name of staff.' });

/** What somebody of the staff may do: a supervisor also admits against a refusal. */
export const staffRole = Type.Enum(['steward', 'supervisor']);

/** 128 random bits, base64url. */
export const redemptionId = Type.String({ pattern: '^[A-Za-z0-9_-]{22}$', description: 'Redemption id.' });

/** Names a device for ever: the RFC 7638 thumbprint of its key. */
export const deviceId = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'Device id.' });

/** How a venue takes a device: see `Standing`. */
export const deviceStatus = Type.Enum(['active', 'successor', 'disabled', 'quarantined']);

/** The device epoch: a new random name each time its journal starts from nothing. */
export const deviceEpoch = Type.String({ pattern: '^[A-Za-z0-9_-]{1,32}$', description: 'Device epoch.' });

/** SHA-256 in base64url. */
export const sha256Text = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'SHA-256.' });

/** Milliseconds since 1970. */
export function timeMs(description: string) {
	return Type.Integer({ minimum: 0, maximum: 2 ** 53 - 1, description: `${description}, milliseconds since 1970.` });
}
