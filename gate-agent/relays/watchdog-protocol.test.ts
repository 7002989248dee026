import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorHints } from '../core/errors.ts';
import { lcusFrame } from './lcus-frame.ts';
import {
	createLineSplitter,
	formatCommand,
	formatReport,
	lineBytesMax,
	parseCommand,
	parseReport,
	type WatchdogCommand,
	type WatchdogReport,
} from './watchdog-protocol.ts';

const id = fc.integer({ min: 1, max: 999_999_999 });
const channel = fc.integer({ min: 1, max: 16 });
const command: fc.Arbitrary<WatchdogCommand> = fc.oneof(
	fc.record({ id, channel, kind: fc.constant('pulse' as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
	fc.record({ id, channel, kind: fc.constantFrom('on' as const, 'hold' as const, 'off' as const) }),
);
const code = fc.constantFrom(...(Object.keys(errorHints) as ErrorCode[]));
const report: fc.Arbitrary<WatchdogReport> = fc.oneof(
	fc.constant({ kind: 'ready' as const }),
	fc.record({ kind: fc.constant('ok' as const), id }),
	fc.record({ kind: fc.constant('unopened' as const), code, text: fc.string() }),
	fc.record({ kind: fc.constant('failed' as const), id, code, text: fc.string({ unit: 'binary', maxLength: 400 }) }),
);

describe('the words between agent and coil watchdog', () => {
	it('carry every command', () => {
		fc.assert(
			fc.property(command, (each) => {
				expect(parseCommand(formatCommand(each))).toEqual(each);
			}),
		);
	});

	it('carry every report in one short line, whatever its text', () => {
		fc.assert(
			fc.property(report, (each) => {
				const line = formatReport(each);
				expect(line).not.toContain('\n');
				expect(Buffer.byteLength(line)).toBeLessThan(lineBytesMax);
				const read = parseReport(line);
				expect(read?.kind).toBe(each.kind);
				if ('id' in each) expect(read).toMatchObject({ id: each.id });
				if ('code' in each) expect(read).toMatchObject({ code: each.code });
			}),
		);
	});

	it.each([
		'',
		'ready',
		'1 pulse 1',
		'1 pulse 0 100',
		'1 pulse 17 100',
		'1 pulse 1 0',
		'1 pulse 1 60001',
		'1 on 1 5',
		'1 on 1 ',
	])('refuse the command %j', (line) => expect(parseCommand(line)).toBeUndefined());

	it.each(['', 'ok', '1 ok ', '1 failed bogus text', '1 failed toString text', 'Ready', '1 on 1'])(
		'refuse the report %j',
		(line) => expect(parseReport(line)).toBeUndefined(),
	);

	it('never throw on foreign text', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), (line) => {
				parseCommand(line);
				parseReport(line);
			}),
		);
	});

	it('are cut into lines wherever the pipe tears them', () => {
		fc.assert(
			fc.property(fc.array(command), fc.array(fc.nat()), (commands, places) => {
				const text = commands.map((each) => `${formatCommand(each)}\n`).join('');
				const ends = [...places.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b);
				const split = createLineSplitter();
				const lines = ends.flatMap((end, i) => split(text.slice(ends[i - 1] ?? 0, end)) ?? []);
				expect(lines.map(parseCommand)).toEqual(commands);
			}),
		);
	});

	it('end with a line that has no end', () => {
		const split = createLineSplitter();
		expect(split('x'.repeat(lineBytesMax))).toEqual([]);
		expect(split('x')).toBeUndefined();
		expect(split('\nready\n')).toBeUndefined();
	});
});

describe('frames of the LCUS board', () => {
	it.each([
		[1, true, 'a00101a2'],
		[1, false, 'a00100a1'],
		[2, true, 'a00201a3'],
		[2, false, 'a00200a2'],
	])('switch channel %i %s', (channel, closed, hex) => {
		expect(Buffer.from(lcusFrame(channel, closed)).toString('hex')).toBe(hex);
	});
});
