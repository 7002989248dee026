import type { DriverIo, ScannerEvents } from '../core/device.ts';
import { awaitsMore, expire, type Framing, feed, framingStart } from './framing.ts';
import { itself, type ScanReader, scanReader } from './scan-reader.ts';
import type { AimHandling } from './scan-text.ts';

interface FrameReaderOptions {
	readonly framing: Framing;
	readonly aim: AimHandling;
	readonly idleMs?: number | undefined;
}

/** Puts bytes together to scans. */
export interface FrameReader extends ScanReader<Uint8Array> {
	/** Delivers a code that only lacks the silence after it, then stops. */
	finish(): void;
}

/**
 * Reads the codes of one scanner from the bytes of its line. `idleMs` is the silence that ends a code where no suffix
 * does (50 ms when absent) or drops a torn one (250 ms when absent).
 */
export function frameReader(
	{ framing, aim, idleMs = framing.suffix.length === 0 ? 50 : 250 }: FrameReaderOptions,
	io: DriverIo & ScannerEvents,
): FrameReader {
	const reader = scanReader(
		{
			start: framingStart,
			feed: (state, bytes: Uint8Array) => feed(framing, state, bytes),
			expire: (state) => expire(framing, state),
			...{ awaitsMore, frameOf: itself, silenceMs: idleMs, aim },
		},
		io,
	);
	return {
		...reader,
		finish() {
			if (framing.suffix.length === 0) reader.expire();
			reader.stop();
		},
	};
}
