import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const cli = fileURLToPath(new URL('../../scripts/stileward.ts', import.meta.url));

/** Node with the options of `npm run stileward`, whose figures of memory and start are the ones that count. */
const program = [process.execPath, '--max-semi-space-size=2', cli];
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url));
const env = { NODE_COMPILE_CACHE: compileCache, ...process.env };

/** A configuration in device-configs/gates. */
export function exampleConfig(name: string): string {
	return fileURLToPath(new URL(`../../device-configs/gates/${name}.yaml`, import.meta.url));
}

/**
 * Runs a command of the command line to its end and gives what it printed. Never waits in a blocking way: emulated
 * boards answer from this process.
 */
export async function stileward(...args: readonly string[]): Promise<string> {
	const [node = '', ...rest] = program;
	const { stdout } = await promisify(execFile)(node, [...rest, ...args], { env, maxBuffer: 64 * 1024 * 1024 });
	return stdout;
}

type Seen<T> = T | undefined | false;

/** Looks again and again until `look` gives something; fails with `what` after `withinMs`. */
export async function until<T>(
	what: string | (() => string),
	look: () => Seen<T> | Promise<Seen<T>>,
	withinMs = 10_000,
): Promise<NonNullable<T>> {
	const endMs = performance.now() + withinMs;
	for (;;) {
		const seen = await look();
		if (seen !== undefined && seen !== false && seen !== null) return seen;
		if (performance.now() > endMs)
			throw new Error(`within ${withinMs} ms there was no: ${typeof what === 'string' ? what : what()}`);
		await sleep(5);
	}
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-gate-'));
	onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
	return dir;
}

/** A line of the gate's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string };

/** What `/healthz` says of one lane. */
export type LaneHealth = Readonly<Record<string, unknown>>;

/** A gate process as a technician starts it. */
export interface RunningGate {
	readonly pid: number;
	readonly lines: readonly LogLine[];
	/** All that it printed, on both streams. */
	readonly printed: () => string;
	/** Resolves with the next line of this event after `from` lines. */
	line(event: string, match?: Readonly<Record<string, unknown>>, from?: number): Promise<LogLine>;
	readonly ready: () => Promise<LogLine>;
	health(): Promise<Record<string, unknown>>;
	lane(id?: string): Promise<LaneHealth>;
	metrics(): Promise<string>;
	/** What a display that connects now is told to show. */
	screen(lane?: string): Promise<Record<string, unknown>>;
	kill(): Promise<void>;
	stop(): Promise<number | null>;
	/** Resolves with the exit code of a gate that ends by itself. */
	ended(): Promise<number | null>;
}

/** Characters of the log that the message of a failed test shows. */
const toldMax = 3_000;

/** How a gate is started otherwise than by default. */
export interface StartOptions {
	readonly config?: string;
	/** More arguments of `gate run`. */
	readonly args?: readonly string[];
	/** A command that becomes the gate, e.g. inside a namespace of its own. */
	readonly within?: readonly string[];
}

/** Starts `gate run` with these settings. */
export function startGate(sets: readonly string[], options: StartOptions = {}): RunningGate {
	const { config = exampleConfig('serial-lcus'), within = [], args: more = [] } = options;
	const settings = ['http.port=0', ...sets].flatMap((set) => ['--set', set]);
	const [command = '', ...args] = [...within, ...program, 'gate', 'run', '--config', config, ...more, ...settings];
	const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
	const log = readLog(child);
	const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
	onTestFinished(() => end(child, exited));
	const line: RunningGate['line'] = (event, match = {}, from = 0) => {
		const wanted = (one: LogLine) =>
			one.event === event && Object.entries(match).every(([key, value]) => one[key] === value);
		const told = () => log.printed().slice(-toldMax);
		return until(
			() => `log line ${event} ${JSON.stringify(match)} after\n${told()}`,
			() => {
				const found = log.lines.slice(from).find(wanted);
				if (!found && child.exitCode !== null) throw new Error(`the gate ended with ${child.exitCode}: ${told()}`);
				return found;
			},
		);
	};
	const kill = async (signal: NodeJS.Signals) => {
		child.kill(signal);
		return exited;
	};
	return {
		pid: child.pid ?? 0,
		...log,
		line,
		ready: () => line('ready', { ready: true }),
		...web(async () => {
			await line('http_listening');
			// A gate that was given another configuration may listen elsewhere.
			return String(log.lines.findLast(({ event }) => event === 'http_listening')?.url);
		}),
		kill: async () => void (await kill('SIGKILL')),
		stop: () => kill('SIGTERM'),
		ended: () => exited,
	};
}

function readLog(child: ChildProcess): Pick<RunningGate, 'lines' | 'printed'> {
	const lines: LogLine[] = [];
	let printed = '';
	let rest = '';
	child.stdout?.setEncoding('utf8').on('data', (text: string) => {
		printed += text;
		const parts = (rest + text).split('\n');
		rest = parts.pop() ?? '';
		for (const part of parts) lines.push(JSON.parse(part) as LogLine);
	});
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		printed += text;
	});
	return { lines, printed: () => printed };
}

function web(url: () => Promise<string>): Pick<RunningGate, 'health' | 'lane' | 'metrics' | 'screen'> {
	const health = async () => (await (await fetch(`${await url()}/healthz`)).json()) as Record<string, unknown>;
	return {
		health,
		lane: async (id = 'lane-1') => ((await health()).lanes as Record<string, LaneHealth>)[id] ?? {},
		metrics: async () => (await fetch(`${await url()}/metrics`)).text(),
		screen: async (lane = 'lane-1') => {
			const stop = new AbortController();
			const { body } = await fetch(`${await url()}/lanes/${lane}/events`, { signal: stop.signal });
			let text = '';
			for await (const part of body ?? []) {
				text += Buffer.from(part).toString();
				if (/^data: .*\n/m.test(text)) break;
			}
			stop.abort();
			return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '{}').screen as Record<string, unknown>;
		},
	};
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
	if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
	await exited;
}

/** A row as `ledger list --json` prints it. */
export interface LedgerRow {
	readonly seq: number;
	readonly kind: string;
	readonly ticket: string | null;
	readonly reason: string | null;
	readonly rung: string | null;
	readonly lane: string | null;
	readonly at: string;
	readonly [field: string]: unknown;
}

/** The journal of a data folder, as the command line lists it. */
export async function listRows(data: string): Promise<readonly LedgerRow[]> {
	return linesOf(await stileward('ledger', 'list', '--data', data, '--json')).map((line) => JSON.parse(line));
}

/** Makes a key folder. */
export async function makeKeys(dir: string): Promise<string> {
	await stileward('keys', 'init', '--dir', dir);
	return dir;
}

const hourMs = 3_600_000;

/** An instant so many hours from now, ISO 8601. */
export function hoursFromNow(hours: number): string {
	return new Date(Date.now() + hours * hourMs).toISOString();
}

/** Issues tickets of the example's event that are valid now, unless the arguments say otherwise. */
export async function issue(keys: string, args: readonly string[]): Promise<readonly string[]> {
	const given = (name: string, fallback: string) => (args.includes(name) ? [] : [name, fallback]);
	const defaults = [
		...given('--event', 'lantern-2026'),
		...given('--class', 'adult'),
		...given('--from', hoursFromNow(-1)),
		...given('--until', hoursFromNow(1)),
	];
	return linesOf(await stileward('ticket', 'issue', '--keys', keys, ...defaults, ...args));
}

function linesOf(text: string): string[] {
	return text.split('\n').filter((line) => line !== '');
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
	const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
	return Number(pages) * 4096;
}
