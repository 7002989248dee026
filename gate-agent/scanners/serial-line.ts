import Type, { type Static } from 'typebox';
import type { Driver, Scanner, ScannerEvents, Signal } from '../core/device.ts';
import { scanBytesMax } from '../core/scan.ts';
import { openSerialPort } from '../serial/serial-port.ts';
import { serialSchema } from '../serial/serial-schema.ts';
import { frameReader } from './frame-reader.ts';
import type { Framing } from './framing.ts';

const hexMark = 'hex:([0-9A-Fa-f]{2}){1,8}';

/** A command of a scanner: up to 32 bytes. */
const commandPattern = '^hex:([0-9A-Fa-f]{2}){1,32}$';

const schema = Type.Object(
	{
		...serialSchema(9600),
		prefix: Type.String({
			pattern: `^(none|stx|${hexMark})$`,
			default: 'none',
			description: 'What precedes each code: none, stx, or bytes as hex:0201.',
		}),
		suffix: Type.String({
			pattern: `^(none|cr|lf|crlf|tab|etx|${hexMark})$`,
			default: 'cr',
			description: 'What follows each code: cr, lf, crlf, tab, etx, bytes as hex:0304, or none (silence ends a code).',
		}),
		aim: Type.Enum(['strip', 'keep'], {
			default: 'strip',
			description: 'What to do with an AIM identifier such as ]Q1 in front of the code.',
		}),
		idleTimeoutMs: Type.Optional(
			Type.Integer({
				minimum: 10,
				maximum: 10_000,
				description:
					'Silence that ends a code (suffix none; 50 when absent) or drops a half one (else; 250 when absent), in milliseconds.',
			}),
		),
		good: Type.Optional(
			Type.String({
				pattern: commandPattern,
				description: 'What the scanner is sent when its ticket is good, as bytes: hex:16070D beeps a Honeywell once.',
			}),
		),
		bad: Type.Optional(
			Type.String({
				pattern: commandPattern,
				description: 'What the scanner is sent when its ticket is refused, as bytes.',
			}),
		),
		frameBytesMax: Type.Integer({
			minimum: 64,
			maximum: scanBytesMax,
			default: scanBytesMax,
			description: 'Longest code in bytes; a longer one is unreadable.',
		}),
	},
	{ description: 'A scanner on a serial line or a USB serial port that sends each code as text.' },
);

/** Options of `serialLine`. */
export type SerialLineOptions = Static<typeof schema>;

/**
 * A scanner that sends each code as plain bytes on a serial line: USB-CDC, USB-serial or RS-232, most modules and
 * hand scanners. Every read is delivered, repetitions of a module in continuous mode too: only the lane knows when a
 * passage ends the hold-off.
 */
export const serialLine: Driver<SerialLineOptions, ScannerEvents, Scanner> = {
	name: 'serial-line',
	options: schema,
	async open(options, io) {
		const framing: Framing = {
			prefix: markBytes(options.prefix),
			suffix: markBytes(options.suffix),
			frameBytesMax: options.frameBytesMax,
		};
		const reader = frameReader({ framing, aim: options.aim, idleMs: options.idleTimeoutMs }, io);
		const line = await openSerialPort(options, { data: reader.push });
		return {
			// What had arrived before the unplug is delivered before the loss is told.
			lost: line.lost.then((error) => {
				reader.finish();
				return error;
			}),
			close() {
				reader.stop();
				return line.close();
			},
			...((options.good ?? options.bad) && {
				signal: (signal: Signal) => {
					const verdict = reader.takeVerdict(signal);
					const command = verdict && options[verdict];
					// A beep that is lost stops nobody.
					if (command !== undefined) void line.write(markBytes(command), commandTimeoutMs).catch(() => {});
				},
			}),
		};
	},
};

/** A scanner that takes no command for so long is opened again, ms. */
const commandTimeoutMs = 500;

const marks: Readonly<Record<string, readonly number[]>> = {
	none: [],
	stx: [0x02],
	etx: [0x03],
	tab: [0x09],
	lf: [0x0a],
	cr: [0x0d],
	crlf: [0x0d, 0x0a],
};

function markBytes(mark: string): Uint8Array {
	return Uint8Array.from(marks[mark] ?? Buffer.from(mark.slice('hex:'.length), 'hex'));
}
