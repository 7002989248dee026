import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildHandheld, handheldFolder } from '../handheld-build.ts';
import { type Architecture, architectureOf } from './architecture.ts';
import { copySources } from './contents.ts';
import { debianVersion, layOutPackage, pack } from './debian-package.ts';
import { missingImports } from './imports.ts';
import { layOutModules } from './modules.ts';

const usage = `npm run package -- [--arch amd64|arm64]… [--out DIR] [--json]

Makes Debian packages that hold everything: Node, the program, its modules, services and udev rules. They are installed
without a network, and nothing is compiled. Needs dpkg-deb and, for the modules, the npm registry.

  --arch ARCH        amd64 or arm64, repeatable (default: this machine's)
  --out DIR          where they are put (default: .build/package)
  --version VERSION  another version than that of package.json
  --json             prints one JSON object for each package

Exit codes: 0 made, 1 something failed, 2 wrong usage.

  npm run package
  npm run package -- --arch amd64 --arch arm64 --out dist
  sudo apt install ./.build/package/stileward_0.1.0_amd64.deb
`;

const options = {
	arch: { type: 'string', multiple: true },
	out: { type: 'string' },
	version: { type: 'string' },
	json: { type: 'boolean', default: false },
	help: { type: 'boolean', default: false },
} as const;

const exitCodes = { made: 0, failed: 1, usage: 2 } as const;

const project = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const build = join(project, '.build', 'package');

/** A package that was made. */
export interface MadePackage {
	readonly file: string;
	readonly version: string;
	readonly architecture: string;
	readonly bytes: number;
	readonly seconds: number;
}

/** How packages are made. */
export interface MakePackage {
	readonly architecture: Architecture;
	readonly out: string;
	readonly version?: string;
	readonly say: (text: string) => void;
}

/** Makes one package. Throws an `Error` that says what failed. */
export async function makePackage({ architecture, out, version, say }: MakePackage): Promise<MadePackage> {
	const startedMs = performance.now();
	mkdirSync(build, { recursive: true });
	const dir = mkdtempSync(join(build, `${architecture.debian}-`));
	try {
		await buildHandheld(say).catch((error: unknown) => {
			if (!existsSync(handheldFolder)) throw error;
		});
		const program = join(dir, 'program');
		mkdirSync(program);
		say(`laying out modules for ${architecture.debian}`);
		const modules = join(dir, 'modules');
		layOutModules({ project, dir: modules, architecture });
		execFileSync('mv', [join(modules, 'node_modules'), program]);
		const files = copySources(project, program);
		const missing = missingImports(program, files);
		if (missing.length > 0) throw new Error(`the package lacks what it imports:\n  ${missing.join('\n  ')}`);
		const made = debianVersion(version ?? versionOf(program));
		const epoch = sourceEpoch();
		if (version !== undefined) stamp(program, version);
		// The clock of a gate takes this file's time for one that is certainly past.
		utimesSync(join(program, 'package.json'), epoch, epoch);
		const debian = { project, program, tree: join(dir, 'tree'), architecture, version: made, epoch };
		layOutPackage(debian);
		say('packing');
		const { file, bytes } = pack(debian, out);
		const seconds = (performance.now() - startedMs) / 1000;
		say(`${file}: ${(bytes / 1e6).toFixed(1)} MB, ${seconds.toFixed(0)} s`);
		return { file, bytes, seconds, version: made, architecture: architecture.debian };
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

function versionOf(folder: string): string {
	return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}

function stamp(program: string, version: string): void {
	const file = join(program, 'package.json');
	const manifest = JSON.parse(readFileSync(file, 'utf8')) as object;
	writeFileSync(file, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
}

/** When the sources were written, seconds since 1970: as asked for, by the last commit, or by the lockfile's time. */
function sourceEpoch(): number {
	const asked = Number(process.env.SOURCE_DATE_EPOCH);
	if (asked > 0) return asked;
	try {
		return Number(
			execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: project, stdio: ['ignore', 'pipe', 'ignore'] }),
		);
	} catch {
		return Math.floor(statSync(join(project, 'package-lock.json')).mtimeMs / 1000);
	}
}

async function main(): Promise<number> {
	const { values } = read();
	const wanted = values.arch ?? [process.arch === 'arm64' ? 'arm64' : 'amd64'];
	const known = wanted.flatMap((name) => architectureOf(name) ?? []);
	if (values.help || known.length < wanted.length) {
		process.stdout.write(usage);
		return values.help ? exitCodes.made : exitCodes.usage;
	}
	for (const architecture of known) {
		const made = await makePackage({
			...{ architecture, out: resolve(values.out ?? build) },
			...(values.version !== undefined && { version: values.version }),
			say: (text) => void process.stderr.write(`package: ${text}\n`),
		});
		process.stdout.write(values.json ? `${JSON.stringify(made)}\n` : `${made.file}\n`);
	}
	return exitCodes.made;
}

function read() {
	try {
		return parseArgs({ options });
	} catch (error) {
		process.stderr.write(`package: ${error instanceof Error ? error.message : error}\n\n${usage}`);
		process.exit(exitCodes.usage);
	}
}

if (import.meta.main) {
	process.exitCode = await main().catch((error: unknown) => {
		process.stderr.write(`package: ${error instanceof Error ? error.message : error}\n`);
		return exitCodes.failed;
	});
}
