import { fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, StilewardError } from '../core/errors.ts';
import type { LedgerReport } from './verify-file.ts';

/** What a process does with a connection of its own, while the lane goes on. */
export type BackgroundTask =
	| { readonly kind: 'verify'; readonly file: string }
	| { readonly kind: 'backup'; readonly file: string; readonly path: string };

/** What the process answers, once. */
export type BackgroundAnswer =
	| { readonly kind: 'done'; readonly value?: LedgerReport }
	| { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** A running task. */
export interface BackgroundJob<T> {
	readonly result: Promise<T>;
	/** Ends the process; `result` then rejects. */
	stop(): Promise<void>;
}

/** Verifies a ledger's file in a process of its own. */
export function verifyInBackground(file: string): BackgroundJob<LedgerReport> {
	return run({ kind: 'verify', file });
}

/** Writes a backup in a process of its own. */
export function backupInBackground(file: string, path: string): BackgroundJob<void> {
	return run({ kind: 'backup', file, path });
}

const program = fileURLToPath(new URL('./background-process.ts', import.meta.url));

/** A process and not a thread: its memory goes back to the machine, and the disk's noise stays out of the lane. */
function run<T>(task: BackgroundTask): BackgroundJob<T> {
	const child = fork(program, {
		execArgv: ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'],
		env: { NODE_COMPILE_CACHE: getCompileCacheDir() },
		stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
	});
	const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
	const result = new Promise<T>((resolve, reject) => {
		child.once('message', (message) => {
			// The one sender is `background-process.ts`, which answers each kind of task with its own result.
			const answer = message as BackgroundAnswer;
			if (answer.kind === 'failed') reject(new StilewardError(answer.code, answer.message));
			else resolve(answer.value as T);
		});
		child.once('error', reject);
		child.once('exit', () => reject(new Error('the background process ended without an answer')));
	});
	child.send(task);
	// A verification must not keep a process alive that has nothing else to do.
	child.unref();
	child.channel?.unref();
	return {
		result,
		stop: async () => {
			// Who stops it waits for its end, and must not end before where nothing else keeps this process alive.
			child.ref();
			child.kill('SIGKILL');
			await exited;
		},
	};
}
