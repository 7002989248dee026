import type { DriverIo, ScannerEvents } from '../core/device.ts';
import { awaitsMore, expire, type Frame, type Framing, type FramingState, feed, framingStart } from './framing.ts';
import { type AimHandling, scanOf } from './scan-text.ts';
import { createSilence } from './silence.ts';

interface FrameReaderOptions {
	readonly framing: Framing;
	readonly aim: AimHandling;
	readonly idleMs?: number | undefined;
}

/** Puts bytes together to scans. After `finish` and `stop` none is delivered. */
export interface FrameReader {
	readonly push: (bytes: Uint8Array) => void;
	/** Delivers a code that only lacks the silence after it, then stops. */
	finish(): void;
	stop(): void;
}

/**
 * Reads the codes of one scanner from the bytes of its line. `idleMs` is the silence that ends a code where no suffix
 * does (50 ms when absent) or drops a torn one (250 ms when absent).
 */
export function frameReader(
	{ framing, aim, idleMs = framing.suffix.length === 0 ? 50 : 250 }: FrameReaderOptions,
	io: DriverIo & ScannerEvents,
): FrameReader {
	let state: FramingState = framingStart;
	let stopped = false;

	const advance = ([next, frames]: [FramingState, readonly Frame[]]) => {
		state = next;
		for (const frame of frames) {
			const scan = scanOf(frame, aim, io.nowMs());
			// A receiver may close the scanner on any scan.
			if (scan !== undefined && !stopped) io.onScan(scan);
		}
	};
	const silence = createSilence(idleMs, io.nowMs, () => advance(expire(framing, state)));
	const stop = () => {
		stopped = true;
		silence.clear();
	};
	return {
		push(bytes) {
			if (stopped) return;
			advance(feed(framing, state, bytes));
			if (awaitsMore(state) && !stopped) silence.touch();
			else silence.clear();
		},
		finish() {
			if (stopped) return;
			if (framing.suffix.length === 0) advance(expire(framing, state));
			stop();
		},
		stop,
	};
}
