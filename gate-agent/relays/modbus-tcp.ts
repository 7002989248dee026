import { type Static, Type } from 'typebox';
import type { Driver, Relay } from '../core/device.ts';
import type { Buses } from '../serial/buses.ts';
import { waveshareBoardSchema } from '../serial/modbus-schema.ts';
import { tcpSchema } from '../serial/tcp-schema.ts';
import { openWaveshareBoard } from './waveshare-board.ts';

/** Options of `modbus-tcp` as a relay. */
export const modbusTcpRelayOptions = Type.Object(
	{
		...tcpSchema,
		...waveshareBoardSchema,
	},
	{ additionalProperties: false },
);

/** @see modbusTcpRelayOptions */
export type ModbusTcpRelayOptions = Static<typeof modbusTcpRelayOptions>;

/**
 * Boards of the Waveshare class behind Ethernet (POE-ETH Relay, or an RTU board behind a serial device server): the same
 * orders, and the board's own timer ends a pulse.
 */
export const modbusTcpRelay: Driver<ModbusTcpRelayOptions, { readonly buses: Buses }, Relay> = {
	name: 'modbus-tcp',
	options: modbusTcpRelayOptions,
	async open({ host, port = 4196, framing = 'rtu', address = 1, channels = 8 }, io) {
		return openWaveshareBoard(await io.buses.acquire({ host, port, framing }), { address, channels }, io);
	},
};
