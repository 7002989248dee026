import Value from 'typebox/value';
import { describe, expect, test } from 'vitest';
import type { Scan } from '../core/scan.ts';
import { openScannerEmulator } from '../emulators/scanner-emulator.ts';
import { describeScanner, type ScannerSubject } from './scanner.suite.ts';
import { type SerialLineOptions, serialLine } from './serial-line.ts';

const defaults: Omit<SerialLineOptions, 'path'> = {
	baudRate: 9600,
	dataBits: 8,
	parity: 'none',
	stopBits: 1,
	prefix: 'none',
	suffix: 'cr',
	aim: 'strip',
	frameBytesMax: 4096,
};

function subject(
	options: Partial<SerialLineOptions>,
	rest: Pick<ScannerSubject<unknown>, 'device' | 'endsBySilence'>,
): ScannerSubject<SerialLineOptions> {
	return {
		driver: serialLine,
		options: (path) => ({ ...defaults, path, ...options }),
		module: { url: new URL('./serial-line.ts', import.meta.url), name: 'serialLine' },
		...rest,
	};
}

describeScanner('serial-line, CR', subject({ idleTimeoutMs: 200 }, { device: { repeatMs: 50 } }));
describeScanner(
	'serial-line, STX and ETX at 115,200 baud',
	subject(
		{ prefix: 'stx', suffix: 'etx', baudRate: 115_200, idleTimeoutMs: 200 },
		{ device: { prefix: '\x02', suffix: '\x03', repeatMs: 50, baudRate: 115_200 } },
	),
);
describeScanner(
	'serial-line, no suffix',
	subject({ suffix: 'none', idleTimeoutMs: 200 }, { device: { suffix: '', repeatMs: 500 }, endsBySilence: true }),
);

describe.runIf(process.platform === 'linux')('the beep of a serial scanner', () => {
	test('tells the verdict of its own scan, once', async () => {
		const device = await openScannerEmulator();
		const heard: number[] = [];
		device.pty.onData((bytes) => heard.push(...bytes));
		const scans: Scan[] = [];
		const io = { nowMs: () => performance.now(), log: () => {}, onScan: (scan: Scan) => void scans.push(scan) };
		const options = { ...defaults, path: device.path, good: 'hex:16070D', bad: 'hex:42' };
		const scanner = await serialLine.open(options, io);
		const present = async (code: string) => {
			await device.present(code);
			await expect.poll(() => scans.at(-1)).toMatchObject({ text: code });
		};
		scanner.signal?.('granted');
		await present('A');
		for (const signal of ['wait', 'granted', 'cue', 'idle'] as const) scanner.signal?.(signal);
		await expect.poll(() => heard).toEqual([0x16, 0x07, 0x0d]);
		await present('B');
		scanner.signal?.('refused');
		await expect.poll(() => heard).toEqual([0x16, 0x07, 0x0d, 0x42]);
		await scanner.close();
		await device.close();
	});

	test('that has no command for a verdict stays silent', async () => {
		const device = await openScannerEmulator();
		const io = { nowMs: () => performance.now(), log: () => {}, onScan: () => {} };
		const scanner = await serialLine.open({ ...defaults, path: device.path }, io);
		expect(scanner.signal).toBeUndefined();
		await scanner.close();
		await device.close();
	});
});

describe('options of serial-line', () => {
	const withDefaults = (options: object) => Value.Default(serialLine.options, options);

	test('need a path only', () => {
		expect(withDefaults({ path: '/dev/ttyUSB0' })).toEqual({ path: '/dev/ttyUSB0', ...defaults });
		expect(Value.Check(serialLine.options, withDefaults({ path: '/dev/ttyUSB0' }))).toBe(true);
		expect(Value.Check(serialLine.options, withDefaults({}))).toBe(false);
	});

	test.each([
		[{ suffix: 'hex:0304' }, true],
		[{ prefix: 'hex:02', suffix: 'tab' }, true],
		[{ good: 'hex:16070D', bad: 'hex:16070D16070D' }, true],
		[{ good: 'beep' }, false],
		[{ bad: 'hex:' }, false],
		[{ suffix: 'CR' }, false],
		[{ suffix: 'hex:3' }, false],
		[{ suffix: 'hex:' }, false],
		[{ prefix: 'cr' }, false],
		[{ frameBytesMax: 4097 }, false],
		[{ parity: 'mark' }, false],
		[{ baudRate: 0 }, false],
	])('%j pass: %s', (options, passes) => {
		expect(Value.Check(serialLine.options, withDefaults({ path: '/dev/ttyUSB0', ...options }))).toBe(passes);
	});
});
