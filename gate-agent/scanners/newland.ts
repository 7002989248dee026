import Type, { type Static } from 'typebox';
import type { Driver, Scanner, ScannerEvents } from '../core/device.ts';
import { openSerialPort } from '../serial/serial-port.ts';
import { serialSchema } from '../serial/serial-schema.ts';
import { newlandDialog } from './newland-dialog.ts';

const schema = Type.Object(
	{
		...serialSchema(9600),
		aim: Type.Enum(['strip', 'keep'], {
			default: 'strip',
			description: 'What to do with an AIM identifier such as ]Q1 in front of the code.',
		}),
		answerMs: Type.Integer({
			minimum: 50,
			maximum: 5_000,
			default: 1_500,
			description: 'A scan without a verdict is acknowledged neutrally after this time, in milliseconds.',
		}),
	},
	{ description: 'A Newland scanner in packet mode, which beeps or vibrates the verdict itself.' },
);

/** Options of `newland`. */
export type NewlandOptions = Static<typeof schema>;

/** An answer has ten bytes. */
const writeTimeoutMs = 500;

/**
 * Newland scanners in packet mode, on USB-COM, RS-232 or a Bluetooth cradle: each scan is a packet that the host answers, and
 * the answer is the scanner's own beep or vibration (NLS-BS80 manual, p. 40). A packet that comes again because its answer was
 * late is the same scan. Without packet mode codes are read all the same, and the log says that the mode is off.
 */
export const newland: Driver<NewlandOptions, ScannerEvents, Scanner> = {
	name: 'newland',
	options: schema,
	async open(options, io) {
		const dialog = newlandDialog(options, io, (answer) => {
			// A scanner that hears no answer repeats its packet.
			void line.write(answer, writeTimeoutMs).catch(() => {});
		});
		const line = await openSerialPort(options, { data: dialog.push });
		return {
			lost: line.lost.then((error) => {
				dialog.stop();
				return error;
			}),
			close: () => {
				dialog.stop();
				return line.close();
			},
			signal: dialog.signal,
		};
	},
};
