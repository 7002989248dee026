import Type from 'typebox';
import type { DriverIo, ScannerEvents, Signal } from '../core/device.ts';
import { type FrameReader, frameReader } from './frame-reader.ts';

const hexMark = 'hex:([0-9A-Fa-f]{2}){1,8}';

/** A command of a scanner: up to 32 bytes. */
const commandPattern = '^hex:([0-9A-Fa-f]{2}){1,32}$';

/** The options of a scanner that sends each code as a line, as a driver's schema spreads them. */
export const lineTalkSchema = {
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
};

/** How codes are marked, and what the scanner is sent. */
export interface LineTalkOptions {
	readonly prefix: string;
	readonly suffix: string;
	readonly aim: 'strip' | 'keep';
	readonly frameBytesMax: number;
	readonly idleMs?: number | undefined;
	readonly good?: string | undefined;
	readonly bad?: string | undefined;
}

/** How one scanner is heard, and told the verdict of its own scans. */
export interface ScannerTalk extends Pick<FrameReader, 'push' | 'finish' | 'stop'> {
	readonly signal?: (signal: Signal) => void;
}

/** Begins to listen to a scanner that sends lines, whatever it is plugged into. `send` takes what a verdict is to it. */
export function lineTalk(
	{ prefix, suffix, aim, frameBytesMax, idleMs, good, bad }: LineTalkOptions,
	io: DriverIo & ScannerEvents,
	send: (command: Uint8Array) => void,
): ScannerTalk {
	const framing = { prefix: markBytes(prefix), suffix: markBytes(suffix), frameBytesMax };
	const reader = frameReader({ framing, aim, idleMs }, io);
	if ((good ?? bad) === undefined) return reader;
	return {
		...reader,
		signal: (signal) => {
			const verdict = reader.takeVerdict(signal);
			const command = verdict && { good, bad }[verdict];
			if (command !== undefined) send(markBytes(command));
		},
	};
}

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
