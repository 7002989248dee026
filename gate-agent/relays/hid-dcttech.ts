import { type Static, Type } from 'typebox';
import type { Driver, Relay } from '../core/device.ts';
import { nodeSchema } from '../nodes/node-schema.ts';
import { type HidRelayProtocol, hidRelayBoards } from './hid-relay-boards.ts';
import { openWatchedRelay } from './watched-relay.ts';

const names = Object.keys(hidRelayBoards) as HidRelayProtocol[];

/** Options of `hid-dcttech`. */
export const hidDcttechOptions = Type.Object(
	{
		...nodeSchema('16c0:05df'),
		protocol: Type.Optional(
			Type.Enum(names, {
				default: 'dcttech',
				description:
					'Whose board it is: dcttech (USBRelayN), ucreatefun (HIDRelay), ch551 (QYF-UR02) or lcus (5131:2007).',
			}),
		),
		channels: Type.Optional(Type.Integer({ minimum: 1, maximum: 8, default: 1 })),
	},
	{ additionalProperties: false },
);

/** @see hidDcttechOptions */
export type HidDcttechOptions = Static<typeof hidDcttechOptions>;

/**
 * The USB HID relay boards of dcttech and their clones, without a timer: a watchdog process holds the board, ends every
 * pulse and opens the coils when the agent dies. An order is confirmed where the board tells its coils. The board's own
 * watchdog guards its firmware alone; without its USB power it lets go.
 */
export const hidDcttech: Driver<HidDcttechOptions, unknown, Relay> = {
	name: 'hid-dcttech',
	options: hidDcttechOptions,
	async open({ channels = 1, device = '16c0:05df', protocol = 'dcttech', ...choice }, io) {
		return openWatchedRelay({ driver: 'hid-dcttech', device, protocol, ...choice }, { channels, log: io.log });
	},
};
