import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../emulators/eventually.suite.ts';
import { openHidRelayEmulator } from '../emulators/hid-relay-emulator.ts';
import { untilThere } from '../nodes/until-there.suite.ts';
import { hidDcttech } from './hid-dcttech.ts';
import { describeRelay } from './relay.suite.ts';

const io = { nowMs: () => performance.now(), log: () => {} };

describeRelay(
	'hid-dcttech',
	async () => {
		const board = openHidRelayEmulator({ channels: 2 });
		let isKnown = false;
		const open = () => hidDcttech.open({ channels: 2 }, io);
		return {
			open: async () => {
				const relay = isKnown ? await open() : await untilThere(open);
				isKnown = true;
				return relay;
			},
			edges: board.edges,
			isClosed: board.isClosed,
			plug: {
				unplug: async () => {
					await board.unplug();
				},
				replug: async () => {
					await board.replug();
					isKnown = false;
				},
			},
			end: async () => board.close(),
		};
	},
	{ toleranceMs: 150, reads: true, fedByPort: true },
);

test('is told apart by the serial that stands in its report', async () => {
	const east = openHidRelayEmulator({ serial: 'EAST1', port: 'usb-lab-1' });
	const west = openHidRelayEmulator({ serial: 'WEST1', port: 'usb-lab-2' });
	onTestFinished(() => {
		east.close();
		west.close();
	});
	const relay = await untilThere(() => hidDcttech.open({ serial: 'WEST1' }, io));
	onTestFinished(() => relay.close());
	await relay.pulse(1, 100);
	await eventually(() => west.edges.length === 2);
	expect(east.edges).toEqual([]);
	await expect(hidDcttech.open({}, io)).rejects.toMatchObject({ code: 'config_invalid' });
});

test('says that a coil did not move', async () => {
	const board = openHidRelayEmulator();
	onTestFinished(() => board.close());
	const relay = await untilThere(() => hidDcttech.open({ channels: 2 }, io));
	onTestFinished(() => relay.close());
	board.jam();
	await expect(relay.pulse(1, 100)).rejects.toMatchObject({ code: 'device_protocol' });
});

test('a board that hangs is given up, and stops nothing in the agent', async ({ task }) => {
	const board = openHidRelayEmulator();
	onTestFinished(() => board.close());
	const relay = await untilThere(() => hidDcttech.open({ channels: 2 }, io));
	onTestFinished(() => relay.close());
	board.hang();
	let ticks = 0;
	const ticking = setInterval(() => {
		ticks += 1;
	}, 10);
	const startedMs = performance.now();
	await expect(relay.pulse(1, 100)).rejects.toMatchObject({ code: expect.stringMatching(/^device_(timeout|lost)$/) });
	const tookMs = performance.now() - startedMs;
	clearInterval(ticking);
	expect(tookMs).toBeLessThan(5_000);
	expect(ticks).toBeGreaterThan(20);
	expect(board.edges).toEqual([]);
	Object.assign(task.meta, {
		figures: { sent: '1 pulse', seen: 'nothing at the board', 'given up after': `${tookMs.toFixed(0)} ms` },
	});
});

test.each([
	['ucreatefun', '0519:2018'],
	['ch551', '1209:c550'],
	['lcus', '5131:2007'],
] as const)('speaks to the boards of %s', async (protocol, device) => {
	const board = openHidRelayEmulator({ make: protocol });
	onTestFinished(() => board.close());
	const relay = await untilThere(() => hidDcttech.open({ protocol, device, channels: 2 }, io));
	onTestFinished(() => relay.close());
	await relay.pulse(2, 100);
	await eventually(() => board.edges.length === 2);
	expect(board.edges).toMatchObject([
		{ channel: 2, closed: true },
		{ channel: 2, closed: false },
	]);
	expect(await relay.read()).toBeUndefined();
});
