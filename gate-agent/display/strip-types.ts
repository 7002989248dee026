import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * TypeScript sources as a browser runs them: types become spaces, so lines and columns stay as they are.
 *
 * Node marks the function for this as experimental and warns on its first use. A thread of its own takes that one
 * kind of warning for these few lines, so that every other warning of the agent is still printed; and the thread
 * gives the compiler's memory back when it ends. The pinned Node and the browser tests guard against a change.
 * Rejects with the compiler's `SyntaxError` where a source is not erasable TypeScript.
 */
export async function stripTypes(sources: readonly string[]): Promise<readonly string[]> {
	const worker = new Worker(new URL('./strip-types-worker.ts', import.meta.url), {
		workerData: sources,
		execArgv: ['--disable-warning=ExperimentalWarning'],
	});
	// `once` rejects on 'error', which is how a worker reports what it threw.
	const [stripped] = (await once(worker, 'message')) as [readonly string[]];
	return stripped;
}
