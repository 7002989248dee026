import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { browserPackages } from './contents.ts';

/** Where modules are laid out: a folder that is the caller's. */
export interface ModulesPlace {
	readonly project: string;
	readonly dir: string;
	readonly architecture: Architecture;
}

interface Manifest {
	readonly dependencies: Readonly<Record<string, string>>;
	readonly devDependencies?: unknown;
}

/**
 * Lays out `node_modules` for one architecture as the lockfile names them, without what browsers need, and without what
 * only compiles, tests or explains. Needs npm and its registry. Throws an `Error` that says which command failed.
 */
export function layOutModules({ project, dir, architecture }: ModulesPlace): void {
	mkdirSync(dir, { recursive: true });
	for (const file of ['package-lock.json', '.npmrc']) cpSync(join(project, file), join(dir, file));
	const { devDependencies: _, ...manifest } = JSON.parse(
		readFileSync(join(project, 'package.json'), 'utf8'),
	) as Manifest;
	const dependencies = Object.fromEntries(
		Object.entries(manifest.dependencies).filter(([name]) => !browserPackages.includes(name)),
	);
	writeFileSync(join(dir, 'package.json'), JSON.stringify({ ...manifest, dependencies }, null, 2));
	const platform = ['--os=linux', `--cpu=${architecture.npm}`, '--libc=glibc'];
	const quiet = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
	// The lockfile is cut down first, so that nothing is fetched that is thrown away.
	npm(dir, ['prune', '--package-lock-only', ...quiet]);
	npm(dir, ['ci', ...platform, ...quiet]);
	prune(join(dir, 'node_modules'), architecture);
}

function npm(cwd: string, args: readonly string[]): void {
	try {
		execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
	} catch (error) {
		const { stderr } = error as { readonly stderr?: Buffer };
		throw new Error(`npm ${args[0]} failed: ${stderr?.toString() ?? error}`, { cause: error });
	}
}

/** Files that nothing loads, whatever package they are in. Licenses stay. */
const needless: readonly string[] = [
	...['**/*.md', '**/*.markdown', '**/*.map', '**/*.d.ts', '**/*.d.mts', '**/*.d.cts', '**/*.ts', '**/*.mts'],
	...['**/*.flow', '**/tsconfig*.json', '**/.eslintrc*', '**/.github', '**/*.tsbuildinfo', '**/binding.gyp'],
	...['**/{test,tests,__tests__,example,examples,coverage,docs,benchmark,benchmarks}'],
	...['.bin', '.package-lock.json', 'node-linux-*/{include,share}', '@types', 'better-sqlite3/{deps,src}'],
	...['usb/{libusb,libusb_config,src}', 'node-hid/{hidapi,src}', '@abandonware/*/{src,patches,assets}'],
	'@koromix/*/musl_*',
];

function prune(modules: string, { npm: cpu }: Architecture): void {
	for (const path of globSync([...needless], { cwd: modules })) {
		rmSync(join(modules, path), { recursive: true, force: true });
	}
	for (const path of globSync('**/prebuilds/*', { cwd: modules })) {
		if (!isForHere(basename(path), cpu)) rmSync(join(modules, path), { recursive: true, force: true });
	}
	for (const path of globSync('**/*musl*.node', { cwd: modules })) rmSync(join(modules, path), { force: true });
}

/** Whether a prebuilt module's name is that of this platform: `linux-x64`, `HID-linux-x64`, `linux-x64.node`. */
function isForHere(name: string, cpu: string): boolean {
	return new RegExp(`(^|-)linux-${cpu}(\\.node)?$`).test(name);
}
