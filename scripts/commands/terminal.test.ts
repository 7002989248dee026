import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPty } from '../../gate-agent/emulators/pty.ts';
import { cliCommand, runCli, temporaryFolder } from './cli.suite.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

/** Runs the command line on a terminal and gives what the terminal received, with `␛` for the escape character. */
async function runOnTerminal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
	const pty = await openPty();
	const chunks: Uint8Array[] = [];
	pty.onData((bytes) => chunks.push(bytes));
	const tty = await open(pty.path, 'r+');
	try {
		const { file, args: all, env: clean } = cliCommand(args, { TERM: 'xterm-256color', ...env });
		const child = spawn(file, all, { env: clean, stdio: [tty.fd, tty.fd, tty.fd] });
		await once(child, 'close');
		await expect.poll(() => pty.unreadBytes(), { timeout: 5000 }).toBe(0);
	} finally {
		await tty.close();
		await pty.close();
	}
	return Buffer.concat(chunks).toString('utf8').replaceAll('\x1b', '␛');
}

function issue(...more: readonly string[]): readonly string[] {
	const validity = ['--from', '2026-02-01T00:00Z', '--until', '2026-12-01T00:00Z'];
	return ['ticket', 'issue', '--keys', folder.path, '--event', 'opera', '--class', 'adult', ...validity, ...more];
}

beforeAll(async () => {
	folder = await temporaryFolder();
	expect((await runCli(['keys', 'init', '--dir', folder.path])).code).toBe(0);
});

afterAll(() => folder[Symbol.asyncDispose]());

describe('the command line on a terminal', () => {
	it('draws the code in its own black and white, and plainly when NO_COLOR is set', async () => {
		const colored = await runOnTerminal(issue('--format', 'qr'));
		expect(colored).toMatch(/^(?:␛\[38;5;16;48;5;231m[█▀▄ ]{53}␛\[0m\r?\n){27}␛\[1mopera\/\d+␛\[0m/);
		const plain = await runOnTerminal(issue('--format', 'qr'), { NO_COLOR: '1' });
		expect(plain).toMatch(/^(?:[█▀▄ ]{53}\r?\n){27}opera\/\d+ /);
		expect(plain).not.toContain('␛');
	});

	it('colors what it found only when it may', async () => {
		const ticket = (await runCli(issue())).out.trimEnd();
		const inspect = ['ticket', 'inspect', '--keys', folder.path, ticket];
		expect(await runOnTerminal(inspect)).toContain('␛[32mvalid␛[0m');
		expect(await runOnTerminal(inspect, { NO_COLOR: '1' })).not.toContain('␛');
		expect((await runCli(inspect)).out).not.toContain('␛');
	});

	it('counts on the terminal while files are written, and is silent elsewhere', async () => {
		const dir = join(folder.path, 'print');
		const shown = await runOnTerminal(issue('--count', '1200', '--format', 'svg', '--out', dir));
		expect(shown).toMatch(/\r1024 of 1200 tickets\r1200 of 1200 tickets\r?\n$/);
	});
});
