import Value from 'typebox/value';
import { describe, expect, test } from 'vitest';
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
