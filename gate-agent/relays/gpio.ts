import { type Static, Type } from 'typebox';
import type { Driver, Relay } from '../core/device.ts';
import { openWatchedRelay } from './watched-relay.ts';

/** Options of `gpio` as a relay. */
export const gpioRelayOptions = Type.Object(
	{
		chip: Type.String({
			minLength: 1,
			description: 'Label of the GPIO chip, as gpiodetect shows it (pinctrl-bcm2711), or its path: numbers change.',
		}),
		lines: Type.Array(
			Type.Union([Type.Integer({ minimum: 0, maximum: 1_023 }), Type.String({ minLength: 1, maxLength: 32 })]),
			{ minItems: 1, maxItems: 16, uniqueItems: true, description: 'Offsets or names of the lines, channel 1 first.' },
		),
		activeLow: Type.Optional(
			Type.Boolean({ default: false, description: 'True where a relay closes at a low level.' }),
		),
	},
	{ additionalProperties: false },
);

/** @see gpioRelayOptions */
export type GpioRelayOptions = Static<typeof gpioRelayOptions>;

/**
 * Relays on lines of a GPIO chip (Linux GPIO character device, version 2). Without a timer: a watchdog process holds the
 * lines, ends every pulse, and keeps a hold beyond the agent's death.
 */
export const gpioRelay: Driver<GpioRelayOptions, unknown, Relay> = {
	name: 'gpio',
	options: gpioRelayOptions,
	open: ({ chip, lines, activeLow = false }, io) =>
		openWatchedRelay({ driver: 'gpio', chip, lines, activeLow }, { channels: lines.length, log: io.log }),
};
