import { describe, expect, it, onTestFinished } from 'vitest';
import { type EthernetLine, openEthernetLine } from '../emulators/ethernet-line.ts';
import { eventually } from '../emulators/eventually.suite.ts';
import { emulateWaveshare, type WaveshareEmulator } from '../emulators/waveshare-emulator.ts';
import { createBuses } from '../serial/buses.ts';
import { withCrc } from '../serial/modbus-frame.ts';
import { modbusTcpRelay } from './modbus-tcp.ts';
import { describeRelay } from './relay.suite.ts';

const io = { nowMs: () => performance.now(), log: () => {} };
const host = '127.0.0.1';

for (const framing of ['rtu', 'mbap'] as const) {
	describeRelay(
		`modbus-tcp, ${framing}`,
		async () => {
			const line = await openEthernetLine(framing, (body) => withCrc(body));
			const board = emulateWaveshare(line);
			return {
				// Each opener is another agent: only devices of one agent share a connection.
				open: () => modbusTcpRelay.open({ host, port: line.port, framing }, { ...io, buses: createBuses() }),
				edges: board.edges,
				isClosed: board.isClosed,
				plug: board,
				end: line.close,
			};
		},
		{ toleranceMs: 60, reads: true, fedByPort: false },
	);
}

describe('modbus-tcp and its network', () => {
	const open = async (
		framing: 'rtu' | 'mbap',
	): Promise<{
		line: EthernetLine;
		board: WaveshareEmulator;
		relay: Awaited<ReturnType<typeof modbusTcpRelay.open>>;
	}> => {
		const line = await openEthernetLine(framing, (body) => withCrc(body));
		const board = emulateWaveshare(line);
		const relay = await modbusTcpRelay.open({ host, port: line.port, framing }, { ...io, buses: createBuses() });
		onTestFinished(async () => {
			await relay.close();
			await line.close();
		});
		return { line, board, relay };
	};

	it('sends the frame of Modbus/TCP with the board’s own time', async () => {
		const { board, relay } = await open('mbap');
		await relay.pulse(1, 700);
		expect(board.requests.map(({ hex }) => hex)).toContain('0105020000078db0');
	});

	it.each(['rtu', 'mbap'] as const)('finds a cable that was pulled without a word, %s', async (framing) => {
		const { line, board, relay } = await open(framing);
		line.blackHole(true);
		const startedMs = performance.now();
		await expect(relay.lost).resolves.toMatchObject({ code: 'device_lost' });
		expect(performance.now() - startedMs).toBeLessThan(5_000);
		expect(board.edges).toEqual([]);
	});

	it.each(['rtu', 'mbap'] as const)('lives through bytes that no board sends, %s', async (framing) => {
		const { line, board, relay } = await open(framing);
		const noise = Uint8Array.from({ length: 300 }, (_, index) => (index * 31 + 7) & 0xff);
		line.babble(noise);
		const outcome = await relay.pulse(1, 100).then(
			() => 'done',
			({ code }) => code,
		);
		expect(outcome).toMatch(/^(done|device_lost|device_timeout|device_protocol)$/);
		if (outcome === 'done') await eventually(() => board.edges.length === 2);
		expect(board.edges.filter(({ closed }) => closed).length).toBeLessThanOrEqual(1);
	});

	it('says that nothing answers', async () => {
		const closed = await openEthernetLine('rtu', (body) => withCrc(body));
		await closed.close();
		const opening = modbusTcpRelay.open({ host, port: closed.port }, { ...io, buses: createBuses() });
		await expect(opening).rejects.toMatchObject({
			code: 'device_absent',
			message: expect.stringContaining(`${closed.port}`),
		});
	});
});
