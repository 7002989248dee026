import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

interface Step {
	readonly name: string;
	readonly about: string;
	readonly command: readonly [string, ...string[]];
}

const steps: readonly Step[] = [
	{ name: 'types', about: 'tsc -b', command: [join(bin, 'tsc'), '-b'] },
	{ name: 'lint', about: 'biome check', command: [join(bin, 'biome'), 'check', '--error-on-warnings'] },
	{ name: 'tidy', about: 'node scripts/tidy.ts', command: [process.execPath, join(root, 'scripts', 'tidy.ts')] },
];

interface Outcome {
	readonly ok: boolean;
	readonly durationMs: number;
}

/** Runs one check with its own output. A check that cannot start has failed. */
function run({ command: [program, ...args] }: Step): Promise<Outcome> {
	const started = performance.now();
	return new Promise((resolve) => {
		const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
		const end = (ok: boolean) => resolve({ ok, durationMs: performance.now() - started });
		child.on('error', (error) => {
			process.stderr.write(`${program}: ${error.message}\n`);
			end(false);
		});
		child.on('exit', (code) => end(code === 0));
	});
}

// One after the other, all of them: whoever fixes one finding wants to know of the others.
const lines: string[] = [];
for (const step of steps) {
	process.stdout.write(`\n── ${step.name}: ${step.about}\n`);
	const { ok, durationMs } = await run(step);
	if (!ok) process.exitCode = 1;
	lines.push(`${ok ? '✓' : '✗'} ${step.name.padEnd(6)} ${(durationMs / 1000).toFixed(1).padStart(5)} s`);
}
process.stdout.write(`\n${lines.join('\n')}\n`);
