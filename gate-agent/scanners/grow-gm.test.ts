import { afterEach, describe, expect, test } from 'vitest';
import type { Scanner } from '../core/device.ts';
import type { Scan } from '../core/scan.ts';
import { type GrowGmEmulator, openGrowGmEmulator } from '../emulators/grow-gm-emulator.ts';
import { type GrowGmOptions, growGm } from './grow-gm.ts';
import { describeScanner } from './scanner.suite.ts';

const defaults: Omit<GrowGmOptions, 'path'> = {
	zoneMap: 'gm65',
	provision: 'apply',
	sameCodeDelayMs: 1000,
	out1: 'none',
	out1PulseMs: 100,
	heartbeatMs: 500,
};
const at115200 = { 42: 0x1a, 43: 0x00 };
/** As a gate needs it: nothing is left to do. */
const provisioned = { ...at115200, 0: 0xd6, 3: 0x02, 19: 0x8a, 96: 0x01 };

if (process.platform === 'linux')
	describeScanner('grow-gm', {
		driver: growGm,
		options: (path) => ({ ...defaults, path }),
		device: { repeatMs: 50 },
		plugIn: () => openGrowGmEmulator({ zones: provisioned, repeatMs: 50 }),
		module: { url: new URL('./grow-gm.ts', import.meta.url), name: 'growGm' },
	});

describe.runIf(process.platform === 'linux')('a Grow module', () => {
	let module: GrowGmEmulator;
	let opened: Scanner[] = [];
	let scans: Scan[] = [];
	let events: (readonly [string, Readonly<Record<string, unknown>> | undefined])[] = [];
	afterEach(async () => {
		await Promise.all(opened.map((scanner) => scanner.close()));
		await module.close();
		opened = [];
		scans = [];
		events = [];
	});
	const open = async (options: Partial<GrowGmOptions> = {}) => {
		const scanner = await growGm.open(
			{ ...defaults, path: module.path, ...options },
			{
				nowMs: () => performance.now(),
				log: (event, fields) => void events.push([event, fields]),
				onScan: (scan) => void scans.push(scan),
			},
		);
		opened.push(scanner);
		return scanner;
	};
	const texts = () => scans.map((scan) => (scan.kind === 'code' ? scan.text : scan.kind));
	const patience = { timeout: 10_000 };

	test('is set up from the factory once, kept over a loss of power, and flash is not written again', async () => {
		module = await openGrowGmEmulator();
		const scanner = await open();
		expect(module.saves()).toBe(1);
		module.powerCycle();
		expect([0x00, 0x03, 0x13, 0x60, 0x2a].map(module.zone)).toEqual([0xd6, 0x02, 0x8a, 0x01, 0x1a]);
		expect(module.ownBaudRate()).toBe(115_200);
		await scanner.close();
		await open();
		expect(module.saves()).toBe(1);
		expect(events.map(([, fields]) => fields)).toEqual([
			expect.objectContaining({ baudRate: 115_200, software: 0x87, differing: expect.arrayContaining(['baud rate']) }),
			expect.objectContaining({ baudRate: 115_200, differing: [] }),
		]);
	});

	test.each([
		[14_400, [0xd0, 0x00]],
		[57_600, [0x34, 0x00]],
	])('is found at %i baud', async (baudRate, [low = 0, high = 0]) => {
		module = await openGrowGmEmulator({ model: 'gm812', zones: { 42: low, 43: high } });
		expect(module.ownBaudRate()).toBe(baudRate);
		await open({ zoneMap: 'gm812' });
		expect(module.ownBaudRate()).toBe(115_200);
	});

	test('keeps the bits that are not ours: lamps, beeper, prefix and code id', async () => {
		module = await openGrowGmEmulator({ zones: { 0: 0x81, 96: 0b1100_1100 } });
		await open();
		expect(module.flashZone(0x00)).toBe(0x82);
		expect(module.flashZone(0x60)).toBe(0b0000_1101);
	});

	test('is only looked at where the configuration says so', async () => {
		module = await openGrowGmEmulator();
		await open({ provision: 'check' });
		expect(module.saves()).toBe(0);
		expect(module.ownBaudRate()).toBe(9600);
		expect(events).toEqual([
			[
				'scanner_found',
				expect.objectContaining({ baudRate: 9600, differing: expect.arrayContaining(['setting codes off']) }),
			],
		]);
	});

	test('cannot be set by a visitor once it is provisioned', async () => {
		module = await openGrowGmEmulator();
		await open();
		module.showSettingCode(0x2a, [0x39, 0x01]);
		await module.present('STILL  HERE');
		await expect.poll(texts, patience).toEqual(['STILL  HERE']);
	});

	test('that was turned to another speed is lost, and found again at that speed', async () => {
		module = await openGrowGmEmulator();
		const scanner = await open({ provision: 'off' });
		module.showSettingCode(0x2a, [0xd0, 0x00]);
		expect(await scanner.lost).toMatchObject({ code: 'device_lost', cause: { code: 'device_timeout' } });
		await open();
		expect(module.ownBaudRate()).toBe(115_200);
		await module.present(' AGAIN ');
		await expect.poll(texts, patience).toEqual([' AGAIN ']);
	});

	test('that lost its settings is found and set up again', async () => {
		module = await openGrowGmEmulator({ zones: provisioned });
		const scanner = await open();
		module.factoryReset();
		expect(await scanner.lost).toMatchObject({ code: 'device_lost' });
		await open();
		await module.present('BACK');
		await expect.poll(texts, patience).toEqual(['BACK']);
	});

	test('that hangs is lost after three heartbeats, costs nothing meanwhile, and comes back', async () => {
		module = await openGrowGmEmulator({ zones: provisioned });
		const scanner = await open();
		module.hang();
		const before = process.cpuUsage();
		const startedMs = performance.now();
		expect(await scanner.lost).toMatchObject({ code: 'device_lost' });
		const { user, system } = process.cpuUsage(before);
		expect((user + system) / 1000 / (performance.now() - startedMs)).toBeLessThan(0.1);
		await expect(open()).rejects.toMatchObject({ code: 'device_timeout' });
		module.powerCycle();
		await open();
	}, 30_000);

	test('answers heartbeats among codes, and none is lost or joined', async () => {
		module = await openGrowGmEmulator({ zones: provisioned });
		await open();
		const codes = Array.from({ length: 60 }, (_, index) => ` CODE  ${index} `);
		for (const code of codes) {
			await module.present(code);
			await new Promise((resolve) => setTimeout(resolve, 25));
		}
		await expect.poll(texts, patience).toEqual(codes);
		expect(module.heartbeats()).toBeGreaterThan(1);
	});

	test('that is pulled while it is set up is an operating error, and is set up after the re-plug', async () => {
		module = await openGrowGmEmulator();
		for (const afterMs of [0, 300, 600, 700, 800]) {
			const opening = open();
			const pulled = new Promise((resolve) => setTimeout(resolve, afterMs)).then(() => module.pty.unplug());
			await pulled;
			await opening.then(
				(scanner) => scanner.lost,
				(error) => expect(['device_absent', 'device_lost']).toContain(error.code),
			);
			await module.pty.replug();
			module.powerCycle();
		}
		await open();
		await module.present('WHOLE');
		await expect.poll(texts, patience).toEqual(['WHOLE']);
	}, 30_000);

	test('drives OUT1 of a GM812 for the verdict of its own scan only', async () => {
		module = await openGrowGmEmulator({ model: 'gm812' });
		const scanner = await open({ zoneMap: 'gm812', out1: 'bad' });
		scanner.signal?.('refused');
		await module.present('A');
		await expect.poll(texts, patience).toEqual(['A']);
		scanner.signal?.('granted');
		await module.present('B');
		await expect.poll(texts, patience).toEqual(['A', 'B']);
		scanner.signal?.('refused');
		scanner.signal?.('refused');
		await expect.poll(module.out1, patience).toEqual([0, 1, 0]);
	});

	test('that another program speaks to is not asked', async () => {
		module = await openGrowGmEmulator({ zones: provisioned });
		await open();
		await expect(open()).rejects.toMatchObject({ code: 'device_busy' });
		expect(module.ownBaudRate()).toBe(module.pty.baudRate());
	});
});
