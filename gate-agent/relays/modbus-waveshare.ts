import { type Static, Type } from 'typebox';
import type { Driver, Relay } from '../core/device.ts';
import type { Buses } from '../serial/buses.ts';
import { rtuSchema, waveshareBoardSchema } from '../serial/modbus-schema.ts';
import { openWaveshareBoard } from './waveshare-board.ts';

/** Options of `modbus-waveshare`. */
export const modbusWaveshareOptions = Type.Object(
	{
		...rtuSchema,
		...waveshareBoardSchema,
	},
	{ additionalProperties: false },
);

/** @see modbusWaveshareOptions */
export type ModbusWaveshareOptions = Static<typeof modbusWaveshareOptions>;

/** Waveshare Modbus RTU Relay (firmware V2 and newer) on an RS-485 port: see `openWaveshareBoard`. */
export const modbusWaveshare: Driver<ModbusWaveshareOptions, { readonly buses: Buses }, Relay> = {
	name: 'modbus-waveshare',
	options: modbusWaveshareOptions,
	async open({ path, baudRate = 9600, parity = 'none', address = 1, channels = 8 }, io) {
		return openWaveshareBoard(await io.buses.acquire({ path, baudRate, parity }), { address, channels }, io);
	},
};
