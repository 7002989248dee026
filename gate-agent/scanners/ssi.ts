import { setTimeout as delay } from 'node:timers/promises';
import Type, { type Static } from 'typebox';
import type { Driver, Scanner, ScannerEvents, Signal } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import { openSerialPort } from '../serial/serial-port.ts';
import { serialSchema } from '../serial/serial-schema.ts';
import type { Frame } from './framing.ts';
import { heartbeats } from './heartbeats.ts';
import { scanReader } from './scan-reader.ts';
import { encodeSsi, ssiOpcode } from './ssi-frame.ts';
import { expireSsi, feedSsi, type SsiEvent, ssiStart } from './ssi-scan.ts';

const schema = Type.Object(
	{
		...serialSchema(115_200),
		aim: Type.Enum(['strip', 'keep'], {
			default: 'strip',
			description: 'What to do with an AIM identifier such as ]Q1 in front of the code.',
		}),
		heartbeatMs: Type.Integer({
			minimum: 500,
			maximum: 60_000,
			default: 10_000,
			description: 'Time between two questions whether the scanner is there, in milliseconds.',
		}),
	},
	{
		description:
			'A scanner that speaks Zebra’s Simple Serial Interface: GM67 modules, Zebra scan engines and scanners.',
	},
);

/** Options of `ssi`. */
export type SsiOptions = Static<typeof schema>;

/** A scanner that sleeps is woken by a zero, and needs so long to hear. */
const wakeMs = 50;
/** It acknowledges within this time, later while it decodes. */
const ackMs = 500;
const writeTimeoutMs = 500;
/** Packets of one message follow one another. */
const partsMs = 250;

/** Decode data comes in packets; set in memory alone, at each start, because flash wears. */
const packetedDecodeData = [0x00, 0xee, 0x01];

/** Beeps (Programmer's Guide, beep codes): one short and high, one long and low. */
const beeps = { good: 0x00, bad: 0x0f } as const;

/**
 * Scanners with Zebra's Simple Serial Interface, 115200 baud in GM67 modules and 9600 in Zebra's: each packet is acknowledged,
 * one that comes again is the same scan, and the scanner beeps the verdict. Rejects with `device_timeout` where none answers.
 */
export const ssi: Driver<SsiOptions, ScannerEvents, Scanner> = {
	name: 'ssi',
	options: schema,
	async open(options, io) {
		const acks = createAcks(options);
		const frameOf = (event: SsiEvent): Frame | undefined => {
			if (event.kind === 'acknowledged') acks.came();
			else if (event.kind === 'data') say(encodeSsi(ssiOpcode.ack));
			else if (event.kind === 'spoiled') say(encodeSsi(ssiOpcode.nak, [0x01]));
			return 'frame' in event ? event.frame : undefined;
		};
		const reader = scanReader(
			{
				start: ssiStart,
				feed: feedSsi,
				expire: expireSsi,
				awaitsMore: ({ waiting, message }) => waiting.length + message.length > 0,
				...{ frameOf, silenceMs: partsMs, aim: options.aim },
			},
			io,
		);
		const line = await openSerialPort(options, { data: reader.push });
		// A scanner that hears no answer sends its packet again.
		const say = (bytes: Uint8Array) => void line.write(bytes, writeTimeoutMs).catch(() => {});
		const ask = async (bytes: Uint8Array) => {
			await line.write(Uint8Array.of(0), writeTimeoutMs);
			await delay(wakeMs);
			await Promise.all([acks.next(), line.write(bytes, writeTimeoutMs)]);
		};
		const enable = () => ask(encodeSsi(ssiOpcode.scanEnable));
		try {
			await ask(encodeSsi(ssiOpcode.setParameter, packetedDecodeData));
			await enable();
		} catch (error) {
			reader.stop();
			await line.close();
			throw error;
		}
		const beating = heartbeats(enable, options.heartbeatMs);
		const end = () => {
			beating.stop();
			reader.stop();
			return line.close();
		};
		return {
			lost: Promise.race([line.lost, beating.lost]).then(async (error) => {
				await end();
				return error;
			}),
			close: end,
			signal: (signal: Signal) => {
				const verdict = reader.takeVerdict(signal);
				if (verdict !== undefined) say(encodeSsi(ssiOpcode.beep, [beeps[verdict]]));
			},
		};
	},
};

/** Acknowledgements of the scanner: one command is on the line at a time. */
function createAcks({ path, baudRate }: SsiOptions) {
	let waiting: (() => void) | undefined;
	return {
		came: () => waiting?.(),
		next: (): Promise<void> =>
			new Promise((resolve, reject) => {
				const silent = new StilewardError('device_timeout', `no scanner speaks SSI on ${path} at ${baudRate} baud`);
				const timer = setTimeout(() => reject(silent), ackMs);
				waiting = () => {
					clearTimeout(timer);
					resolve();
				};
			}),
	};
}
