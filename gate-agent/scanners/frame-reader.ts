import type { DriverIo, ScannerEvents } from '../core/device.ts';
import { awaitsMore, expire, type Frame, type Framing, type FramingState, feed, framingStart } from './framing.ts';
import { type AimHandling, scanOf } from './scan-text.ts';

/** A timer later than this was held up by a busy process: bytes may wait in the kernel, and get as long to come, ms. */
const latenessMs = 20;

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
	let timer: NodeJS.Timeout | undefined;
	let stopped = false;

	const advance = ([next, frames]: [FramingState, readonly Frame[]]) => {
		state = next;
		for (const frame of frames) {
			const scan = scanOf(frame, aim, io.nowMs());
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
