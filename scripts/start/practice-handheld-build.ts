import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Where `handheld-build.ts` puts the page. */
const folder = fileURLToPath(new URL('../../.build/handheld', import.meta.url));

/**
 * Builds the handheld's page where it is not built, in a thread of its own, and resolves with its folder. Turnstiles do
 * not wait for a builder; the thread ends with the process.
 */
export async function buildHandheldAside(): Promise<string> {
	const thread = new Worker(new URL('./practice-handheld-thread.ts', import.meta.url));
	// An error of the thread rejects here.
	await once(thread, 'exit');
	return folder;
}
