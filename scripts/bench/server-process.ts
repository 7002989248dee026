import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { classPolicyDefaults, type Policy } from '../../gate-agent/core/policy.ts';
import { createHttpsClient, type HttpsClient } from '../../sync/node/https-client.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { programArguments } from './program.ts';
import { event, root } from './venue.ts';

/** A process of `server run`. */
export interface RunningProcess {
	readonly url: string;
	readonly fingerprint: string;
	/** Stops its process in the middle of everything, or lets it go on. */
	freeze(isFrozen: boolean): void;
	/** CPU seconds that its process has used since its start. */
	cpuSeconds(): number;
	close(): Promise<void>;
}

/** A server in a process of its own, as `server run` makes it, and the administrator who is signed in to it. */
export interface ServerProcess extends RunningProcess {
	readonly client: HttpsClient;
	/** Asks as the administrator, below `/v1/office`. */
	office(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>>;
}

const operator = { name: 'bench', password: randomBytes(18).toString('base64url') };
const readyWithinMs = 30_000;

/** Starts a server with its data under `dir`. `store`: as given to `server run`. */
export async function startServerProcess(dir: string, store?: string): Promise<ServerProcess> {
	const where = ['--data', dir, ...(store === undefined ? [] : ['--store', store])];
	await runProgram(
		['server', 'operator', ...where, '--name', operator.name, '--role', 'administrator', '--password-stdin'],
		`${operator.password}\n`,
	);
	const running = await runServer(where);
	const { url, fingerprint } = running;
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
	const login = await ask(client, { method: 'POST', path: '/v1/office/login', body: operator });
	const authorization = { authorization: `Bearer ${login.token}` };
	return {
		...running,
		client,
		office: (method, path, body) =>
			ask(client, { method, path: `/v1/office${path}`, headers: authorization, timeoutMs: 300_000, body }),
		close: async () => {
			client.close();
			await running.close();
		},
	};
}

/** Starts `server run` with these words behind it and waits until it is ready. */
export async function runServer(words: readonly string[]): Promise<RunningProcess> {
	const args = [...programArguments(), 'server', 'run', ...words, '--listen', '127.0.0.1:0'];
	const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
	const { url, fingerprint } = await readyOf(child);
	return {
		url,
		fingerprint,
		freeze: (isFrozen) => void child.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT'),
		cpuSeconds: () => cpuSecondsOf(child.pid),
		close: async () => {
			if (child.exitCode !== null || child.signalCode !== null) return;
			child.kill('SIGTERM');
			await once(child, 'exit');
		},
	};
}

/** The rules of the event of the measurements. */
export const policy: Policy = {
	evt: event.evt,
	timeZone: 'Asia/Shanghai',
	dayStartsAtMinutes: 0,
	classes: { adult: classPolicyDefaults },
	unknownClass: 'admit',
	sessions: {},
};

/** Makes the event of the measurements. */
export async function createEvent(server: ServerProcess): Promise<void> {
	await server.office('PUT', `/events/${event.evt}`, { policy });
}

/** Asks and reads the answer's JSON; waits where the server says that it is asked too often. */
export async function ask(
	client: HttpsClient,
	request: Parameters<HttpsClient['send']>[0],
): Promise<Readonly<Record<string, unknown>>> {
	for (;;) {
		const { status, body } = await client.send(request);
		const answer = JSON.parse(body.toString()) as Record<string, unknown>;
		if (status === 200) return answer;
		if (answer.code !== 'rate_limited') throw new Error(`${request.path}: ${status} ${JSON.stringify(answer)}`);
		await sleep(Number(answer.retryAfterMs ?? 100));
	}
}

/** Runs a command of the command line to its end. */
export async function runProgram(words: readonly string[], input: string): Promise<void> {
	const child = spawn(process.execPath, [...programArguments(), ...words], {
		cwd: root,
		stdio: ['pipe', 'ignore', 'inherit'],
	});
	child.stdin.end(input);
	const [code] = await once(child, 'exit');
	if (code !== 0) throw new Error(`${words.slice(0, 2).join(' ')} ended with code ${code}`);
}

async function readyOf(child: ChildProcess): Promise<{ url: string; fingerprint: string }> {
	if (!child.stdout) throw new Error('assertion failed: the server has a piped output');
	const late = setTimeout(() => child.kill('SIGKILL'), readyWithinMs);
	for await (const line of createInterface(child.stdout)) {
		const entry = JSON.parse(line) as { event?: string; url: string; fingerprint: string };
		if (entry.event !== 'ready') continue;
		clearTimeout(late);
		child.stdout.resume();
		return entry;
	}
	throw new Error(`the server was not ready in ${readyWithinMs} ms`);
}
