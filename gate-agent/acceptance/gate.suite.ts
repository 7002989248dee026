import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { emulateLcus, type LcusEmulator } from '../emulators/lcus-emulator.ts';
import { openPty, type Pty } from '../emulators/pty.ts';

const cli = fileURLToPath(new URL('../../scripts/stileward.ts', import.meta.url));
const exampleConfig = fileURLToPath(new URL('../../device-configs/gates/serial-lcus.yaml', import.meta.url));

/** Runs a command of the command line to its end and gives what it printed. */
export function stileward(...args: readonly string[]): string {
	const run = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
	if (run.status !== 0) throw new Error(`stileward ${args[0]} ${args[1]}: exit ${run.status}\n${run.stderr}`);
	return run.stdout;
}

/** Looks again and again until `look` gives something; fails with `what` after `withinMs`. */
export async function until<T>(what: string, look: () => T | undefined | false, withinMs = 10_000): Promise<T> {
	const endMs = performance.now() + withinMs;
	for (;;) {
		const seen = look();
		if (seen !== undefined && seen !== false) return seen as T;
		if (performance.now() > endMs) throw new Error(`within ${withinMs} ms there was no: ${what}`);
		await sleep(5);
	}
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-gate-'));
	onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
	return dir;
}

/** A line of the gate's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string };

/** A gate process as a technician starts it. */
export interface RunningGate {
	readonly pid: number;
	readonly lines: readonly LogLine[];
	/** Resolves with the next line of this event after `from` lines. */
	line(event: string, match?: Readonly<Record<string, unknown>>, from?: number): Promise<LogLine>;
	readonly url: () => string;
	health(): Promise<Record<string, unknown>>;
	kill(): Promise<void>;
	stop(): Promise<number | null>;
}

/** Starts `gate run` on the example configuration with these settings. */
export function startGate(sets: readonly string[], config = exampleConfig): RunningGate {
	const args = [cli, 'gate', 'run', '--config', config, ...['http.port=0', ...sets].flatMap((set) => ['--set', set])];
	const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
	const lines: LogLine[] = [];
	let errors = '';
	let rest = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		const parts = (rest + text).split('\n');
		rest = parts.pop() ?? '';
		for (const part of parts) lines.push(JSON.parse(part) as LogLine);
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		errors += text;
	});
	const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
	onTestFinished(() => end(child, exited));
	const line: RunningGate['line'] = (event, match = {}, from = 0) => {
		const wanted = (one: LogLine) =>
			one.event === event && Object.entries(match).every(([key, value]) => one[key] === value);
		return until(`log line ${event} ${JSON.stringify(match)}`, () => {
			const found = lines.slice(from).find(wanted);
			if (!found && child.exitCode !== null) throw new Error(`the gate ended with ${child.exitCode}: ${errors}`);
			return found;
		});
	};
	const url = () => String(lines.find(({ event }) => event === 'started')?.url);
	return {
		pid: child.pid ?? 0,
		lines,
		line,
		url,
		health: async () => (await (await fetch(`${url()}/healthz`)).json()) as Record<string, unknown>,
		kill: async () => {
			child.kill('SIGKILL');
			await exited;
		},
		stop: async () => {
			child.kill('SIGTERM');
			return exited;
		},
	};
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
	if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
	await exited;
}

/** A lane on a bench: ptys for scanner and relay, keys, a data folder, and the settings that join them. */
export interface Bench {
	readonly dir: string;
	readonly keys: string;
	readonly data: string;
	readonly scanner: Pty;
	readonly relay: Pty;
	readonly board: LcusEmulator;
	readonly sets: readonly string[];
	issue(...args: readonly string[]): readonly string[];
	rows(): readonly LedgerRow[];
	/** Bytes that reached the board, from the n-th on, as hexadecimal text. */
	bytes(from?: number): string;
}

/** A row as `ledger list --json` prints it. */
export interface LedgerRow {
	readonly seq: number;
	readonly kind: string;
	readonly ticket?: string;
	readonly reason?: string;
	readonly rung?: string;
	readonly lane?: string;
	readonly at: string;
	readonly [field: string]: unknown;
}

/** Sets up keys, ptys and an emulated LCUS board. */
export async function setUpBench(data?: string): Promise<Bench> {
	const dir = temporaryFolder();
	const keys = join(dir, 'keys');
	stileward('keys', 'init', '--dir', keys);
	const [scanner, relay] = await Promise.all([openPty(), openPty()]);
	onTestFinished(async () => {
		await Promise.all([scanner.close(), relay.close()]);
	});
	const board = emulateLcus(relay);
	const folder = data ?? join(dir, 'data');
	return {
		dir,
		keys,
		data: folder,
		scanner,
		relay,
		board,
		sets: [
			`keys=${keys}`,
			`data=${folder}`,
			`lanes.0.scanner.path=${scanner.path}`,
			`lanes.0.relay.path=${relay.path}`,
		],
		issue: (...args) => issue(keys, args),
		rows: () =>
			stileward('ledger', 'list', '--data', folder, '--json')
				.split('\n')
				.filter((line) => line !== '')
				.map((line) => JSON.parse(line) as LedgerRow),
		bytes: (from = 0) =>
			board.received
				.slice(from)
				.map(({ byte }) => byte.toString(16).padStart(2, '0').toUpperCase())
				.join(' '),
	};
}

const hourMs = 3_600_000;

/** An instant so many hours from now, ISO 8601. */
export function hoursFromNow(hours: number): string {
	return new Date(Date.now() + hours * hourMs).toISOString();
}

/** Issues tickets of the example's event that are valid now, unless the arguments say otherwise. */
export function issue(keys: string, args: readonly string[]): readonly string[] {
	const given = (name: string, fallback: string) => (args.includes(name) ? [] : [name, fallback]);
	const defaults = [
		...given('--event', 'lantern-2026'),
		...given('--class', 'adult'),
		...given('--from', hoursFromNow(-1)),
		...given('--until', hoursFromNow(1)),
	];
	return stileward('ticket', 'issue', '--keys', keys, ...defaults, ...args)
		.split('\n')
		.filter((line) => line !== '');
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
	const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
	return Number(pages) * 4096;
}

export const on = 'A0 01 01 A2';
export const off = 'A0 01 00 A1';
