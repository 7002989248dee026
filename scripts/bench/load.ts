import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a load generator does: each connection asks again as soon as it is answered. */
export interface LoadPlan {
	readonly port: number;
	readonly path: string;
	/** One connection for each: the value of its `authorization`. */
	readonly tokens: readonly string[];
	/** Requests before this are not counted. */
	readonly warmupMs: number;
	readonly measureMs: number;
	/** Each claim is for another ticket of this event, from this number on. */
	readonly evt: string;
	readonly firstIdx: number;
}

/** What came of it, in the measured time. */
export interface LoadResult {
	readonly seconds: number;
	/** Of each answer. */
	readonly tookMs: readonly number[];
	readonly generatorCpuSeconds: number;
}

/** A load generator in a process of its own. `onMeasure` is told when the measured time begins and when it has ended. */
export async function runLoad(plan: LoadPlan, onMeasure: (phase: 'begins' | 'ended') => void): Promise<LoadResult> {
	const child = fork(fileURLToPath(new URL('./load-generator.ts', import.meta.url)), { stdio: 'inherit' });
	const exited = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the load generator ended: ${code}`)));
	const result = new Promise<LoadResult>((resolve) => {
		child.on('message', (message: 'begins' | LoadResult) => {
			onMeasure(message === 'begins' ? 'begins' : 'ended');
			if (message !== 'begins') resolve(message);
		});
	});
	child.send(plan);
	const answer = await Promise.race([result, exited]);
	exited.catch(() => {});
	child.disconnect();
	return answer;
}
