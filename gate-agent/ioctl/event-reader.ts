import { Worker } from 'node:worker_threads';
import type { EventWorkerData } from './event-worker.ts';

/** Reads the records of an open device node on a thread of its own. */
export interface EventReader {
	/** Resolves with why when the device went away, also where that was before anybody asked; never after a `stop`. */
	readonly ended: Promise<string>;
	/** Resolves when the thread has let go of the descriptor, so that it may be closed. */
	stop(): Promise<void>;
}

/** What the thread posts. */
interface Message {
	readonly ready?: true;
	readonly bytes?: Uint8Array;
	readonly error?: string;
}

/** The thread looks for its end five times a second, and ends by itself: one that is ended in a call of the kernel may take the process along. */
const stopMs = 5_000;

/** It holds one buffer; what it loads to call the kernel needs some more. */
const limits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

/**
 * Starts to read; resolves when the thread is at it. `onRecord` gets one record of the kernel's at a time, and none after the end. A thread, because Node polls no device nodes, a read that waits in its pool would keep one of four threads
 * for ever, and a main thread that is busy for a moment would lose events: evdev keeps about eight characters.
 */
export async function readEvents(
	fd: number,
	recordBytes: number,
	onRecord: (record: Uint8Array) => void,
): Promise<EventReader> {
	const stop = new Int32Array(new SharedArrayBuffer(4));
	const workerData: EventWorkerData = { fd, recordBytes, stop };
	const worker = new Worker(new URL('./event-worker.ts', import.meta.url), { workerData, resourceLimits: limits });
	let isOver = false;
	const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
	const ended = Promise.withResolvers<string>();
	const end = (code: string) => {
		if (isOver) return;
		isOver = true;
		ended.resolve(code);
	};
	const ready = Promise.withResolvers<void>();
	worker.on('message', ({ bytes, error, ready: isReady }: Message) => {
		if (isReady) ready.resolve();
		if (isOver) return;
		if (error !== undefined) return end(error);
		for (let at = 0; bytes && at + recordBytes <= bytes.length && !isOver; at += recordBytes) {
			onRecord(bytes.subarray(at, at + recordBytes));
		}
	});
	worker.on('error', (error) => end(error.message));
	// A thread that ends at once has told why.
	await Promise.race([ready.promise, exited]);
	return {
		ended: ended.promise,
		stop: async () => {
			isOver = true;
			Atomics.store(stop, 0, 1);
			const late = Promise.withResolvers<void>();
			const timer = setTimeout(late.resolve, stopMs);
			await Promise.race([exited, late.promise]);
			clearTimeout(timer);
		},
	};
}
