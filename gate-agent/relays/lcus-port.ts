import { openSerialPort, type SerialOptions } from '../serial/serial-port.ts';
import type { CoilPort } from './coil-port.ts';
import { lcusFrame } from './lcus-frame.ts';

/** A frame takes 4 ms at 9600 baud. A port that does not take it within this time is ended; a stalled host may need some. */
const writeTimeoutMs = 800;

/** Opens an LCUS board. It never answers. Rejects as `openSerialPort` does. */
export async function openLcusPort(options: SerialOptions): Promise<CoilPort> {
	const line = await openSerialPort(options, { data: () => {} });
	return {
		lost: line.lost,
		write: (channel, closed) => line.write(lcusFrame(channel, closed), writeTimeoutMs),
		read: async () => undefined,
	};
}
