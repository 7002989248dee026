import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../commands/cli.suite.ts';

const entry = fileURLToPath(new URL('../start.ts', import.meta.url));
let dir: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-start-'));
});
afterEach(async () => {
	child?.kill('SIGKILL');
	await rm(dir, { recursive: true, force: true });
});

/** Starts the program; `ended` resolves with how it ended and what it said. */
function start(args: readonly string[]) {
	const started = spawn(process.execPath, [entry, ...args], {
		env: { PATH: process.env.PATH ?? '', TZ: 'Asia/Shanghai' },
	});
	child = started;
	const said = { out: '', err: '' };
	started.stdout.setEncoding('utf8').on('data', (text: string) => {
		said.out += text;
	});
	started.stderr.setEncoding('utf8').on('data', (text: string) => {
		said.err += text;
	});
	const ended = new Promise<{ code: number | null }>((resolve) => started.once('close', (code) => resolve({ code })));
	return { started, said, ended };
}

test('prints the address and a ticket, serves the page, and ends well on Ctrl-C', async () => {
	const { started, said, ended } = start(['--dir', dir, '--port', '0']);
	await expect.poll(() => said.out, { timeout: 40_000 }).toContain('SW1:');
	await expect.poll(() => said.out).toContain('Ctrl-C');
	const url = /Stileward practice +(http:\/\/127\.0\.0\.1:\d+)/.exec(said.out)?.[1] ?? '';
	const page = await fetch(url);
	expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('practice-secret')]);
	const displays = said.out.match(/http:\S+\/lanes\/lane-[12]/g) ?? [];
	expect(await Promise.all(displays.map(async (display) => (await fetch(display)).status))).toEqual([200, 200]);
	started.kill('SIGINT');
	expect((await ended).code).toBe(0);
	expect(said.err).toBe('');
}, 60_000);

test('lets its administrator sign in by the line that it prints, and tells no secret', async () => {
	const { started, said, ended } = start(['--dir', dir, '--port', '0']);
	await expect.poll(() => said.out, { timeout: 40_000 }).toContain('Ctrl-C');
	const [, line = '', file = ''] = /-- (login .+) < (\S+)/.exec(said.out) ?? [];
	expect((await stat(file)).mode & 0o777).toBe(0o600);
	const password = await readFile(file, 'utf8');
	const env = { STILEWARD_HOME: join(dir, 'home') };
	expect(await runCli(line.split(' '), password, env)).toMatchObject({ code: 0 });
	const devices = await runCli(['device', 'list', '--json'], '', env);
	expect(devices.out).toMatch(/"name":"gate-1"[\s\S]*"name":"gate-2"|"name":"gate-2"[\s\S]*"name":"gate-1"/);
	started.kill('SIGINT');
	await ended;
	const logs = await Promise.all(['agent.log', 'server.log'].map((log) => readFile(join(dir, log), 'utf8')));
	const pins = join(dir, 'server', 'staff.pins');
	expect((await stat(pins)).mode & 0o777).toBe(0o600);
	const secrets = [password.trim(), ...((await readFile(pins, 'utf8')).match(/\d{6}/g) ?? [])];
	expect(secrets).toHaveLength(3);
	for (const text of [said.out, ...logs]) for (const secret of secrets) expect(text).not.toContain(secret);
}, 90_000);

test('says that another practice runs on the same folder', async () => {
	const first = start(['--dir', dir, '--port', '0']);
	await expect.poll(() => first.said.out, { timeout: 40_000 }).toContain('SW1:');
	const second = start(['--dir', dir, '--port', '0']);
	expect((await second.ended).code).toBe(1);
	expect(second.said.err).toContain('ledger_busy');
	first.started.kill('SIGINT');
	await first.ended;
}, 60_000);

test.each([
	[['--port', 'http'], 2, '--port is a number'],
	[['--prot', '1'], 2, '--prot'],
	[['--config', '/nonexistent/gate.yaml'], 1, 'config_invalid'],
] as const)('refuses %j', async (args, code, message) => {
	const { said, ended } = start(args);
	expect((await ended).code).toBe(code);
	expect(said.err).toContain(message);
});

test('explains itself', async () => {
	const { said, ended } = start(['--help']);
	expect((await ended).code).toBe(0);
	expect(said.out).toContain('--config FILE');
});
