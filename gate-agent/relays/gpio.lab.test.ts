import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openCp2112Emulator } from '../emulators/cp2112-emulator.ts';
import { eventually } from '../emulators/eventually.suite.ts';
import { listGpioChips, requestLines } from '../ioctl/gpio.ts';
import { chipIsThere, labChip } from '../ioctl/gpio-chip.suite.ts';
import { gpioRelay } from './gpio.ts';
import { describeRelay } from './relay.suite.ts';

const io = { nowMs: () => performance.now(), log: () => {} };
const open = () => gpioRelay.open({ chip: labChip, lines: [0, 1] }, io);

describeRelay(
	'gpio',
	async () => {
		const board = openCp2112Emulator();
		await chipIsThere();
		return {
			open,
			get edges() {
				return board.edges.map(({ atMs, line, high }) => ({ atMs, channel: line + 1, closed: high }));
			},
			isClosed: (channel) => board.isHigh(channel - 1),
			plug: {
				unplug: async () => {
					await board.unplug();
					await chipIsThere(false);
				},
				replug: async () => {
					await board.replug();
					await chipIsThere();
				},
			},
			end: async () => {
				// A hold outlives its relay: its watchdog hands it over to the next one.
				const next = await open().catch(() => undefined);
				for (const channel of [1, 2]) await next?.set(channel, 'off');
				await next?.close();
				board.close();
				await chipIsThere(false);
			},
		};
	},
	{ toleranceMs: 200, reads: true, fedByPort: true },
);

test('a hold outlives its relay, and the next one takes it over without letting it fall', async ({ task }) => {
	const board = openCp2112Emulator();
	onTestFinished(() => board.close());
	await chipIsThere();
	const first = await open();
	await first.set(1, 'hold');
	await eventually(() => board.isHigh(0));
	await first.close();
	await sleep(1_000);
	expect(board.isHigh(0)).toBe(true);
	// Nobody else can take the line meanwhile.
	const path = (await listGpioChips()).find(({ label }) => label === labChip)?.path ?? '';
	await expect(requestLines({ chip: path, offsets: [0], direction: 'output', values: [false] })).rejects.toMatchObject({
		code: 'device_busy',
	});
	const edges = board.edges.length;
	const second = await open();
	onTestFinished(() => second.close());
	expect(await second.read()).toEqual([true, false]);
	expect(board.edges.length).toBe(edges);
	await second.set(1, 'off');
	await eventually(() => !board.isHigh(0));
	Object.assign(task.meta, {
		figures: { sent: 'a hold, then the end of the agent', seen: 'held until the next one let go' },
	});
});

test('a hold that was taken over is one still, also where nobody says so', async () => {
	const board = openCp2112Emulator();
	onTestFinished(() => board.close());
	await chipIsThere();
	const first = await open();
	await first.set(1, 'hold');
	await eventually(() => board.isHigh(0));
	await first.close();
	// The next agent dies before it has told its watchdog anything.
	const second = await open();
	await second.close();
	await sleep(1_500);
	expect(board.isHigh(0)).toBe(true);
	const third = await open();
	onTestFinished(() => third.close());
	await third.set(1, 'off');
	await eventually(() => !board.isHigh(0));
	expect(board.edges.filter(({ line }) => line === 0).map(({ high }) => high)).toEqual([true, false]);
});

test('a relay that closes at a low level moves nothing when it is opened', async () => {
	const board = openCp2112Emulator();
	onTestFinished(() => board.close());
	await chipIsThere();
	board.setInput(2, true);
	const relay = await gpioRelay.open({ chip: labChip, lines: [2], activeLow: true }, io);
	onTestFinished(() => relay.close());
	expect(await relay.read()).toEqual([false]);
	expect(board.isHigh(2)).toBe(true);
	await relay.set(1, 'on');
	await eventually(() => !board.isHigh(2));
});
