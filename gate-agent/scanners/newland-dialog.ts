import type { DriverIo, ScannerEvents, Signal } from '../core/device.ts';
import type { Frame } from './framing.ts';
import { expireNewland, feedNewland, type NewlandEvent, newlandAnswer, newlandStart } from './newland-packets.ts';
import { type ScanReader, scanReader } from './scan-reader.ts';
import type { AimHandling } from './scan-text.ts';
import { verdictOf } from './scan-verdict.ts';

/** How one scanner in packet mode is spoken to. */
export interface NewlandDialogOptions {
	readonly aim: AimHandling;
	/** A scan without a verdict is acknowledged neutrally after this time, ms. */
	readonly answerMs: number;
}

/** The talk with one scanner: its packets become scans, and verdicts its answers. */
export interface NewlandDialog {
	readonly push: (bytes: Uint8Array) => void;
	readonly signal: (signal: Signal) => void;
	readonly stop: () => void;
}

/** A packet that goes on and does not is dropped after this silence, ms. */
const idleMs = 250;

/** Begins the talk with a scanner, whatever it is plugged into. `send` takes each answer; one that is lost is asked for again. */
export function newlandDialog(
	options: NewlandDialogOptions,
	io: DriverIo & ScannerEvents,
	send: (answer: Uint8Array) => void,
): NewlandDialog {
	const answers = createAnswers(options.answerMs, (answer) => send(newlandAnswer[answer]));
	const reader = packetReader(options, io, answers);
	return {
		push: reader.push,
		signal: answers.tell,
		stop: () => {
			reader.stop();
			answers.stop();
		},
	};
}

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
	{ aim }: NewlandDialogOptions,
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
