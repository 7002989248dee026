import Type, { type Static } from 'typebox';
import type { Driver, DriverIo, Scanner, ScannerEvents, Signal } from '../core/device.ts';
import { openSerialPort } from '../serial/serial-port.ts';
import { serialSchema } from '../serial/serial-schema.ts';
import type { Frame } from './framing.ts';
import { expireNewland, feedNewland, type NewlandEvent, newlandAnswer, newlandStart } from './newland-packets.ts';
import { type ScanReader, scanReader } from './scan-reader.ts';
import { verdictOf } from './scan-verdict.ts';

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

/** A packet that goes on and does not is dropped after this silence, ms. */
const idleMs = 250;

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
		const answers = createAnswers(options.answerMs, (answer) => {
			// A scanner that hears no answer repeats its packet.
			void line.write(newlandAnswer[answer], writeTimeoutMs).catch(() => {});
		});
		const reader = packetReader(options, io, answers);
		const line = await openSerialPort(options, { data: reader.push });
		const stop = () => {
			reader.stop();
			answers.stop();
		};
		return {
			lost: line.lost.then((error) => {
				stop();
				return error;
			}),
			close: () => {
				stop();
				return line.close();
			},
			signal: (signal) => answers.tell(signal),
		};
	},
};

type Answer = keyof typeof newlandAnswer;

/** Answers one packet at a time, by its verdict or neutrally after `answerMs`. */
function createAnswers(answerMs: number, send: (answer: Answer) => void) {
	let waiting: NodeJS.Timeout | undefined;
	let last: Answer = 'neutral';
	const settle = (answer: Answer) => {
		clearTimeout(waiting);
		waiting = undefined;
		last = answer;
		send(answer);
	};
	return {
		isWaiting: () => waiting !== undefined,
		expect: () => {
			if (waiting !== undefined) settle('neutral');
			waiting = setTimeout(() => settle('neutral'), answerMs);
		},
		/** The packet came again: its answer was lost on the way. */
		repeat: () => send(last),
		tell: (signal: Signal) => {
			const answer = verdictOf(signal);
			if (waiting !== undefined && answer !== undefined) settle(answer);
		},
		stop: () => clearTimeout(waiting),
	};
}

/** A scanner sends a packet again when it has waited for its answer; a person cannot show a code again as fast. */
const resendMs = 700;

function packetReader(
	{ aim }: NewlandOptions,
	io: DriverIo & ScannerEvents,
	answers: ReturnType<typeof createAnswers>,
): ScanReader<Uint8Array> {
	let isPlainTold = false;
	let last: { readonly text: string; readonly atMs: number } | undefined;

	const isResent = (data: Uint8Array): boolean => {
		const text = Buffer.from(data).toString('latin1');
		const before = last;
		last = { text, atMs: io.nowMs() };
		return before?.text === text && (answers.isWaiting() || io.nowMs() - before.atMs < resendMs);
	};
	const frameOf = (event: NewlandEvent): Frame | undefined => {
		if (event.kind === 'spoiled') return { kind: 'torn', length: event.length };
		if (event.kind === 'packet' && isResent(event.data)) {
			if (!answers.isWaiting()) answers.repeat();
			return undefined;
		}
		if (event.kind === 'packet') answers.expect();
		else if (!isPlainTold) {
			isPlainTold = true;
			io.log('packet_mode_off', {
				problem: 'the scanner sends plain codes: scan “packet mode” of its manual for its beeps',
			});
		}
		return { kind: 'frame', bytes: event.data };
	};
	return scanReader(
		{
			start: newlandStart,
			feed: feedNewland,
			expire: expireNewland,
			awaitsMore: ({ pending }) => pending.length > 0,
			...{ frameOf, silenceMs: idleMs, aim },
		},
		io,
	);
}
