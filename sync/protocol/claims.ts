import Type, { type Static } from 'typebox';
import { cursorSchema } from './cursor.ts';
import {
	allowanceName,
	className,
	deviceEpoch,
	eventId,
	laneName,
	redemptionId,
	ticketNumber,
	timeMs,
} from './fields.ts';

/** Claims in one request: one per lane of a busy box, and as many as a hub relays at once. */
export const claimsPerRequestMax = 64;

/**
 * `POST /v1/claims`: may this ticket enter here now? The first wins. Asking again with the same redemption id gives the
 * same answer for ever, so a device repeats a claim whose answer was lost.
 */
export const claimSchema = Type.Object(
	{
		redemption: redemptionId,
		journal: { ...deviceEpoch, description: 'Device epoch of the journal that will say what became of it.' },
		evt: eventId,
		idx: ticketNumber,
		allowance: allowanceName,
		cls: className,
		use: Type.Integer({
			minimum: 1,
			maximum: 10_000,
			description: 'Admissions per allowance that the ticket carries.',
		}),
		uses: Type.Integer({ minimum: 0, maximum: 10_000, description: 'How many it asks for now; 0 for a re-entry.' }),
		lane: laneName,
		atMs: timeMs('When the device asked, by its own clock'),
	},
	{ additionalProperties: false },
);
/** @see claimSchema */
export type Claim = Static<typeof claimSchema>;

/** @see claimSchema */
export const claimsRequestSchema = Type.Object(
	{
		claims: Type.Array(claimSchema, { minItems: 1, maxItems: claimsPerRequestMax }),
		epoch: Type.Optional(
			Type.Integer({ minimum: 1, description: 'Newest epoch that the device has seen: an older authority stops.' }),
		),
		cursor: Type.Optional({
			...cursorSchema,
			description: 'What the device has applied: an authority that has less than that was restored, and stops.',
		}),
	},
	{ additionalProperties: false },
);

/** The authority's answer to one claim. */
export const claimAnswerSchema = Type.Union([
	Type.Object({ redemption: redemptionId, result: Type.Literal('granted') }),
	Type.Object({
		redemption: redemptionId,
		result: Type.Literal('denied'),
		reason: Type.Enum(['already_redeemed', 'no_uses_left', 'in_progress', 'revoked', 'capacity']),
		lane: Type.Optional(laneName),
		atMs: Type.Optional(timeMs('When the use that stands in the way was taken')),
		left: Type.Optional(
			Type.Integer({ minimum: 1, maximum: 10_000, description: 'Uses that are free, fewer than were asked for.' }),
		),
	}),
]);
/** @see claimAnswerSchema */
export type ClaimAnswer = Static<typeof claimAnswerSchema>;

/** Every answer carries the epoch of the authority that gave it: a device never asks an older one again. */
export const claimsResponseSchema = Type.Object({
	epoch: Type.Integer({ minimum: 1 }),
	answers: Type.Array(claimAnswerSchema),
});
/** @see claimsResponseSchema */
export type ClaimsResponse = Static<typeof claimsResponseSchema>;
