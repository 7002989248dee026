import Type, { type Static } from 'typebox';
import {
	className,
	deviceId,
	eventId,
	laneName,
	orderNumber,
	redemptionId,
	serverId,
	staffName,
	staffRole,
	ticketNumber,
} from '../../protocol/fields.ts';
import { configVersion, gateConfigBytesMax, gateName } from '../../protocol/gate-config.ts';
import { policySchema } from '../../protocol/policy.ts';
import { staffSignInSchema } from '../../protocol/staff.ts';
import { orderCountMax } from '../issuing.ts';

const closed = { additionalProperties: false };
const numericDate = Type.Integer({ minimum: 0, maximum: 253_402_300_799 });
const name = Type.String({ pattern: '^[a-z0-9_-]{1,32}$' });
const text = Type.String({ minLength: 1, maxLength: 500 });

/** What an operator signs in with. */
export const loginSchema = Type.Object(
	{ name: Type.String({ maxLength: 32 }), password: Type.String({ maxLength: 1024 }) },
	closed,
);

/** An order as it is asked for; the same number asked again gives the same tickets. */
export const orderSchema = Type.Object(
	{
		order: orderNumber,
		evt: eventId,
		cls: className,
		count: Type.Integer({ minimum: 1, maximum: orderCountMax }),
		use: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
		claims: Type.Object(
			{
				nbf: Type.Optional(numericDate),
				exp: Type.Optional(numericDate),
				ses: Type.Optional(name),
				zon: Type.Optional(Type.Array(name, { minItems: 1, maxItems: 16 })),
				home: Type.Optional(name),
				seat: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
			},
			closed,
		),
	},
	closed,
);
/** @see orderSchema */
export type OrderInput = Static<typeof orderSchema>;

/** The addresses of things. */
export const params = {
	evt: Type.Object({ evt: eventId }),
	session: Type.Object({ evt: eventId, session: name }),
	order: Type.Object({ order: orderNumber }),
	ticket: Type.Object({ evt: eventId, idx: ticketNumber }),
	device: Type.Object({ device: deviceId }),
	staff: Type.Object({ name: staffName }),
	gate: Type.Object({ gate: gateName }),
	gateVersion: Type.Object({ gate: gateName, version: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) }),
	id: Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9._:/-]{1,128}$' }) }),
} as const;

/** An event and its rules. */
export const eventSchema = Type.Object({ policy: policySchema }, closed);

/** By how much a session's window moves from where the rules first put it; 0 takes a postponement back. */
export const postponeSchema = Type.Object({ minutes: Type.Integer({ minimum: -525_600, maximum: 525_600 }) }, closed);

/** A refund of an order, or of these tickets of it. */
export const refundSchema = Type.Object(
	{ idx: Type.Optional(Type.Array(ticketNumber, { minItems: 1, maxItems: 100_000 })) },
	closed,
);

/** An exchange into another order. */
export const exchangeSchema = Type.Object({ into: orderSchema }, closed);

/** A run of numbers for an issuer that works offline. */
export const leaseSchema = Type.Object(
	{ evt: eventId, count: Type.Integer({ minimum: 1, maximum: 10_000_000 }), holder: name },
	closed,
);

/** A one-time code for a device. */
export const codeSchema = Type.Object(
	{
		name: Type.String({ minLength: 1, maxLength: 64 }),
		minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_440 })),
		replace: Type.Optional(Type.Boolean({ description: 'Whoever has the name now is disabled.' })),
		hub: Type.Optional(Type.Boolean({ description: 'It makes a hub, and `name` becomes its server id.' })),
	},
	closed,
);

/** Which server is to grant. `abandon`: the one that grants now is lost, and nobody waits for what only it knew. */
export const authoritySchema = Type.Object({ server: serverId, abandon: Type.Optional(Type.Boolean()) }, closed);

/** Whether a device may work. */
export const statusSchema = Type.Object({ status: Type.Enum(['active', 'disabled', 'quarantined']) }, closed);

const { pin } = staffSignInSchema.properties;

/** Somebody who may sign in at devices. */
export const staffSchema = Type.Object({ name: staffName, role: staffRole, pin }, closed);

/** A new PIN. */
export const staffPinSchema = Type.Object({ pin }, closed);

/** Whether somebody may sign in. */
export const staffStatusSchema = Type.Object({ status: Type.Enum(['active', 'disabled']) }, closed);

/** Claims to give back; without `redemptions` all that are open. `force`: also of a device that was just here. */
export const releaseSchema = Type.Object(
	{
		redemptions: Type.Optional(Type.Array(redemptionId, { minItems: 1, maxItems: 1_000 })),
		force: Type.Optional(Type.Boolean()),
	},
	closed,
);

/** A command for a lane, and how long it is carried out. */
export const commandSchema = Type.Object(
	{
		lane: laneName,
		command: Type.Object({ kind: Type.String({ maxLength: 32 }) }, { additionalProperties: true }),
		validMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 60_000 })),
	},
	closed,
);

/** What a person found out about a case. */
export const closeCaseSchema = Type.Object({ text }, closed);

const note = Type.Optional(Type.String({ maxLength: 200, description: 'Why, in the words of who pushes it.' }));

/** A configuration for a gate. */
export const pushConfigSchema = Type.Object(
	{ text: Type.String({ minLength: 1, maxLength: gateConfigBytesMax, description: 'YAML.' }), note },
	closed,
);

/** A version whose text a gate is to run again. */
export const rollbackConfigSchema = Type.Object({ version: configVersion, note }, closed);
