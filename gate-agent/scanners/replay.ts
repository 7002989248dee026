import { constants, createReadStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import Type, { type Static } from 'typebox';
import type { Driver, DriverIo, Scanner, ScannerEvents } from '../core/device.ts';
import { type ErrorCode, StilewardError } from '../core/errors.ts';
import { type Scan, scanBytesMax } from '../core/scan.ts';
import { expire, type Frame, type Framing, type FramingState, feed, framingStart } from './framing.ts';
import { scanOf } from './scan-text.ts';

const schema = Type.Object(
	{
		path: Type.String({ minLength: 1, description: 'File with one code per line.' }),
		intervalMs: Type.Integer({
			minimum: 0,
			maximum: 3_600_000,
			default: 3000,
			description: 'Time between two codes, in milliseconds.',
		}),
		repeat: Type.Boolean({ default: false, description: 'Whether the file starts again at its end.' }),
	},
	{ description: 'Codes from a file instead of a scanner: for trials, and for systems without serial ports.' },
);

/** Options of `replay`. */
export type ReplayOptions = Static<typeof schema>;

/** A scanner that presents the lines of a file one by one; after the last one it stays open and silent. */
export const replay: Driver<ReplayOptions, ScannerEvents, Scanner> = {
	name: 'replay',
	options: schema,
	async open(options, io) {
		await openable(options.path);
		return replayFrom(() => linesOf(options.path), options, io);
	},
};

/** What `replayFrom` takes: texts, or frames as they come from a file. */
export type ReplaySource = () => AsyncIterable<string | Frame>;

/**
 * A scanner that presents what `source` yields, `intervalMs` apart. A source that fails is a lost device.
 * `source` is called again for each round of a repeated replay.
 */
export function replayFrom(
	source: ReplaySource,
	options: Pick<ReplayOptions, 'intervalMs' | 'repeat'>,
	io: DriverIo & ScannerEvents,
): Scanner {
	const lost = Promise.withResolvers<StilewardError>();
	const stop = new AbortController();
	const present = async () => {
		do {
			for await (const item of source()) {
				if (stop.signal.aborted) return;
				const scan = toScan(item, io.nowMs());
				if (scan === undefined) continue;
				io.onScan(scan);
				await delay(options.intervalMs, undefined, { signal: stop.signal });
			}
			// An empty file that repeats must not spin.
			await delay(Math.max(options.intervalMs, 10), undefined, { signal: stop.signal });
		} while (options.repeat);
	};
	// The first code comes after `open` has returned, as from a real scanner.
	setImmediate(() => {
		present().catch((cause) => {
			if (!stop.signal.aborted)
				lost.resolve(new StilewardError('device_lost', 'the replayed source failed', { cause }));
		});
	});
	return {
		lost: lost.promise,
		async close() {
			stop.abort();
		},
	};
}

function toScan(item: string | Frame, atMs: number): Scan | undefined {
	return typeof item === 'string' ? { kind: 'code', text: item, atMs } : scanOf(item, 'strip', atMs);
}

/** Lines end with LF or CR LF and are never trimmed; a last line without an end counts too. */
const lineFraming: Framing = {
	prefix: new Uint8Array(0),
	suffix: Uint8Array.of(0x0a),
	frameBytesMax: scanBytesMax,
};

async function* linesOf(path: string): AsyncGenerator<Frame> {
	let state: FramingState = framingStart;
	for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
		const [next, frames] = feed(lineFraming, state, chunk);
		state = next;
		yield* frames;
	}
	yield* expire({ ...lineFraming, suffix: new Uint8Array(0) }, state)[1];
}

const openFailures: Readonly<Record<string, ErrorCode>> = {
	ENOENT: 'device_absent',
	EISDIR: 'device_absent',
	EACCES: 'device_denied',
	EPERM: 'device_denied',
};

async function openable(path: string): Promise<void> {
	try {
		await access(path, constants.R_OK);
		if ((await stat(path)).isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
	} catch (cause) {
		const code = openFailures[(cause as NodeJS.ErrnoException).code ?? ''] ?? 'device_absent';
		throw new StilewardError(code, `the file ${path} cannot be read`, { cause });
	}
}
