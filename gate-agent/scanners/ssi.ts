import { setTimeout as delay } from 'node:timers/promises';
import Type, { type Static } from 'typebox';
import type { Driver, DriverIo, Scanner, ScannerEvents, Signal } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import { scanBytesMax } from '../core/scan.ts';
import { openSerialPort, type SerialLine } from '../serial/serial-port.ts';
import { serialSchema } from '../serial/serial-schema.ts';
import type { Frame } from './framing.ts';
import { scanOf } from './scan-text.ts';
import { scanVerdict } from './scan-verdict.ts';
import { createSilence } from './silence.ts';
import { encodeSsi, readSsi, type SsiPacket, ssiOpcode, ssiStatus } from './ssi-frame.ts';

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
/** Commands without an answer in a row that mean a scanner that hangs. */
const missesMax = 3;
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
		const verdicts = scanVerdict();
		const acks = createAcks();
		const reader = packetReader(options, {
			...io,
			onScan: (scan) => {
				verdicts.asked();
				io.onScan(scan);
			},
		});
		const line: SerialLine = await openSerialPort(options, {
			data: (bytes) => {
				const { packets, spoiled } = reader.push(bytes);
				for (const packet of packets) {
					if (packet.opcode === ssiOpcode.ack) acks.came();
					else if (packet.opcode === ssiOpcode.decodeData) say(encodeSsi(ssiOpcode.ack));
				}
				if (spoiled > 0 && packets.length === 0) say(encodeSsi(ssiOpcode.nak, [0x01]));
			},
		});
		// A scanner that hears no answer sends its packet again.
		const say = (bytes: Uint8Array) => void line.write(bytes, writeTimeoutMs).catch(() => {});
		const ask = async (bytes: Uint8Array) => {
			await line.write(Uint8Array.of(0), writeTimeoutMs);
			await delay(wakeMs);
			const answered = acks.next(ackMs);
			await line.write(bytes, writeTimeoutMs);
			return answered;
		};
		try {
			const isThere =
				(await ask(encodeSsi(ssiOpcode.setParameter, packetedDecodeData))) &&
				(await ask(encodeSsi(ssiOpcode.scanEnable)));
			if (!isThere)
				throw new StilewardError(
					'device_timeout',
					`no scanner speaks SSI on ${options.path} at ${options.baudRate} baud`,
				);
		} catch (error) {
			reader.stop();
			await line.close();
			throw error;
		}
		const beating = heartbeats(() => ask(encodeSsi(ssiOpcode.scanEnable)), options);
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
				const verdict = verdicts.take(signal);
				if (verdict !== undefined) say(encodeSsi(ssiOpcode.beep, [beeps[verdict]]));
			},
		};
	},
};

/** Acknowledgements of the scanner: one command is on the line at a time. */
function createAcks() {
	let waiting: (() => void) | undefined;
	return {
		came: () => waiting?.(),
		next: (timeoutMs: number): Promise<boolean> =>
			new Promise((resolve) => {
				const timer = setTimeout(() => resolve(false), timeoutMs);
				waiting = () => {
					clearTimeout(timer);
					resolve(true);
				};
			}),
	};
}

/** Asks whether the scanner still answers. */
function heartbeats(ask: () => Promise<boolean>, { heartbeatMs, path }: SsiOptions) {
	const lost = Promise.withResolvers<StilewardError>();
	let misses = 0;
	let stopped = false;
	const beat = async () => {
		const answered = await ask().catch(() => false);
		if (stopped) return;
		misses = answered ? 0 : misses + 1;
		if (misses >= missesMax)
			return lost.resolve(new StilewardError('device_lost', `the scanner at ${path} answers nothing`));
		timer = setTimeout(beat, misses === 0 ? heartbeatMs : ackMs);
	};
	let timer = setTimeout(beat, heartbeatMs);
	return {
		lost: lost.promise,
		stop: () => {
			stopped = true;
			clearTimeout(timer);
		},
	};
}

/** Puts packets together to scans. */
function packetReader({ aim }: SsiOptions, io: DriverIo & ScannerEvents) {
	let waiting: Uint8Array = new Uint8Array(0);
	let message: Uint8Array = new Uint8Array(0);
	let last: string | undefined;
	let stopped = false;

	const deliver = (frame: Frame) => {
		const scan = scanOf(frame, aim, io.nowMs());
		if (scan !== undefined && !stopped) io.onScan(scan);
	};
	const take = ({ opcode, status, data }: SsiPacket) => {
		if (opcode !== ssiOpcode.decodeData) return;
		const text = Buffer.from(data).toString('latin1');
		// Its acknowledgement was lost on the way.
		if ((status & ssiStatus.retransmit) !== 0 && text === last) return;
		last = text;
		// The first byte is the kind of the code.
		message = Uint8Array.from(Buffer.concat([message, data.subarray(1)]));
		const continues = (status & ssiStatus.continues) !== 0;
		if (continues && message.length <= scanBytesMax) return;
		const whole = message;
		message = new Uint8Array(0);
		deliver(
			whole.length > scanBytesMax
				? { kind: 'oversize', length: whole.length }
				: { kind: 'frame', bytes: withoutCr(whole) },
		);
	};
	const expire = () => {
		const length = message.length + waiting.length;
		[message, waiting] = [new Uint8Array(0), new Uint8Array(0)];
		if (length >= tornBytesMin) deliver({ kind: 'torn', length });
	};
	const silence = createSilence(partsMs, io.nowMs, expire);
	return {
		push: (bytes: Uint8Array) => {
			if (stopped) return { packets: [], spoiled: 0 };
			const { packets, spoiled, rest } = readSsi(Buffer.concat([waiting, bytes]));
			waiting = rest;
			for (const packet of packets) if (!stopped) take(packet);
			if (waiting.length + message.length === 0 || stopped) silence.clear();
			else silence.touch();
			return { packets, spoiled };
		},
		stop: () => {
			stopped = true;
			silence.clear();
		},
	};
}

/** Fewer bytes before a silence are noise of the line. */
const tornBytesMin = 8;

/** The scanner's own suffix goes once. */
function withoutCr(bytes: Uint8Array): Uint8Array {
	return bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
}
