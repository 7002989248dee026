import { openEthernetLine } from '../emulators/ethernet-line.ts';
import { emulateWaveshare } from '../emulators/waveshare-emulator.ts';
import { createBuses } from '../serial/buses.ts';
import { withCrc } from '../serial/modbus-frame.ts';
import { describeInputs } from './inputs.suite.ts';
import { modbusTcpInputs } from './modbus-tcp.ts';

const channels = { passage: 1, fire: 3, tamper: 4 } as const;

for (const framing of ['rtu', 'mbap'] as const) {
	describeInputs(
		`modbus-tcp, ${framing}`,
		async () => {
			const line = await openEthernetLine(framing, (body) => withCrc(body));
			const board = emulateWaveshare(line);
			const contacts = { passage: { channel: 1 }, fire: { channel: 3 }, tamper: { channel: 4 } };
			return {
				open: (onChange) =>
					modbusTcpInputs.open(
						{ host: '127.0.0.1', port: line.port, framing, pollMs: 20, contacts },
						{ nowMs: () => performance.now(), log: () => {}, onChange, buses: createBuses() },
					),
				setContact: (role, active) => board.setInput(channels[role], active),
				plug: board,
				end: line.close,
			};
		},
		{ plug: true },
	);
}
