import { type Static, Type } from 'typebox';
import type { Driver, Relay } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import { lcusChannelsMax } from './lcus-frame.ts';
import { startWatchdog } from './watchdog-link.ts';
import { pulseMsMax } from './watchdog-protocol.ts';

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
	async open({ path, baudRate = 9600, channels = 1 }, io) {
		const watchdog = await startWatchdog({ path, baudRate }, io.log);
		const check = (channel: number, ms = 1) => {
			if (!Number.isInteger(channel) || channel < 1 || channel > channels) {
				throw new StilewardError('config_invalid', `${path} has no channel ${channel}, only 1…${channels}`);
			}
			if (!Number.isInteger(ms) || ms < 1 || ms > pulseMsMax) {
				throw new StilewardError('config_invalid', `a pulse lasts 1…${pulseMsMax} ms, not ${ms}`);
			}
		};
		return {
			pulseTiming: 'host',
			channels,
			lost: watchdog.lost,
			close: watchdog.close,
			async pulse(channel, ms) {
				check(channel, ms);
				await watchdog.order({ kind: 'pulse', channel, ms });
			},
			async set(channel, state) {
				check(channel);
				await watchdog.order({ kind: state, channel });
			},
			read: async () => undefined,
		};
	},
};
