import { type Static, Type } from 'typebox';
import type { Driver, Relay } from '../core/device.ts';
import type { Buses } from '../serial/buses.ts';
import { openWaveshareBoard } from './waveshare-board.ts';

/** Options of `modbus-waveshare`. */
export const modbusWaveshareOptions = Type.Object(
	{
		path: Type.String({ minLength: 1, description: 'Serial port of the RS-485 adapter' }),
		baudRate: Type.Optional(Type.Integer({ minimum: 1200, maximum: 256_000, default: 9600 })),
		parity: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('even'), Type.Literal('odd')])),
		address: Type.Optional(Type.Integer({ minimum: 1, maximum: 255, default: 1, description: 'Modbus station' })),
		channels: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, default: 8 })),
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
