import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../stileward.ts', import.meta.url));

/** Half of a short command is compiling; the tests start hundreds of them. */
const compileCache = fileURLToPath(new URL('../../.build/compile-cache', import.meta.url));

/** How the real command line ended. */
export interface Ended {
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
}

/** The real command line on the Node that runs the tests, in an environment of its own. */
export function cliCommand(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
	// Variables of `npm test` would tell the command where its user is, or that it may not show color.
	const own = { PATH: process.env.PATH ?? '', TZ: 'Asia/Shanghai', NODE_COMPILE_CACHE: compileCache };
	return { file: process.execPath, args: [entry, ...args], env: { ...own, ...env } };
}

/** Starts the command line with pipes. */
export function startCli(args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess {
	const command = cliCommand(args, env);
	return spawn(command.file, command.args, { env: command.env });
}

/** Runs the real command line to its end, with `input` on its standard input. */
export function runCli(
	args: readonly string[],
	input = '',
	env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
	return toEnd(startCli(args, env), input);
}

/** Runs any command to its end in the same way. */
export function spawnToEnd({ file, args, env }: ReturnType<typeof cliCommand>, input = ''): Promise<Ended> {
	return toEnd(spawn(file, args, { env }), input);
}

function toEnd(child: ChildProcess, input: string): Promise<Ended> {
	let out = '';
	let err = '';
	child.stdout?.setEncoding('utf8').on('data', (text) => (out += text));
	child.stderr?.setEncoding('utf8').on('data', (text) => (err += text));
	child.stdin?.on('error', () => {}).end(input);
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, out, err }));
	});
}

/** A folder that is removed at the end: `await using folder = await temporaryFolder()`. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
	const path = await mkdtemp(join(tmpdir(), 'stileward-cli-'));
	return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
