import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Driver, Scanner, ScannerEvents } from '../core/device.ts';
import type { Scan } from '../core/scan.ts';
import {
	openScannerEmulator,
	type ScannerEmulator,
	type ScannerEmulatorOptions,
} from '../emulators/scanner-emulator.ts';
import { describeScans, type ScannerBench } from './scans.suite.ts';

/** A scanner driver and the emulated device that speaks its language. */
export interface ScannerSubject<Options> {
	readonly driver: Driver<Options, ScannerEvents, Scanner>;
	readonly options: (path: string) => Options;
	readonly device: ScannerEmulatorOptions;
	/** Plugs the emulated device in; a scanner that answers nothing when absent. */
	readonly plugIn?: () => Promise<ScannerEmulator>;
	/** Whether only silence ends a code: then codes that follow at once are one. */
	readonly endsBySilence?: boolean;
	/** Module and export of the driver, for the trial as another user. */
	readonly module: { readonly url: URL; readonly name: string };
}

/** What every scanner driver on a serial line must do, proven on a real pseudo-terminal with the real serialport. */
export function describeScanner<Options>(name: string, subject: ScannerSubject<Options>): void {
	if (process.platform !== 'linux') return;
	const traits = { tellsAim: true, longest: 2_048, endsBySilence: subject.endsBySilence ?? false };
	describeScans(name, () => benchOf(subject), traits);
	describe(`a scanner on a serial line (${name})`, () => {
		let device: ScannerEmulator;
		let scans: Scan[];
		let opened: Scanner[];
		beforeEach(async () => {
			device = await plugInOf(subject);
			scans = [];
			opened = [];
		});
		afterEach(async () => {
			await Promise.all(opened.map((scanner) => scanner.close()));
			await device.close();
		});

		const open = async (path = device.path) => {
			const onScan = (scan: Scan) => {
				scans.push(scan);
			};
			const io = { nowMs: () => performance.now(), log: () => {}, onScan };
			const scanner = await subject.driver.open(subject.options(path), io);
			opened.push(scanner);
			return scanner;
		};
		/** Without a mark at its end a code cannot follow another at once, nor be seen as torn. */
		const whereMarksEndCodes = subject.endsBySilence ? () => {} : test;
		const texts = () => scans.flatMap((scan) => (scan.kind === 'code' ? [scan.text] : []));
		const delivered = (expected: string[]) => expect.poll(texts, { timeout: 5000 }).toEqual(expected);
		const presentOne = async (code: string) => {
			const before = scans.length;
			await device.present(code);
			await expect.poll(() => scans.length, { timeout: 5000 }).toBe(before + 1);
		};

		test('delivers a code that comes byte by byte', async () => {
			await open();
			const { prefix = '', suffix = '\r' } = subject.device;
			for (const byte of `${prefix}SPLIT  CODE${suffix}`) await device.pty.write(byte);
			await delivered(['SPLIT  CODE']);
			await presentOne('NEXT');
			await delivered(['SPLIT  CODE', 'NEXT']);
		});

		whereMarksEndCodes('delivers a burst of 200 codes in order', async () => {
			await open();
			const codes = Array.from({ length: 200 }, (_, index) => `BURST-${index}`);
			await Promise.all(codes.map((code) => device.present(code)));
			await delivered(codes);
		});

		test('recovers from random bytes', async () => {
			await open();
			const noise = Uint8Array.from({ length: 3000 }, (_, index) => (index * 167 + (index >> 3) * 59) & 0xff);
			await device.pty.write(noise);
			await device.present('');
			await settled(() => scans.length);
			const before = texts().length;
			await presentOne('GOOD');
			expect(texts().slice(before)).toEqual(['GOOD']);
		});

		test('gives one unreadable scan for six megabytes without an end, keeps none of them, then reads on', async () => {
			await open();
			const before = retainedBytes();
			await device.pty.write(subject.device.prefix ?? '');
			const block = 'x'.repeat(64_000);
			for (let i = 0; i < 94; i += 1) await device.pty.write(block);
			await expect.poll(() => device.pty.unreadBytes(), { timeout: 10_000 }).toBe(0);
			const kept = retainedBytes() - before;
			await settled(() => scans.length);
			if (!subject.endsBySilence) await device.present('');
			// Where silence ends a code, a busy machine may put one into the middle of the run.
			const runs = subject.endsBySilence ? scans.length : 1;
			const unreadable = { kind: 'unreadable', bytes: expect.any(Number), atMs: expect.any(Number) };
			expect(scans).toEqual(Array.from({ length: Math.max(1, runs) }, () => unreadable));
			await presentOne('GOOD');
			expect(texts()).toEqual(['GOOD']);
			// The six megabytes themselves would be more; ports and pools keep about one.
			expect(kept).toBeLessThan(4e6);
		});

		test('delivers each read of a module in continuous mode', async () => {
			await open();
			const held = device.hold('HELD');
			await expect.poll(() => texts().length, { timeout: 5000 }).toBeGreaterThanOrEqual(3);
			await held.release();
			expect(new Set(texts())).toEqual(new Set(['HELD']));
		});

		test('delivers a code that was read just before the unplug, before the loss is told', async () => {
			const scanner = await open();
			const order: string[] = [];
			void scanner.lost.then(() => order.push(`lost after ${scans.length}`));
			await presentOne('FIRST');
			const { prefix = '', suffix = '\r' } = subject.device;
			const bytes = Buffer.from(`${prefix}LAST${suffix}`);
			await device.pty.write(bytes);
			await takenByReader(device, bytes.length);
			await device.pty.unplug();
			await scanner.lost;
			expect(texts()).toEqual(['FIRST', 'LAST']);
			expect(order).toEqual(['lost after 2']);
		});

		test('opens again after a re-plug behind the same path', async () => {
			const scanner = await open();
			await device.pty.unplug();
			await scanner.lost;
			await expect(open()).rejects.toMatchObject({ code: 'device_absent' });
			await device.pty.replug();
			await open();
			await presentOne('BACK');
			expect(texts()).toEqual(['BACK']);
		});

		test('says that a scanner is absent', async () => {
			const missing = '/dev/serial/by-id/usb-nothing';
			await expect(open(missing)).rejects.toMatchObject({
				code: 'device_absent',
				message: expect.stringContaining(missing),
			});
		});

		test.runIf(process.getuid?.() === 0)('says that a user may not open it', () => {
			const { url, name: exported } = subject.module;
			const script = `
				import { ${exported} as driver } from ${JSON.stringify(fileURLToPath(url))};
				const io = { nowMs: () => performance.now(), log() {}, onScan() {} };
				// A first try as root loads what the driver imports lazily: the other user may not read this folder.
				await driver.open(${JSON.stringify(subject.options('/dev/serial/nothing'))}, io).catch(() => {});
				process.setgroups([]);
				process.setgid(65534);
				process.setuid(65534);
				const error = await driver.open(${JSON.stringify(subject.options(device.path))}, io).catch((e) => e);
				console.log(error.code);`;
			const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
			expect(child.stdout.trim() || child.stderr).toBe('device_denied');
		});
	});
}

function plugInOf({ plugIn, device }: Pick<ScannerSubject<never>, 'plugIn' | 'device'>): Promise<ScannerEmulator> {
	return plugIn === undefined ? openScannerEmulator(device) : plugIn();
}

/** The scanner on a pseudo-terminal that the suite of all scanners asks for. */
async function benchOf<Options>(subject: ScannerSubject<Options>): Promise<ScannerBench> {
	const { driver, options, device } = subject;
	const emulator = await plugInOf(subject);
	const { pty } = emulator;
	return {
		open: (events) => driver.open(options(emulator.path), { nowMs: () => performance.now(), log: () => {}, ...events }),
		present: emulator.present,
		tear: (code) => pty.write(`${device.prefix ?? ''}${code}`),
		unplug: pty.unplug,
		replug: pty.replug,
		close: emulator.close,
	};
}

/** Waits until a count has stopped changing for longer than any silence that ends or drops a code. */
async function settled(count: () => number): Promise<void> {
	let last = count();
	let since = performance.now();
	await expect
		.poll(
			() => {
				if (count() !== last) since = performance.now();
				last = count();
				return performance.now() - since;
			},
			{ timeout: 10_000, interval: 20 },
		)
		.toBeGreaterThan(settledMs);
}

const settledMs = 400;

/** Waits until the reader has taken what was just written, and not one turn of the event loop longer. */
async function takenByReader(device: ScannerEmulator, written: number): Promise<void> {
	// The reader cannot run while this loop does, so the kernel is seen to have the bytes ready before they go.
	const deadline = performance.now() + 200;
	while (device.pty.unreadBytes() < written && performance.now() < deadline);
	while (device.pty.unreadBytes() > 0) await new Promise((resolve) => setImmediate(resolve));
}

/** Heap and buffers that are still in use: garbage depends on when it was last collected. */
function retainedBytes(): number {
	setFlagsFromString('--expose-gc');
	// The flag shows the collector to contexts that are made after it.
	const collect = runInNewContext('gc') as () => void;
	// A first collection may leave what a second one frees.
	collect();
	collect();
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}
