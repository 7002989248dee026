/**
 * A thread that waits for the events of one open device node: it may wait in the kernel, because nothing else runs on it. It
 * says when it is ready, posts the bytes of whole records, and the name of the error that ended it.
 */
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { loadLibc } from './libc.ts';

/** What the thread is started with. `stop` holds 0 until it is to end. */
export interface EventWorkerData {
	readonly fd: number;
	readonly recordBytes: number;
	readonly stop: Int32Array;
}

/** How often it looks whether it is to end. */
const waitMs = 200;

/** Records that are read at once. */
const recordsMax = 64;

const { fd, recordBytes, stop } = workerData as EventWorkerData;
const libc = await loadLibc();
const buffer = Buffer.alloc(recordBytes * recordsMax);
parentPort?.postMessage({ ready: true });

while (Atomics.load(stop, 0) === 0) {
	const state = libc.poll(fd, waitMs);
	if (state === 'idle') continue;
	if (state === 'gone') {
		parentPort?.postMessage({ error: 'ENODEV' });
		break;
	}
	try {
		const bytes = readSync(fd, buffer, 0, buffer.length, null);
		if (bytes > 0) {
			parentPort?.postMessage({ bytes: Uint8Array.from(buffer.subarray(0, bytes)) });
			continue;
		}
		// The end of a file that is always ready to be read would be asked for without end.
		parentPort?.postMessage({ error: 'EOF' });
		break;
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
		if (code === 'EAGAIN') continue;
		parentPort?.postMessage({ error: code });
		break;
	}
}
