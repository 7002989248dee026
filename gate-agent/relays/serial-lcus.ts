import { type Static, Type } from 'typebox';
import type { Driver, Relay } from '../core/device.ts';
import { lcusChannelsMax } from './lcus-frame.ts';
import { openWatchedRelay } from './watched-relay.ts';

/** Options of `serial-lcus`. */
export const serialLcusOptions = Type.Object(
	{
		path: Type.String({ minLength: 1, description: 'Serial port, best a link in /dev/serial/by-path' }),
		baudRate: Type.Optional(Type.Integer({ minimum: 300, maximum: 4_000_000, default: 9600 })),
		channels: Type.Optional(Type.Integer({ minimum: 1, maximum: lcusChannelsMax, default: 1 })),
	},
	{ additionalProperties: false },
);

/** @see serialLcusOptions */
export type SerialLcusOptions = Static<typeof serialLcusOptions>;

/**
 * LCUS-1 … LCUS-8: USB relay boards on a CH340, write-only, without a timer. A watchdog process owns the port: it
 * ends every pulse and opens the coils when the agent dies. No byte is sent before the agent asks for one.
 */
export const serialLcus: Driver<SerialLcusOptions, unknown, Relay> = {
	name: 'serial-lcus',
	options: serialLcusOptions,
	open: ({ path, baudRate = 9600, channels = 1 }, io) =>
		openWatchedRelay({ driver: 'serial-lcus', path, baudRate }, { channels, log: io.log }),
};
