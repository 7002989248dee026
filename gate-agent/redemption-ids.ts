import { randomFillSync } from 'node:crypto';
import type { RedemptionId } from './core/redemption.ts';

const idBytes = 16;

/** Ids that are drawn from the system at once. */
const idsPerDraw = 64;

/** Makes redemption ids of 128 random bits. They are drawn many at a time: one draw costs a lane as much as a read. */
export function createRedemptionIds(): () => RedemptionId {
	const drawn = Buffer.alloc(idBytes * idsPerDraw);
	let at = drawn.length;
	return () => {
		if (at === drawn.length) {
			randomFillSync(drawn);
			at = 0;
		}
		const id = drawn.toString('base64url', at, at + idBytes);
		at += idBytes;
		// The brand is given to what has 128 random bits.
		return id as RedemptionId;
	};
}
