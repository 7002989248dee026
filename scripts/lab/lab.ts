import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createHostServices } from './host-services.ts';
import { prepareInitramfs } from './initramfs.ts';
import { type GuestKernel, prepareKernel } from './kernel.ts';
import { startMachine } from './machine.ts';
import { type CutResult, cutPower } from './power-cuts.ts';
import { writeProjectImage } from './project-image.ts';
import { joined, type LabReport, reportText, type TestResults, testResults, undoneFiles } from './report.ts';
import { whatIsMissing } from './requirements.ts';

const usage = `npm run lab -- [--only tests|power-cuts] [--rounds N] [--seed S] [--json FILE] [--quiet] [FILE]…

The drivers against the kernel's own: boots a virtual machine with Debian's stock kernel and plays the hardware around it.
FILE selects tests as vitest does, e.g. hid-pos; their names end in .lab.test.ts.

  --only tests        the devices, in one boot
  --only power-cuts   the ledger on a disk that loses what was not flushed
  --rounds N          power cuts of the ledger (default 3)
  --seed S            where the power is cut, and which sectors are lost (default: the time)
  --json FILE         writes the report as JSON; .build/lab/report.md has it as text in any case
  --quiet             prints the report alone

Exit codes: 0 all held, 1 something did not, 2 wrong usage, 3 something is missing here.

  npm run lab
  npm run lab -- --only tests gpio
  npm run lab -- --only power-cuts --rounds 20 --seed 7
`;

const options = {
	only: { type: 'string' },
	rounds: { type: 'string', default: '3' },
	seed: { type: 'string', default: `${Math.floor(Date.now() / 1000) % 1_000_000}` },
	json: { type: 'string' },
	quiet: { type: 'boolean', default: false },
	help: { type: 'boolean', default: false },
} as const;

const exitCodes = { held: 0, broken: 1, usage: 2, missing: 3 } as const;

/** A boot with all tests takes six to seven minutes, more than twice that on a slow machine. */
const testsLimitMs = 36 * 60_000;

const project = fileURLToPath(new URL('../..', import.meta.url));
const build = join(project, '.build', 'lab');

async function main(): Promise<number> {
	const { values, positionals } = read();
	const rounds = Number(values.rounds);
	const seed = Number(values.seed);
	const isWrong =
		![undefined, 'tests', 'power-cuts'].includes(values.only) || !(rounds >= 1) || !Number.isInteger(seed);
	if (values.help || isWrong) {
		process.stdout.write(usage);
		return values.help ? exitCodes.held : exitCodes.usage;
	}
	const missing = whatIsMissing();
	if (missing !== undefined) {
		process.stderr.write(`lab: ${missing}\n`);
		return exitCodes.missing;
	}
	const say = (text: string) => void (values.quiet || process.stderr.write(`lab: ${text}\n`));
	const kernel = prepareKernel(join(build, 'kernel'), say);
	const initramfs = join(build, 'kernel', kernel.version, 'initramfs.gz');
	prepareInitramfs(kernel, initramfs);
	const image = await writeProjectImage(build);
	const guest = { kernel, initramfs, image, isQuiet: values.quiet, say };
	const startedMs = performance.now();
	const tests = values.only === 'power-cuts' ? undefined : await runTestsOnce(guest, positionals);
	const cuts = values.only === 'tests' ? undefined : await cutPower({ ...guest, rounds, seed });
	const report: LabReport = {
		...{ kernel: kernel.version, seconds: (performance.now() - startedMs) / 1000 },
		...(tests && { tests }),
		...(cuts && { cuts }),
	};
	const text = reportText(report);
	writeFileSync(join(build, 'report.md'), text);
	if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
	process.stdout.write(`\n${text}`);
	return holds(report) ? exitCodes.held : exitCodes.broken;
}

function read() {
	try {
		return parseArgs({ options, allowPositionals: true });
	} catch (error) {
		process.stderr.write(`lab: ${error instanceof Error ? error.message : error}\n\n${usage}`);
		process.exit(exitCodes.usage);
	}
}

interface Guest {
	readonly kernel: GuestKernel;
	readonly initramfs: string;
	readonly image: string;
	readonly isQuiet: boolean;
	readonly say: (text: string) => void;
}

/**
 * An emulated processor crashes a program now and then, and the kernel's CP2112 driver sleeps where it must not: files that broke
 * off without a failure are run once more.
 */
async function runTestsOnce(guest: Guest, files: readonly string[]): Promise<TestResults> {
	const first = await runTests(guest, files);
	if (first.code === 0 || first.code === 'limit' || first.failed > 0) return first;
	const undone = undoneFiles(selected(files), first);
	guest.say(
		`the guest broke down (${first.code}) after ${first.passed} tests, none of which failed: the rest once more`,
	);
	const second = await runTests(guest, undone.length > 0 ? undone : files);
	return joined(first, second);
}

/** The lab's tests that vitest takes for these words; all without any. */
function selected(words: readonly string[]): readonly string[] {
	const all = globSync('{gate-agent,handheld,scripts,sync}/**/*.lab.test.ts', { cwd: project });
	return words.length === 0 ? all : all.filter((file) => words.some((word) => file.includes(word)));
}

/** Boots once and runs the tests in it; their results come through a shared folder. */
async function runTests(
	{ kernel, initramfs, image, isQuiet, say }: Guest,
	files: readonly string[],
): Promise<TestResults> {
	const out = mkdtempSync(join(tmpdir(), 'stileward-lab-'));
	try {
		say(`booting Debian's ${kernel.version}`);
		const services = createHostServices(out);
		const machine = startMachine({
			...{
				kernel,
				initramfs,
				image,
				out,
				run: 'tests.sh',
				args: files,
				devices: services.devices,
				limitMs: testsLimitMs,
				processors: 2,
			},
			onLine: (line) => void (isQuiet || process.stdout.write(`${line}\n`)),
		});
		await services.serve();
		const code = await machine.ended;
		return { code, ...testResults(readIfThere(join(out, 'tests.json'))) };
	} finally {
		rmSync(out, { recursive: true, force: true });
	}
}

function readIfThere(file: string): string | undefined {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return undefined;
	}
}

function holds({ tests, cuts }: LabReport): boolean {
	const broke = (cut: CutResult) => !cut.held;
	return (
		(tests === undefined ||
			(tests.code === 0 && tests.passed > 0 && tests.tests.every(({ status }) => status === 'passed'))) &&
		!cuts?.some(broke)
	);
}

mkdirSync(build, { recursive: true });
process.exitCode = await main();
