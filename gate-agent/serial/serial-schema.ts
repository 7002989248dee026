import Type from 'typebox';

/** The options of a serial line as a driver's schema spreads them; `baudRate` is what the device ships with. */
export function serialSchema(baudRate: number) {
	return {
		path: Type.String({
			minLength: 1,
			description: 'Serial port, best a link in /dev/serial/by-id or by-path: ttyUSB numbers change on a re-plug.',
		}),
		baudRate: Type.Integer({
			minimum: 300,
			maximum: 4_000_000,
			default: baudRate,
			description: 'Speed of the line in baud. A USB device with its own port ignores it.',
		}),
		dataBits: Type.Enum([7, 8], { default: 8, description: 'Data bits of a character.' }),
		parity: Type.Enum(['none', 'even', 'odd'], { default: 'none', description: 'Parity of the line.' }),
		stopBits: Type.Enum([1, 2], { default: 1, description: 'Stop bits of a character.' }),
	};
}
