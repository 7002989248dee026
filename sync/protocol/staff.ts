import Type, { type Static } from 'typebox';
import {
	className,
	deviceId,
	eventId,
	laneName,
	orderNumber,
	redemptionId,
	staffName,
	staffRole,
	ticketNumber,
	timeMs,
} from './fields.ts';

/** How long somebody of the staff is signed in: a long day, and not the next one. */
export const staffSessionMs = 16 * 3_600_000;

/** Uses in one answer about a ticket, and tickets in one about an order. */
export const staffUsesMax = 50;
/** @see staffUsesMax */
export const staffTicketsMax = 200;

/** Lanes in one answer: those of the largest venue. */
export const staffLanesMax = 2_000;

const closed = { additionalProperties: false };
const word = Type.String({ pattern: '^[a-z0-9_:.-]{1,64}$' });
const deviceName = Type.String({ minLength: 1, maxLength: 64, description: 'What people call the device.' });
const useCount = Type.Integer({ minimum: 0, maximum: 10_000 });

/** What signs somebody in. It is in no log, no error and no journal. */
const pin = Type.String({ pattern: '^[0-9]{4,12}$', description: 'PIN.' });

const token = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: '256 random bits, base64url.' });

const session = {
	name: staffName,
	role: staffRole,
	untilMs: timeMs('When the session ends'),
	pinVersion: Type.Integer({
		minimum: 1,
		description: 'Raised by each new PIN: a device forgets what it kept of an older one.',
	}),
};

/** `POST /v1/staff/sign-in`: somebody takes this device in hand. */
export const staffSignInSchema = Type.Object({ name: staffName, pin }, closed);
/** The session holds at the device that asked, and at no other. */
export const staffSignInResponseSchema = Type.Object({ ...session, token });

/** `POST /v1/staff/status`: whether a session still holds. */
export const staffStatusSchema = Type.Object({ token }, closed);
/** @see staffStatusSchema */
export const staffStatusResponseSchema = Type.Object(session);

/** `POST /v1/staff/ticket`: what became of a ticket, for a visitor who asks. */
export const staffTicketSchema = Type.Object({ token, evt: eventId, idx: ticketNumber }, closed);

/** One use of a ticket: `open` while nobody knows yet whether somebody passed. */
const ticketUse = Type.Object({
	device: deviceName,
	lane: laneName,
	atMs: timeMs('When it was granted, by the device’s ledger'),
	rung: word,
	outcome: Type.Enum(['open', 'taken', 'not_taken']),
	taken: { ...useCount, description: 'Passages seen or assumed.' },
	by: Type.Optional(Type.String({ maxLength: 64, description: 'Who granted it, where a person did.' })),
	reason: Type.Optional(Type.String({ maxLength: 200, description: 'Why, in that person’s words.' })),
});

/** `cls`, `use` and `order` are absent for a ticket of an issuer that works offline. Newest first. */
export const staffTicketResponseSchema = Type.Object({
	evt: eventId,
	idx: ticketNumber,
	cls: Type.Optional(className),
	use: Type.Optional(useCount),
	order: Type.Optional(orderNumber),
	revoked: Type.Boolean(),
	uses: Type.Array(ticketUse, { maxItems: staffUsesMax }),
});

/** `POST /v1/staff/order`: the tickets of an order, for a visitor whose code cannot be read. */
export const staffOrderSchema = Type.Object({ token, number: orderNumber }, closed);
/** `more`: the order has tickets beyond these, which are the first. */
export const staffOrderResponseSchema = Type.Object({
	number: orderNumber,
	tickets: Type.Array(
		Type.Object({
			evt: eventId,
			idx: ticketNumber,
			cls: className,
			use: useCount,
			used: { ...useCount, description: 'Of the allowance that most uses of were taken or are held.' },
			revoked: Type.Boolean(),
		}),
		{ maxItems: staffTicketsMax },
	),
	more: Type.Boolean(),
});

/** `POST /v1/staff/lanes`: the lanes of the venue, as their devices reported them. */
export const staffLanesSchema = Type.Object({ token }, closed);
/** @see staffLanesSchema */
export const staffLanesResponseSchema = Type.Object({
	lanes: Type.Array(
		Type.Object({
			device: deviceId,
			name: deviceName,
			lane: laneName,
			mode: word,
			phase: word,
			seenMs: timeMs('When the device said so'),
		}),
		{ maxItems: staffLanesMax },
	),
});

/** `POST /v1/staff/lane-order`: an answer of staff to a lane that waits for one. */
export const staffLaneOrderSchema = Type.Object(
	{ token, device: deviceId, lane: laneName, order: Type.Enum(['confirm', 'reject', 'stop_group']) },
	closed,
);
/** The order is on its way, and is carried out before `expiresMs` or not at all. */
export const staffLaneOrderResponseSchema = Type.Object({
	id: redemptionId,
	expiresMs: timeMs('When it is no longer carried out'),
});

/** One use of a ticket, as staff read it. */
export type StaffTicketUse = Static<typeof ticketUse>;
