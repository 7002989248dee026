import { installVirtualRuntime } from './runtime/virtual-runtime.ts';

/**
 * A process that runs worlds, one after the other, and prints a line of JSON for each. Arguments: first seed, number of
 * worlds, step between seeds, and `story` where each world's story is wanted.
 */
async function main([first = '1', count = '1', step = '1', story]: readonly string[]): Promise<void> {
	// Before anything that may keep a timer or a function of Node's to itself.
	const runtime = installVirtualRuntime();
	const { runWorld } = await import('./run-world.ts');
	for (let at = 0; at < Number(count); at += 1) {
		const seed = Number(first) + at * Number(step);
		const result = await runWorld(seed, { runtime, wantsStory: story === 'story' });
		process.stdout.write(`${JSON.stringify(result)}\n`);
	}
}

if (import.meta.main) await main(process.argv.slice(2));
