import { parentPort, workerData } from 'node:worker_threads';
import { assert, StilewardError } from '../core/errors.ts';
import type { WorkerAnswer, WorkerJob } from './background.ts';
import { writeBackup } from './backup.ts';
import { verifyFile } from './verify-file.ts';

assert(parentPort !== null, 'this file runs in a worker thread');
// The one sender is `background.ts`, which is typed.
parentPort.postMessage(answer(workerData as WorkerJob));

/** A fault crosses the thread as its code and text: an error's class does not survive the way. */
function answer(job: WorkerJob): WorkerAnswer {
	try {
		if (job.kind === 'verify') return { kind: 'done', value: verifyFile(job.file) };
		writeBackup(job.file, job.path);
		return { kind: 'done', value: undefined };
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return { kind: 'failed', code: error.code, message: error.message };
	}
}
