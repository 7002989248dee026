import Type from 'typebox';

/** The options of an RS-485 line with Modbus RTU on it, as a driver's schema spreads them. */
export const rtuSchema = {
	path: Type.String({ minLength: 1, description: 'Serial port of the RS-485 adapter' }),
	baudRate: Type.Optional(Type.Integer({ minimum: 1200, maximum: 256_000, default: 9600 })),
	parity: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('even'), Type.Literal('odd')])),
};

/** Which board of the Waveshare class on its bus, and how many relays or contacts it has. */
export const waveshareBoardSchema = {
	address: Type.Optional(Type.Integer({ minimum: 1, maximum: 255, default: 1, description: 'Modbus station' })),
	channels: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, default: 8 })),
};
