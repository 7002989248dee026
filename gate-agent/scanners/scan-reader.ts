import type { DriverIo, ScannerEvents, Signal } from '../core/device.ts';
import type { Frame } from './framing.ts';
import { type AimHandling, scanOf } from './scan-text.ts';
import { scanVerdict, type Verdict } from './scan-verdict.ts';
import { createSilence } from './silence.ts';

/** What a scanner speaks: what it sends becomes items, purely, and a code is the frame in an item. */
export interface ScanLanguage<Input, State, Item> {
	readonly start: State;
	readonly feed: (state: State, input: Input) => readonly [State, readonly Item[]];
	/** What a silence makes of what is pending. */
	readonly expire: (state: State) => readonly [State, readonly Item[]];
	/** Whether a silence would change the state: only then a timer is needed. */
	readonly awaitsMore: (state: State) => boolean;
	/** The code in an item, undefined where there is none. A scanner that wants an answer to the item gets it here. */
	readonly frameOf: (item: Item) => Frame | undefined;
	readonly silenceMs: number;
	readonly aim: AimHandling;
}

/** Puts what one scanner sends together to scans. After `stop` none is delivered. */
export interface ScanReader<Input> {
	readonly push: (input: Input) => void;
	/** Does what a silence would do. */
	expire(): void;
	stop(): void;
	/** What to show for a signal, once per scan; undefined when no scan waits or the signal is no verdict. */
	takeVerdict(signal: Signal): Verdict | undefined;
}

/** The `frameOf` of a language whose items are frames. */
export const itself = (frame: Frame): Frame => frame;

/** Reads one scanner. `onScan` may stop the reader. */
export function scanReader<Input, State, Item>(
	language: ScanLanguage<Input, State, Item>,
	io: DriverIo & ScannerEvents,
): ScanReader<Input> {
	let state = language.start;
	let stopped = false;
	const verdicts = scanVerdict();
	const deliver = (item: Item) => {
		const frame = language.frameOf(item);
		const scan = frame && scanOf(frame, language.aim, io.nowMs());
		if (scan === undefined) return;
		verdicts.asked();
		io.onScan(scan);
	};
	const advance = ([next, items]: readonly [State, readonly Item[]]) => {
		state = next;
		// A receiver may close the scanner on any scan.
		for (const item of items) if (!stopped) deliver(item);
	};
	const expire = () => advance(language.expire(state));
	const silence = createSilence(language.silenceMs, io.nowMs, expire);
	return {
		push(input) {
			if (stopped) return;
			advance(language.feed(state, input));
			if (language.awaitsMore(state) && !stopped) silence.touch();
			else silence.clear();
		},
		expire,
		stop() {
			stopped = true;
			silence.clear();
		},
		takeVerdict: verdicts.take,
	};
}
