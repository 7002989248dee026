import { type ChildProcess, spawn } from 'node:child_process';
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const bootstrap = fileURLToPath(new URL('bootstrap.mjs', import.meta.url));
const pinned = `node_modules/node-linux-${process.arch}/bin/node`;
let clone: string;

// A clone with an npm that installs nothing but this Node, counts its runs, and can be told to fail or to be slow.
beforeEach(() => {
	clone = mkdtempSync(join(tmpdir(), 'stileward-bootstrap-'));
	mkdirSync(join(clone, 'scripts'));
	mkdirSync(join(clone, 'bin'));
	cpSync(bootstrap, join(clone, 'scripts/bootstrap.mjs'));
	writeFileSync(join(clone, 'package.json'), '{"type":"module","engines":{"node":">=24.12"}}');
	writeFileSync(join(clone, 'package-lock.json'), '{}');
	writeFileSync(
		join(clone, 'say.ts'),
		'const words: readonly string[] = process.argv.slice(2);\nconsole.log(JSON.stringify([process.execPath, ...words]));\nprocess.exitCode = 3;\n',
	);
	writeFileSync(
		join(clone, 'bin/npm'),
		[
			'#!/bin/sh',
			'echo "$*" >> npm-runs',
			'echo "npm speaks"',
			'rm -rf node_modules',
			'[ -e npm-fails ] && exit 1',
			'[ -e npm-is-slow ] && sleep 0.5',
			`mkdir -p $(dirname ${pinned})`,
			`[ -e npm-omits ] || ln -s ${process.execPath} ${pinned}`,
			'echo {} > node_modules/.package-lock.json',
		].join('\n'),
	);
	chmodSync(join(clone, 'bin/npm'), 0o755);
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: string;
	readonly stderr: string;
}

function launch(...words: string[]): ChildProcess {
	return spawn(process.execPath, ['scripts/bootstrap.mjs', ...words], {
		cwd: clone,
		env: { ...process.env, PATH: `${join(clone, 'bin')}:${process.env.PATH}` },
	});
}

function ended(child: ChildProcess): Promise<Ended> {
	let [stdout, stderr] = ['', ''];
	child.stdout?.on('data', (data) => {
		stdout += data;
	});
	child.stderr?.on('data', (data) => {
		stderr += data;
	});
	return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })));
}

function start(...words: string[]): Promise<Ended> {
	return ended(launch('say.ts', ...words));
}

function installs(): number {
	return existsSync(join(clone, 'npm-runs'))
		? readFileSync(join(clone, 'npm-runs'), 'utf8').trim().split('\n').length
		: 0;
}

describe.runIf(process.platform === 'linux')('the first start', () => {
	it('installs, then becomes the program in the pinned Node', async () => {
		const { code, stdout } = await start('one', 'two  words');
		expect(JSON.parse(stdout).slice(1)).toEqual(['one', 'two  words']);
		expect(code).toBe(3);
		expect(installs()).toBe(1);
	});

	it('gives options of Node to every program but a server', async () => {
		writeFileSync(join(clone, 'say.ts'), 'console.log(JSON.stringify(process.execArgv));');
		const options = async (...words: string[]) => {
			return JSON.parse((await ended(launch('--max-semi-space-size=2', 'say.ts', ...words))).stdout);
		};
		expect(await options('gate', 'run')).toEqual(['--max-semi-space-size=2']);
		expect(await options('server', 'run')).toEqual([]);
	});

	it('keeps the standard output for the program, whatever npm says', async () => {
		const { stdout, stderr } = await start();
		expect(stdout.trim().split('\n')).toHaveLength(1);
		expect(stderr).toContain('npm speaks');
	});

	it('installs the tests and Node whatever the user of npm omits', async () => {
		await start();
		expect(readFileSync(join(clone, 'npm-runs'), 'utf8')).toMatch(/^ci --include=dev --include=optional /);
	});

	it('says what to do when the install fails', async () => {
		writeFileSync(join(clone, 'npm-fails'), '');
		const { code, stdout, stderr } = await start();
		expect([code, stdout]).toEqual([1, '']);
		expect(stderr).toContain('Check the network');
		expect(existsSync(join(clone, '.build/bootstrap.lock'))).toBe(false);
	});

	it('falls back to a Node that is new enough when the pinned one is missing', async () => {
		writeFileSync(join(clone, 'npm-omits'), '');
		const { code, stderr } = await start();
		expect(code).toBe(3);
		expect(stderr).toContain('pinned Node');
	});

	it('refuses a Node that is too old', async () => {
		writeFileSync(join(clone, 'npm-omits'), '');
		writeFileSync(join(clone, 'package.json'), '{"type":"module","engines":{"node":">=99.1"}}');
		const { code, stderr } = await start();
		expect(code).toBe(1);
		expect(stderr).toContain('needs Node 99.1 or newer');
	});
});

describe.runIf(process.platform === 'linux')('a later start', () => {
	it('installs nothing', async () => {
		await start();
		expect((await start()).stderr).toBe('');
		expect(installs()).toBe(1);
	});

	it('installs again after an interrupted install, a newer lockfile or a lost Node', async () => {
		await start();
		rmSync(join(clone, 'node_modules/.package-lock.json'));
		await start();
		expect(installs()).toBe(2);
		const later = Date.now() / 1000 + 60;
		utimesSync(join(clone, 'package-lock.json'), later, later);
		await start();
		expect(installs()).toBe(3);
		utimesSync(join(clone, 'package-lock.json'), 1, 1);
		rmSync(join(clone, pinned));
		await start();
		expect(installs()).toBe(4);
	});

	it('passes signals to the program', async () => {
		await start();
		writeFileSync(join(clone, 'wait.ts'), "console.log('up');\nsetInterval(() => {}, 1000);\n");
		const child = launch('wait.ts');
		child.stdout?.once('data', () => child.kill('SIGTERM'));
		expect((await ended(child)).signal).toBe('SIGTERM');
	});
});

describe.runIf(process.platform === 'linux')('two starts at once', () => {
	it('install once', async () => {
		writeFileSync(join(clone, 'npm-is-slow'), '');
		const both = await Promise.all([start('a'), start('b'), start('c')]);
		expect(both.map(({ code }) => code)).toEqual([3, 3, 3]);
		expect(installs()).toBe(1);
	});

	it('do not wait for one that died', async () => {
		const dead = spawn('true');
		await ended(dead);
		mkdirSync(join(clone, '.build'));
		writeFileSync(join(clone, '.build/bootstrap.lock'), `${dead.pid}`);
		const both = await Promise.all([start('a'), start('b')]);
		expect(both.map(({ code }) => code)).toEqual([3, 3]);
		expect(installs()).toBe(1);
	});
});
