import Type, { type Static } from 'typebox';
import type { Driver, DriverIo, Scanner, ScannerEvents } from '../core/device.ts';
import { scanBytesMax } from '../core/scan.ts';
import { openSerialPort } from '../serial/serial-port.ts';
import { serialSchema } from '../serial/serial-schema.ts';
import { awaitsMore, expire, type Frame, type Framing, type FramingState, feed, framingStart } from './framing.ts';
import { scanOf } from './scan-text.ts';

const hexMark = 'hex:([0-9A-Fa-f]{2}){1,8}';

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
		const reader = frameReader(options, io);
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
		};
	},
};

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

/** A timer later than this was held up by a busy process: bytes may wait in the kernel, and get as long to come, ms. */
const latenessMs = 20;

interface FrameReader {
	readonly push: (bytes: Uint8Array) => void;
	/** Delivers a code that only lacks the silence after it, then stops. */
	finish(): void;
	stop(): void;
}

function frameReader(options: SerialLineOptions, io: DriverIo & ScannerEvents): FrameReader {
	const framing: Framing = {
		prefix: markBytes(options.prefix),
		suffix: markBytes(options.suffix),
		frameBytesMax: options.frameBytesMax,
	};
	const idleMs = options.idleTimeoutMs ?? (framing.suffix.length === 0 ? 50 : 250);
	let state: FramingState = framingStart;
	let timer: NodeJS.Timeout | undefined;
	let stopped = false;

	const advance = ([next, frames]: [FramingState, readonly Frame[]]) => {
		state = next;
		for (const frame of frames) {
			const scan = scanOf(frame, options.aim, io.nowMs());
			// A receiver may close the scanner on any scan.
			if (scan !== undefined && !stopped) io.onScan(scan);
		}
	};
	const watchSilence = (ms: number) => {
		clearTimeout(timer);
		if (stopped || !awaitsMore(state)) return;
		const dueMs = io.nowMs() + ms;
		timer = setTimeout(() => {
			if (io.nowMs() - dueMs > latenessMs) watchSilence(latenessMs);
			else advance(expire(framing, state));
		}, ms);
	};
	const stop = () => {
		stopped = true;
		clearTimeout(timer);
	};
	return {
		push(bytes) {
			if (stopped) return;
			advance(feed(framing, state, bytes));
			watchSilence(idleMs);
		},
		finish() {
			if (stopped) return;
			if (framing.suffix.length === 0) advance(expire(framing, state));
			stop();
		},
		stop,
	};
}
