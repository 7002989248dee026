import Type, { type Static } from 'typebox';
import { deviceEpoch, deviceId, redemptionId, sha256Text } from './fields.ts';

/** Rows of one segment. */
export const segmentRowsMax = 1_000;

/** Bytes of one signed segment. */
export const segmentBytesMax = 1024 * 1024;

/**
 * A run of a device's journal, rows verbatim. It travels as one JWS by the device key over the whole, so that the
 * evidence outlives the transport; `prevHash` joins it to the row before `from`.
 */
export const segmentSchema = Type.Object(
	{
		device: deviceId,
		epoch: deviceEpoch,
		from: Type.Integer({ minimum: 1 }),
		to: Type.Integer({ minimum: 1 }),
		prevHash: sha256Text,
		rows: Type.Array(Type.String({ maxLength: 4096 }), { minItems: 1, maxItems: segmentRowsMax }),
	},
	{ additionalProperties: false },
);
/** @see segmentSchema */
export type Segment = Static<typeof segmentSchema>;

/** `POST /v1/segments`; idempotent: rows that are there already are accepted again. */
export const segmentsRequestSchema = Type.Object(
	{ segment: Type.String({ maxLength: segmentBytesMax, description: 'The signed segment, a compact JWS.' }) },
	{ additionalProperties: false },
);

/** How far this device's journal is at the server now, and which of its redemptions are part of an open case. */
export const segmentsResponseSchema = Type.Object({
	acceptedThrough: Type.Integer({ minimum: 0 }),
	conflicts: Type.Array(Type.Object({ redemption: redemptionId, case: Type.String() })),
	status: Type.Enum(['active', 'quarantined'], {
		description: 'A device whose sequence goes back, forks or skips is quarantined; its rows are kept on a branch.',
	}),
});
