import { setTimeout as delay } from 'node:timers/promises';
import { openPty, type Pty } from './pty.ts';

/** How the emulated scanner is set up. */
export interface ScannerEmulatorOptions {
	/** Sent before each code; nothing when absent. */
	readonly prefix?: string;
	/** Sent after each code; CR when absent. */
	readonly suffix?: string;
	/** Paces the bytes as a line of this speed does (10 bits a byte); as fast as the kernel takes them when absent. */
	readonly baudRate?: number;
	/** What the scanner sends for a code, in place of prefix and suffix; undefined when it reads nothing. */
	readonly frame?: (code: string) => Uint8Array | undefined;
	/** Time between two reads of a code that is held in front of it, ms; 300 when absent. */
	readonly repeatMs?: number;
}

/** A serial scanner on a pseudo-terminal: what a program opens at `path` is what it would open for a real one. */
export interface ScannerEmulator {
	readonly path: string;
	/** Its cable. */
	readonly pty: Pty;
	/** Reads a code once; resolves when its last byte has left. Rejects with `device_lost` while unplugged. */
	present(code: string): Promise<void>;
	/**
	 * Holds a code in front of a module in continuous mode, which reads it again and again until `release` is
	 * called; an unplug ends it too.
	 */
	hold(code: string): { release(): Promise<void> };
	close(): Promise<void>;
}

/** Bytes of one paced write: what a USB-serial bridge hands over at a time. */
const paceBytes = 32;

/** Plugs in an emulated scanner. Errors: those of `openPty`. */
export async function openScannerEmulator(options: ScannerEmulatorOptions = {}): Promise<ScannerEmulator> {
	const pty = await openPty();
	const frame = options.frame ?? ((code) => Buffer.from(`${options.prefix ?? ''}${code}${options.suffix ?? '\r'}`));
	const holds = new Set<AbortController>();

	const present = (code: string) => {
		const bytes = frame(code);
		if (bytes === undefined) return Promise.resolve();
		return options.baudRate === undefined ? pty.write(bytes) : writePaced(pty, bytes, options.baudRate);
	};
	const holding = async (code: string, signal: AbortSignal) => {
		try {
			while (!signal.aborted) {
				await present(code);
				await delay(options.repeatMs ?? 300, undefined, { signal });
			}
		} catch {
			// Released while it waited, or unplugged: either way the module reads no more.
		}
	};
	return {
		path: pty.path,
		pty,
		present,
		hold(code) {
			const stop = new AbortController();
			holds.add(stop);
			const held = holding(code, stop.signal).finally(() => holds.delete(stop));
			return {
				release() {
					stop.abort();
					return held;
				},
			};
		},
		async close() {
			for (const stop of holds) stop.abort();
			await pty.close();
		},
	};
}

async function writePaced(pty: Pty, bytes: Uint8Array, baudRate: number): Promise<void> {
	for (let at = 0; at < bytes.length; at += paceBytes) {
		const part = bytes.subarray(at, at + paceBytes);
		await delay((part.length * 10_000) / baudRate);
		await pty.write(part);
	}
}
