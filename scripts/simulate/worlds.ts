import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { WorldResult } from './run-world.ts';

/** Which worlds to run. */
export interface WorldsOptions {
	readonly firstSeed: number;
	readonly count: number;
	readonly workers: number;
	readonly wantsStories: boolean;
	/** Told of each world as it ends; they end in any order. */
	readonly onWorld: (result: WorldResult) => void;
	/** The program that runs them; another copy of the sources has its own. */
	readonly program?: string;
}

/** A world takes a second; one that takes this long in real time turns in a circle. */
const worldMsMax = 180_000;

const ownProgram = fileURLToPath(new URL('world-process.ts', import.meta.url));

/**
 * Runs worlds in processes of their own, as many at once as there are workers. A process that dies or stands still is a
 * broken world, and the others go on.
 */
export async function runWorlds(options: WorldsOptions): Promise<void> {
	const workers = Math.min(options.workers, options.count);
	await Promise.all(Array.from({ length: workers }, (_, place) => runWorker(options, place, workers)));
}

/** Each worker takes every n-th seed. */
async function runWorker(options: WorldsOptions, place: number, workers: number): Promise<void> {
	const { firstSeed, count, wantsStories, onWorld, program = ownProgram } = options;
	const seeds = Array.from({ length: count }, (_, at) => firstSeed + at).filter((_, at) => at % workers === place);
	let left = seeds;
	while (left.length > 0) {
		const [first] = left;
		const done: number[] = [];
		const ended = await runProcess(
			[program, `${first}`, `${left.length}`, `${workers}`, wantsStories ? 'story' : ''],
			(line) => {
				// Printed by `world-process.ts`.
				const result = JSON.parse(line) as WorldResult;
				done.push(result.seed);
				onWorld(result);
			},
		);
		left = left.slice(done.length);
		const [broken] = left;
		if (broken === undefined) return;
		onWorld(brokenWorld(broken, ended));
		left = left.slice(1);
	}
}

function runProcess(args: readonly string[], onLine: (line: string) => void): Promise<string> {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
		const stop = () => void child.kill('SIGKILL');
		let watchdog = setTimeout(stop, worldMsMax);
		let said = '';
		child.stderr.on('data', (text: Buffer) => {
			said = (said + text.toString()).slice(-4_000);
		});
		createInterface({ input: child.stdout }).on('line', (line) => {
			clearTimeout(watchdog);
			watchdog = setTimeout(stop, worldMsMax);
			onLine(line);
		});
		child.on('error', (error) => {
			said += error.message;
		});
		child.on('close', (code, signal) => {
			clearTimeout(watchdog);
			resolve(`its process ended with ${signal ?? code}: ${said.trim()}`);
		});
	});
}

function brokenWorld(seed: number, what: string): WorldResult {
	return {
		seed,
		violations: [{ invariant: 'bug', atMs: 0, what }],
		storyHash: '',
		figures: { virtualMs: 0, visits: 0, passages: 0, doubles: 0, crashes: 0 },
	};
}
