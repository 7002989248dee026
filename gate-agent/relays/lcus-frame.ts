/** Channels that the frame can name; boards have 1 to 8. */
export const lcusChannelsMax = 16;

/** The four bytes that close or open a coil of an LCUS board: `A0`, channel, 1 or 0, sum of the three (low byte). */
export function lcusFrame(channel: number, closed: boolean): Uint8Array {
	const state = closed ? 1 : 0;
	return Uint8Array.of(0xa0, channel, state, (0xa0 + channel + state) & 0xff);
}
