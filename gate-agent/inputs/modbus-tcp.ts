import { type Static, Type } from 'typebox';
import type { Driver, InputEvents, Inputs } from '../core/device.ts';
import type { Buses } from '../serial/buses.ts';
import { tcpSchema } from '../serial/tcp-schema.ts';
import { discreteSchema, openDiscreteInputs } from './discrete-inputs.ts';

/** Options of `modbus-tcp` as inputs. */
export const modbusTcpInputsOptions = Type.Object({ ...tcpSchema, ...discreteSchema }, { additionalProperties: false });

/** @see modbusTcpInputsOptions */
export type ModbusTcpInputsOptions = Static<typeof modbusTcpInputsOptions>;

/** Discrete inputs of a Modbus board behind Ethernet, on the connection that its relays share: see `openDiscreteInputs`. */
export const modbusTcpInputs: Driver<ModbusTcpInputsOptions, InputEvents & { readonly buses: Buses }, Inputs> = {
	name: 'modbus-tcp',
	options: modbusTcpInputsOptions,
	open: ({ host, port = 4196, framing = 'rtu', ...inputs }, io) =>
		openDiscreteInputs(() => io.buses.acquire({ host, port, framing }), inputs, io),
};
