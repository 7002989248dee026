import Type, { type Static } from 'typebox';
import type { Driver, Scanner, ScannerEvents } from '../core/device.ts';
import { scanBytesMax } from '../core/scan.ts';
import { openSerialPort } from '../serial/serial-port.ts';
import { serialSchema } from '../serial/serial-schema.ts';
import { lineTalk, lineTalkSchema } from './line-talk.ts';

const schema = Type.Object(
	{
		...serialSchema(9600),
		...lineTalkSchema,
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
		const talk = lineTalk({ ...options, idleMs: options.idleTimeoutMs }, io, (command) => {
			// A beep that is lost stops nobody.
			void line.write(command, commandTimeoutMs).catch(() => {});
		});
		const line = await openSerialPort(options, { data: talk.push });
		return {
			// What had arrived before the unplug is delivered before the loss is told.
			lost: line.lost.then((error) => {
				talk.finish();
				return error;
			}),
			close() {
				talk.stop();
				return line.close();
			},
			...(talk.signal && { signal: talk.signal }),
		};
	},
};

/** A scanner that takes no command for so long is opened again, ms. */
const commandTimeoutMs = 500;
