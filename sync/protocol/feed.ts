import Type, { type Static } from 'typebox';
import { cursorSchema } from './cursor.ts';
import {
	allowanceName,
	deviceEpoch,
	deviceId,
	deviceStatus,
	eventId,
	laneName,
	redemptionId,
	sha256Text,
	ticketNumber,
	timeMs,
} from './fields.ts';
import { configVersion } from './gate-config.ts';

/** What changes in the `control` log: written by the centre alone. */
export const controlChangeSchema = Type.Union([
	Type.Object({
		kind: Type.Literal('policy'),
		evt: eventId,
		policy: Type.Unknown({ description: 'The event’s `Policy`, whole.' }),
	}),
	Type.Object({ kind: Type.Literal('revoked'), evt: eventId, idx: Type.Array(ticketNumber, { minItems: 1 }) }),
	Type.Object({ kind: Type.Literal('restored'), evt: eventId, idx: Type.Array(ticketNumber, { minItems: 1 }) }),
	Type.Object({ kind: Type.Literal('keys'), manifest: Type.String({ description: 'The key manifest, a JWS.' }) }),
	Type.Object({
		kind: Type.Literal('device'),
		device: deviceId,
		status: deviceStatus,
	}),
	Type.Object({
		kind: Type.Literal('command'),
		id: redemptionId,
		device: deviceId,
		lane: laneName,
		command: Type.Unknown({ description: 'A `LaneCommand`.' }),
		expiresMs: timeMs('When it is no longer carried out'),
	}),
	Type.Object({
		kind: Type.Literal('config'),
		device: deviceId,
		version: configVersion,
		sha256: { ...sha256Text, description: 'Of the text, which the device fetches by `GET /v1/config`.' },
	}),
	Type.Object({
		kind: Type.Literal('release'),
		device: deviceId,
		redemptions: Type.Array(redemptionId, {
			minItems: 1,
			maxItems: 1_000,
			description: 'Claims that staff release at the centre while another server grants: it gives their uses back.',
		}),
	}),
	Type.Object({
		kind: Type.Literal('authority'),
		epoch: Type.Integer({ minimum: 1 }),
		server: Type.String({ description: 'Server that grants from now on.' }),
	}),
]);
/** @see controlChangeSchema */
export type ControlChange = Static<typeof controlChangeSchema>;

/**
 * One change of the `admissions` log: what the authority counts on an allowance after a device's row, in the
 * authority's order. `device`, `deviceEpoch` and `seq` name the row, so that a device knows its own; a claim that
 * staff released has no row: its `seq` is 0 and its device epoch `-`.
 */
export const admissionChangeSchema = Type.Object({
	evt: eventId,
	idx: ticketNumber,
	allowance: allowanceName,
	use: Type.Integer({ minimum: 1 }),
	used: Type.Integer({ minimum: 0 }),
	held: Type.Integer({ minimum: 0 }),
	redemption: redemptionId,
	device: deviceId,
	deviceEpoch,
	seq: Type.Integer({ minimum: 0 }),
	lane: laneName,
	atMs: timeMs('When it happened, by the device’s ledger'),
});
/** @see admissionChangeSchema */
export type AdmissionChange = Static<typeof admissionChangeSchema>;

/** One numbered entry of one of a venue's logs. Numbers are gapless within an epoch. */
export const feedEntrySchema = Type.Union([
	Type.Object({ log: Type.Literal('control'), n: Type.Integer({ minimum: 1 }), change: controlChangeSchema }),
	Type.Object({ log: Type.Literal('admissions'), n: Type.Integer({ minimum: 1 }), change: admissionChangeSchema }),
]);
/** @see feedEntrySchema */
export type FeedEntry = Static<typeof feedEntrySchema>;

/**
 * Entries after a cursor, in order within each log, and the cursor after them. In a stream each event is such a page:
 * `data` is its JSON and `id` its `next`; the first page comes at once, also where it is empty.
 */
export const feedPageSchema = Type.Object({ entries: Type.Array(feedEntrySchema), next: cursorSchema });
/** @see feedPageSchema */
export type FeedPage = Static<typeof feedPageSchema>;

/** Entries in one answer or one burst of the stream. */
export const feedEntriesMax = 1_000;
