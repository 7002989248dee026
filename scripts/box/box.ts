import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepareInitramfs } from '../lab/initramfs.ts';
import { prepareKernel } from '../lab/kernel.ts';
import { architectures } from '../package/architecture.ts';
import { makePackage } from '../package/package.ts';
import { type BoxLife, startBox } from './box-life.ts';
import { prepareDebianRoot, writeBoxDisk } from './debian-root.ts';
import { proveFirstLife } from './installed-box.ts';
import { proveSecondLife, proveThirdLife } from './later-lives.ts';
import { versionOf, withVersion } from './next-version.ts';
import type { Proof } from './proof.ts';
import { boxReport, commissioned } from './report.ts';
import { whatIsMissing } from './requirements.ts';
import { createSteps } from './steps.ts';

const usage = `npm run box -- [--package FILE] [--json FILE] [--quiet]

A technician's first hour with a bare box: a fresh Debian with systemd in a virtual machine, without a network. The package
is installed, a gate is set up by answers, admits, is rebooted, loses its power, is upgraded, not downgraded, and removed.
Scanner and relay are USB-serial adapters of the kernel; admissions are counted at the relay's far end.

  --package FILE   proves this package instead of making one
  --long           an update from afar as well, which takes six minutes more
  --json FILE      writes the report as JSON; .build/box/report.md has it as text in any case
  --console        shows what the box prints
  --quiet          prints the report alone

Exit codes: 0 all held, 1 something did not, 2 wrong usage, 3 something is missing here.
`;

const options = {
	package: { type: 'string' },
	json: { type: 'string' },
	long: { type: 'boolean', default: false },
	console: { type: 'boolean', default: false },
	quiet: { type: 'boolean', default: false },
	help: { type: 'boolean', default: false },
} as const;

const exitCodes = { held: 0, broken: 1, usage: 2, missing: 3 } as const;

const project = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const build = join(project, '.build', 'box');

/** Lines of the console that a broken step shows. */
const lastLinesMax = 40;

async function main(): Promise<number> {
	const { values } = read();
	if (values.help) {
		process.stdout.write(usage);
		return exitCodes.held;
	}
	const missing = whatIsMissing();
	if (missing !== undefined) {
		process.stderr.write(`box: ${missing}\n`);
		return exitCodes.missing;
	}
	const say = (text: string) => void (values.quiet || process.stderr.write(`box: ${text}\n`));
	const startedMs = performance.now();
	const steps = createSteps(say);
	const dir = mkdtempSync(join(tmpdir(), 'stileward-box-'));
	let isWhole = false;
	try {
		await prove({ dir, say, steps, ready: values.package, isLong: values.long, console: values.console });
		isWhole = true;
	} catch (error) {
		say(error instanceof Error ? (error.stack ?? error.message) : String(error));
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
	const report = { seconds: (performance.now() - startedMs) / 1000, isWhole, steps: steps.results };

	const text = boxReport(report);
	mkdirSync(build, { recursive: true });
	writeFileSync(join(build, 'report.md'), text);
	if (values.json !== undefined)
		writeFileSync(values.json, `${JSON.stringify({ ...report, technician: commissioned(steps.results) }, null, 2)}\n`);
	process.stdout.write(`\n${text}`);
	return isWhole ? exitCodes.held : exitCodes.broken;
}

interface Run extends Pick<Proof, 'steps'> {
	readonly dir: string;
	readonly say: (text: string) => void;
	/** Shows the console. */
	readonly console: boolean;
	/** A package that somebody made before. */
	readonly ready: string | undefined;
	/** Proves an update from afar as well. */
	readonly isLong: boolean;
}

async function prove({ dir, say, steps, ready, isLong, console: isShown }: Run): Promise<void> {
	let older = ready ?? '';
	let newer = '';
	let newest: string | undefined;
	await steps.run('make the package, and the next version of it', async () => {
		const architecture = architectures.amd64;
		if (ready === undefined) older = (await makePackage({ architecture, out: dir, say })).file;
		newer = withVersion(older, dir);
		if (isLong) newest = withVersion(newer, dir);
		return `${basename(older)} and ${basename(newer)}`;
	});
	const kernel = prepareKernel(join(project, '.build', 'lab', 'kernel'), say);
	const initramfs = join(dir, 'initramfs.gz');
	prepareInitramfs(kernel, initramfs, new URL('guest/init.sh', import.meta.url));
	let image = '';
	await steps.run('make a fresh Debian', async () => {
		const root = prepareDebianRoot(build, say);
		image = writeBoxDisk({
			root,
			kernel,
			dir: build,
			stick: [older, newer, ...(newest === undefined ? [] : [newest])],
		});
		return 'debootstrap, on a disk of its own';
	});
	const dataImage = join(dir, 'data.img');
	execFileSync('truncate', ['-s', '512M', dataImage]);
	execFileSync('/sbin/mkfs.ext4', ['-q', '-F', dataImage]);
	const packages = [basename(older), basename(newer)] as const;
	const proof: Proof = { steps, packages, ...(newest !== undefined && { wanted: versionOf(newest) }) };
	const lines: string[] = [];
	const live = async (name: string, work: (life: BoxLife) => Promise<void>, end: 'reboot' | 'poweroff' | 'dark') => {
		const own = mkdtempSync(join(dir, 'life-'));
		let life: BoxLife | undefined;
		await steps.run(name, async () => {
			life = await startBox({
				...{ kernel, initramfs, image, dataImage, dir: own },
				onLine: (line) => {
					if (isShown) say(`console: ${line}`);
					lines.push(line);
					if (lines.length > lastLinesMax) lines.shift();
				},
			});
			return `${life.bootSeconds} s after power`;
		});
		if (life === undefined) return;
		try {
			await work(life);
			if (end === 'dark') return;
			life.shell.send(`systemctl ${end}`);
			await life.ended;
		} catch (error) {
			await tellLast(life, say, lines);
			life.cut();
			throw error;
		}
	};
	let tickets: readonly string[] = [];
	const first = async (life: BoxLife) => {
		tickets = await proveFirstLife(life, proof);
	};
	await live('boot the bare box', first, 'reboot');
	await live('reboot', (life) => proveSecondLife(life, { ...proof, tickets }), 'dark');
	await live('boot after the power cut', (life) => proveThirdLife(life, { ...proof, tickets }), 'poweroff');
}

async function tellLast({ shell }: BoxLife, say: (text: string) => void, lines: readonly string[]): Promise<void> {
	for (const line of lines) say(`console: ${line}`);
	const log = await shell
		.run('systemctl status --no-pager stileward-gate; journalctl -b --no-pager -o cat -u stileward-gate | tail -40')
		.catch(String);
	say(typeof log === 'string' ? log : log.output);
}

function read() {
	try {
		return parseArgs({ options });
	} catch (error) {
		process.stderr.write(`box: ${error instanceof Error ? error.message : error}\n\n${usage}`);
		process.exit(exitCodes.usage);
	}
}

process.exitCode = await main();
