import { Worker } from 'node:worker_threads';
import { type ErrorCode, StilewardError } from '../core/errors.ts';
import type { LedgerReport } from './verify-file.ts';

/** What a worker thread does with a connection of its own, while the lane goes on. */
export type WorkerJob =
	| { readonly kind: 'verify'; readonly file: string }
	| { readonly kind: 'backup'; readonly file: string; readonly path: string };

/** What the thread answers, once. */
export type WorkerAnswer =
	| { readonly kind: 'done'; readonly value: LedgerReport | undefined }
	| { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** A running job. */
export interface BackgroundJob<T> {
	readonly result: Promise<T>;
	/** Ends the thread; `result` then rejects. */
	stop(): Promise<void>;
}

/** Verifies a ledger's file in a thread of its own. */
export function verifyInBackground(file: string): BackgroundJob<LedgerReport> {
	return run({ kind: 'verify', file });
}

/** Writes a backup in a thread of its own. */
export function backupInBackground(file: string, path: string): BackgroundJob<void> {
	return run({ kind: 'backup', file, path });
}

function run<T>(job: WorkerJob): BackgroundJob<T> {
	const worker = new Worker(new URL('./ledger-worker.ts', import.meta.url), { workerData: job });
	// A verification must not keep a process alive that has nothing else to do.
	worker.unref();
	const result = new Promise<T>((resolve, reject) => {
		worker.once('message', (answer: WorkerAnswer) => {
			if (answer.kind === 'failed') reject(new StilewardError(answer.code, answer.message));
			// `ledger-worker.ts` answers each kind of job with its own result.
			else resolve(answer.value as T);
		});
		worker.once('error', reject);
		worker.once('exit', () => reject(new Error('the worker ended without an answer')));
	});
	return { result, stop: async () => void (await worker.terminate()) };
}
