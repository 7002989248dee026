import { type Static, Type } from 'typebox';
import type { Driver, InputEvents, Inputs } from '../core/device.ts';
import type { Buses } from '../serial/buses.ts';
import { rtuSchema } from '../serial/modbus-schema.ts';
import { discreteSchema, openDiscreteInputs } from './discrete-inputs.ts';

/** Options of `modbus-discrete`. */
export const modbusDiscreteOptions = Type.Object(
	{
		...rtuSchema,
		...discreteSchema,
	},
	{ additionalProperties: false },
);

/** @see modbusDiscreteOptions */
export type ModbusDiscreteOptions = Static<typeof modbusDiscreteOptions>;

/** Discrete inputs of a Modbus board on an RS-485 port: see `openDiscreteInputs`. */
export const modbusDiscrete: Driver<ModbusDiscreteOptions, InputEvents & { readonly buses: Buses }, Inputs> = {
	name: 'modbus-discrete',
	options: modbusDiscreteOptions,
	open: ({ path, baudRate = 9600, parity = 'none', ...inputs }, io) =>
		openDiscreteInputs(() => io.buses.acquire({ path, baudRate, parity }), inputs, io),
};
