import Type from 'typebox';

/** The options of a Modbus board behind Ethernet, as a driver's schema spreads them. */
export const tcpSchema = {
	host: Type.String({
		minLength: 1,
		maxLength: 255,
		description: 'Address of the board on the gate’s own network, best a fixed one: 192.168.1.200.',
	}),
	port: Type.Optional(
		Type.Integer({ minimum: 1, maximum: 65_535, default: 4196, description: 'Its TCP port; Modbus/TCP has 502.' }),
	),
	framing: Type.Optional(
		Type.Enum(['rtu', 'mbap'], {
			default: 'rtu',
			description: 'rtu: the bytes of the serial line (transparent mode); mbap: Modbus/TCP.',
		}),
	),
};
