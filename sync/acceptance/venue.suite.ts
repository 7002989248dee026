import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { createHttpsClient, type HttpsRequest } from '../node/https-client.ts';
import { type Answer, readAnswer } from './answer.suite.ts';

const program = fileURLToPath(new URL('../../scripts/stileward.ts', import.meta.url));
const compileCache = fileURLToPath(new URL('../../.build/compile-cache', import.meta.url));

const operator = { name: 'mina', password: 'correct horse battery staple' } as const;

/** The event of every venue, with a class of one use and one of groups. */
export const evt = 'lantern-2026';

/** How long anything may take on a machine that is busy. */
export const patienceMs = 90_000;
// Whoever imports this file starts processes, in hooks too.
vi.setConfig({ testTimeout: 2 * patienceMs, hookTimeout: patienceMs });

/** Looks again and again until `look` gives something. */
export async function until<T>(
	what: string,
	look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
	const endMs = performance.now() + patienceMs;
	for (;;) {
		const seen = await look();
		if (seen !== undefined && seen !== false) return seen;
		if (performance.now() > endMs) throw new Error(`there was no: ${what}`);
		await sleep(5);
	}
}

/** How a command of the command line ended. */
export interface Ended {
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
}

/** A line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string };

/** A venue whose server is a process of its own, started as an administrator starts it. */
export interface Venue extends AsyncDisposable {
	readonly id: string;
	readonly url: string;
	/** What devices pin. */
	readonly fingerprint: string;
	/** Folder of its keys and data. */
	readonly data: string;
	/** All lines that its servers have logged. */
	readonly lines: readonly LogLine[];
	pid(): number;
	/** Runs the command line with the session of this venue's operator. */
	cli(args: readonly string[], input?: string): Promise<Ended>;
	/** The same, for a command that must succeed: gives what it printed. */
	done(...args: readonly string[]): Promise<string>;
	/** A call of the operator over HTTPS, for what would need a process each time. */
	office(request: HttpsRequest): Promise<Answer>;
	/** Issues tickets and gives their numbers. */
	issue(order: string, count: number, use?: number): Promise<readonly number[]>;
	/** Ends the server and waits until it is gone. */
	end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
	/** Starts it again on the same data, at the same address. */
	start(): Promise<void>;
}

/** How a venue differs from an ordinary one. */
export interface VenueOptions {
	readonly id?: string;
	/** `--store`; absent means a file in the data folder. */
	readonly store?: string | undefined;
}

/** Makes a venue with an operator who is signed in, and an event on sale; its server runs. */
export async function openVenue({ id = 'harbor', store }: VenueOptions = {}): Promise<Venue> {
	const dir = await mkdtemp(join(tmpdir(), 'stileward-venue-'));
	const data = join(dir, 'server');
	const home = join(dir, 'home');
	const place = ['--data', data, '--venue', id, ...(store === undefined ? [] : ['--store', store])];
	const run = (args: readonly string[], input = '') => runCommand(args, { home, input });
	await succeed(
		await run(
			['server', 'operator', ...place, '--name', operator.name, '--role', 'administrator', '--password-stdin'],
			operator.password,
		),
	);
	const lines: LogLine[] = [];
	let server = await launch([...place, '--listen', '127.0.0.1:0'], lines);
	const { url, fingerprint } = server;
	const done = async (...args: readonly string[]) => succeed(await run(args));
	await succeed(
		await run(
			['login', '--server', url, '--fingerprint', fingerprint, '--name', operator.name, '--password-stdin'],
			operator.password,
		),
	);
	await done('event', 'create', '--id', evt, '--class', 'adult', '--class', 'group');
	const { token } = JSON.parse(await readFile(join(home, 'session-default.json'), 'utf8')) as { token: string };
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
	return {
		...{ id, url, fingerprint, data, lines, done },
		pid: () => server.child.pid ?? 0,
		cli: run,
		office: async (request) => {
			const headers = { ...request.headers, authorization: `Bearer ${token}` };
			return readAnswer(await client.send({ timeoutMs: 30_000, ...request, headers }));
		},
		issue: async (order, count, use = 1) => {
			const kind = use === 1 ? ['--class', 'adult'] : ['--class', 'group', '--use', String(use)];
			const about = ['--event', evt, ...kind, '--count', String(count), '--order', order, '--json'];
			const printed = await done('order', 'issue', ...about);
			return printed
				.trimEnd()
				.split('\n')
				.map((line) => (JSON.parse(line) as { idx: number }).idx);
		},
		end: (signal) => endProcess(server.child, signal),
		start: async () => {
			server = await launch([...place, '--listen', new URL(url).host], lines);
		},
		[Symbol.asyncDispose]: async () => {
			client.close();
			await endProcess(server.child, 'SIGKILL');
			await rm(dir, { recursive: true, force: true });
		},
	};
}

function startCommand(args: readonly string[], home: string): ChildProcess {
	const env = { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: compileCache, STILEWARD_HOME: home };
	const child = spawn(process.execPath, ['--max-semi-space-size=2', program, ...args], { env });
	const endWithTests = () => void child.kill('SIGKILL');
	process.once('exit', endWithTests);
	child.once('close', () => process.off('exit', endWithTests));
	return child;
}

function runCommand(args: readonly string[], given: { readonly home: string; readonly input: string }): Promise<Ended> {
	const child = startCommand(args, given.home);
	const [out, err] = [textOf(child.stdout), textOf(child.stderr)];
	child.stdin?.on('error', () => {}).end(given.input);
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, out: out(), err: err() }));
	});
}

async function succeed({ code, out, err }: Ended): Promise<string> {
	if (code !== 0) throw new Error(`the command ended with ${code}: ${err}`);
	return out;
}

interface Launched {
	readonly child: ChildProcess;
	readonly url: string;
	readonly fingerprint: string;
}

/** Starts `server run` and waits for its `ready`; its port may still be in use by a connection that is closing. */
async function launch(args: readonly string[], lines: LogLine[]): Promise<Launched> {
	const endMs = performance.now() + patienceMs;
	for (;;) {
		const before = lines.length;
		const child = startCommand(['server', 'run', ...args], '');
		const err = textOf(child.stderr);
		readLines(child, lines);
		const exited = new Promise((resolve) => child.once('close', resolve));
		let ended = false;
		void exited.then(() => {
			ended = true;
		});
		while (!ended && performance.now() < endMs) {
			const ready = lines.slice(before).find(({ event }) => event === 'ready');
			// The `ready` line carries both.
			if (ready) return { child, url: String(ready.url), fingerprint: String(ready.fingerprint) };
			await sleep(5);
		}
		child.kill('SIGKILL');
		await exited;
		if (performance.now() > endMs || !err().includes('address_unavailable')) {
			throw new Error(`the server did not start: ${err()} ${JSON.stringify(lines.slice(before))}`);
		}
	}
}

function readLines(child: ChildProcess, lines: LogLine[]): void {
	let rest = '';
	child.stdout?.setEncoding('utf8').on('data', (text: string) => {
		const parts = (rest + text).split('\n');
		rest = parts.pop() ?? '';
		for (const part of parts) lines.push(JSON.parse(part) as LogLine);
	});
}

function textOf(stream: ChildProcess['stdout']): () => string {
	let text = '';
	stream?.setEncoding('utf8').on('data', (part: string) => {
		text += part;
	});
	return () => text;
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
	if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
	const closed = new Promise((resolve) => child.once('close', resolve));
	child.kill(signal);
	await closed;
	return child.exitCode;
}
