import Type from 'typebox';
import { deviceEpoch, redemptionId, timeMs } from './fields.ts';

/** Open claims in one answer, oldest first; the rest comes once these are answered. */
export const openClaimsMax = 1_000;

/**
 * `GET /v1/claims/open`: claims that the authority granted to this device and that no journal row has ended. The device
 * answers with its journal: the row that is there, or a `released` row that it writes now. For a claim of another
 * `journal` it cannot tell: the disk that knew is gone. Only an authority answers.
 */
export const openClaimsResponseSchema = Type.Object({
	epoch: Type.Integer({ minimum: 1 }),
	claims: Type.Array(
		Type.Object({ redemption: redemptionId, journal: deviceEpoch, atMs: timeMs('When it was granted') }),
		{ maxItems: openClaimsMax },
	),
});
