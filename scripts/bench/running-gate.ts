import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openPty, type Pty } from '../../gate-agent/emulators/pty.ts';
import { programArguments } from './program.ts';
import { gateFile, root } from './venue.ts';

/** A gate in a process of its own, as `gate run` makes it, with both serial devices on pseudo-terminals. */
export interface RunningGate {
	/** Milliseconds from the start of `npm run stileward`, without npm itself, to its `ready` line. */
	readonly readyMs: number;
	/** Writes a code to the scanner's line. */
	scan(code: string): Promise<void>;
	/** Bytes that reached the relay board; each call replaces the receiver. */
	onRelay(receive: (bytes: Uint8Array) => void): void;
	/** Lines of the gate's log; each call replaces the receiver. */
	onLog(receive: (line: Readonly<Record<string, unknown>>) => void): void;
	/** Resident memory of the agent and of the processes that it started, in bytes. */
	memory(): { readonly agent: number; readonly children: number };
	close(): Promise<void>;
}

const readyWithinMs = 15_000;

/** Starts the example gate. `sets` are further settings. */
export async function startGate(dir: string, keys: string, sets: readonly string[] = []): Promise<RunningGate> {
	const [scanner, relay] = await Promise.all([openPty(), openPty()]);
	const settings = [
		`keys=${keys}`,
		`data=${join(dir, 'data')}`,
		'http.port=0',
		`lanes.0.scanner.path=${scanner.path}`,
		`lanes.0.relay.path=${relay.path}`,
		...sets,
	];
	const startedAt = performance.now();
	const child = spawn(
		process.execPath,
		[...programArguments(), 'gate', 'run', '--config', gateFile, ...settings.flatMap((each) => ['--set', each])],
		{ cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
	);
	const log = readLog(child);
	const ready = await log
		.until((line) => line.ready === true, readyWithinMs)
		.catch(async (error: unknown) => {
			await closeAll(child, [scanner, relay]);
			throw error;
		});
	return {
		readyMs: ready - startedAt,
		scan: (code) => scanner.write(`${code}\r`),
		onRelay: (receive) => relay.onData(receive),
		onLog: log.receiveBy,
		memory: () => ({ agent: residentBytes(child.pid ?? 0), children: childBytes(child.pid ?? 0) }),
		close: () => closeAll(child, [scanner, relay]),
	};
}

function readLog(child: ChildProcess) {
	let receive: (line: Readonly<Record<string, unknown>>) => void = () => {};
	if (!child.stdout) throw new Error('assertion failed: the gate has a piped output');
	createInterface(child.stdout).on('line', (text) => {
		if (text.startsWith('{')) receive(JSON.parse(text) as Readonly<Record<string, unknown>>);
	});
	return {
		receiveBy: (next: typeof receive) => {
			receive = next;
		},
		/** Resolves with the time of the first line that matches. */
		until: (matches: (line: Readonly<Record<string, unknown>>) => boolean, withinMs: number) =>
			new Promise<number>((resolve, reject) => {
				const late = setTimeout(() => reject(new Error(`the gate was not ready in ${withinMs} ms`)), withinMs);
				child.once('exit', (code) => reject(new Error(`the gate ended with code ${code}`)));
				receive = (line) => {
					if (!matches(line)) return;
					clearTimeout(late);
					resolve(performance.now());
				};
			}),
	};
}

async function closeAll(child: ChildProcess, ptys: readonly Pty[]): Promise<void> {
	if (child.exitCode === null && child.signalCode === null) {
		const ended = new Promise((resolve) => child.once('exit', resolve));
		child.kill('SIGTERM');
		await ended;
	}
	await Promise.all(ptys.map((pty) => pty.close()));
}

function residentBytes(pid: number): number {
	const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
	return Number(kilobytes ?? 0) * 1024;
}

function childBytes(pid: number): number {
	const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
	return pids.reduce((sum, child) => sum + residentBytes(Number(child)), 0);
}
