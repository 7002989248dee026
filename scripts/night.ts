import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');

interface Long {
	readonly name: string;
	/** What it is told to do more of. */
	readonly env: Readonly<Record<string, string>>;
	readonly files: readonly string[];
	/** What runs it, with its parameters; absent means the test runner with the files. */
	readonly program?: readonly string[];
}

/** Worlds that nobody has seen: the first seed is the time in seconds, and the simulator prints it. */
const simulation = {
	name: 'simulation, 10,000 new worlds',
	env: {},
	files: ['scripts/simulate/simulate.ts'],
	program: [
		join(root, 'scripts', 'simulate', 'simulate.ts'),
		...['--worlds', '10000', '--seed', `${Math.floor(Date.now() / 1000)}`],
	],
};

const acceptance = 'gate-agent/acceptance';
const powerCuts = 5;

const longForms: readonly Long[] = [
	{ name: 'nemesis, 20 minutes', env: { STILEWARD_NIGHT: '20' }, files: [`${acceptance}/nemesis.test.ts`] },
	{ name: 'soak, 2,000 admissions', env: { STILEWARD_SOAK: '2000' }, files: [`${acceptance}/soak.test.ts`] },
	{
		name: 'one ticket at two gates, 20,000 times',
		env: { STILEWARD_PAIRS: '20000' },
		files: ['sync/fleet/one-ticket-two-lanes.test.ts'],
	},
	{
		name: '10 million mutated tickets',
		env: { STILEWARD_MUTATIONS: '10000000' },
		files: ['gate-agent/core/ticket-mutations.test.ts'],
	},
	simulation,
	{
		name: 'peak with handhelds, 10 minutes',
		env: {},
		files: ['scripts/load/load.ts'],
		program: [
			join(root, 'scripts', 'load', 'load.ts'),
			...['--seconds', '600', '--seed', `${Math.floor(Date.now() / 1000)}`],
		],
	},
	{
		name: 'hardware lab, 40 power cuts',
		env: {},
		files: ['scripts/lab/lab.ts'],
		program: [join(root, 'scripts', 'lab', 'lab.ts'), '--rounds', '40'],
	},
	{
		name: 'a bare box, from installation to purge',
		env: {},
		files: ['scripts/box/box.ts'],
		program: [join(root, 'scripts', 'box', 'box.ts'), '--long'],
	},
	...Array.from({ length: powerCuts }, (_, round) => ({
		name: `power cut, round ${round + 1} of ${powerCuts}`,
		env: {},
		files: ['gate-agent/ledger/power-cut.test.ts'],
	})),
];

/** Runs one long form with its own output; true when all of it held. */
function run({ env, files, program }: Long): Promise<boolean> {
	return new Promise((resolve) => {
		const command = program ?? [vitest, 'run', '--disable-console-intercept', ...files];
		const child = spawn(process.execPath, command, {
			cwd: root,
			stdio: ['ignore', 'inherit', 'inherit'],
			env: { ...process.env, ...env },
		});
		child.on('error', (error) => {
			process.stderr.write(`${vitest}: ${error.message}\n`);
			resolve(false);
		});
		child.on('exit', (code) => resolve(code === 0));
	});
}

// One after the other, all of them: in the morning every finding is there.
const lines: string[] = [];
for (const long of longForms) {
	process.stdout.write(`\n── ${long.name}: ${long.files.join(' ')}\n`);
	const startedMs = performance.now();
	const ok = await run(long);
	if (!ok) process.exitCode = 1;
	lines.push(`${ok ? '✓' : '✗'} ${long.name}, ${((performance.now() - startedMs) / 60_000).toFixed(1)} min`);
}
process.stdout.write(`\n${lines.join('\n')}\n`);
