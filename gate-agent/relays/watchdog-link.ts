import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StilewardError } from '../core/errors.ts';
import { type CoilPortOptions, coilPortName } from './coil-port.ts';
import {
	type CoilCommand,
	createLineSplitter,
	formatCommand,
	parseReport,
	type WatchdogReport,
} from './watchdog-protocol.ts';

/** A command without its number. */
export type CoilOrder = CoilCommand extends infer Each ? (Each extends unknown ? Omit<Each, 'id'> : never) : never;

/** The agent's end of a coil watchdog. Its law is that of a device. */
export interface WatchdogLink {
	readonly pid: number;
	readonly lost: Promise<StilewardError>;
	/** Resolves when the bytes have left the watchdog. Rejects with `device_busy`, `device_timeout` or `device_lost`. */
	order(order: CoilOrder): Promise<void>;
	/** Which coils are closed; undefined where the board cannot tell. */
	read(): Promise<readonly boolean[] | undefined>;
	/** Ends the watchdog as the agent's death would: what is on goes off, what is held stays. */
	close(): Promise<void>;
}

/** From the start of the process to its open port; a slow board's first start reads Node from a card. */
const startMs = 10_000;
/** A watchdog that does not report within this time hangs. */
const orderMs = 1500;
/** The watchdog's own limit for a release, and some time to end. */
const closeMs = 2000;
/** How long the kernel may take to end a killed process. */
const killMs = 500;
/** Orders on their way. A lane has one. */
const ordersMax = 16;
/** Kept of what a dying watchdog writes. */
const lastWordsMax = 2000;
/** It keeps no tickets: a small heap is enough, and is collected early. */
const nodeFlags = ['--max-semi-space-size=1', '--max-old-space-size=32', '--disable-warning=ExperimentalWarning'];

type Child = ChildProcessByStdio<Writable, Readable, Readable>;
type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

/**
 * Starts a watchdog on a port, in its own session, so that a signal to the agent's group does not reach it.
 * Rejects as `openCoilPort` does; `device_timeout` also when the process does not start in time.
 */
export async function startWatchdog(options: CoilPortOptions, log: Log): Promise<WatchdogLink> {
	const child = spawnWatchdog(options);
	const path = coilPortName(options);
	const ready = Promise.withResolvers<void>();
	const lost = Promise.withResolvers<StilewardError>();
	const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
	const stays = Promise.withResolvers<void>();
	const orders = createOrders(child.stdin);
	let gone: StilewardError | undefined;
	let ending: Promise<void> | undefined;

	const lose = (text: string) => {
		gone ??= new StilewardError('device_lost', `the coil watchdog of ${path} ${text}`);
		ready.reject(gone);
		orders.fail(gone);
		if (ending === undefined) lost.resolve(gone);
	};
	const end = () => {
		gone ??= new StilewardError('device_lost', `${path} was closed`);
		ending ??= endWatchdog(child, exited, stays.promise);
		return ending;
	};
	child.once('error', (cause) => {
		ready.reject(new StilewardError('library_missing', 'the coil watchdog cannot be started', { cause }));
	});
	const lastWords = keepLastWords(child);
	child.once('close', (exitCode, signal) => {
		if (exitCode !== 0 && ending === undefined)
			log('coil_watchdog_ended', { exitCode, signal, lastWords: lastWords() });
		lose('has ended');
	});
	readReports(child, (report) => {
		if (report === undefined) lose('sent what is no report');
		else if (report.kind === 'ready') ready.resolve();
		else if (report.kind === 'stays') stays.resolve();
		else if (report.kind === 'unopened') ready.reject(new StilewardError(report.code, report.text));
		else if (report.kind === 'ok') orders.settle(report.id, report.states);
		else orders.settle(report.id, new StilewardError(report.code, report.text));
	});

	await inTime(ready.promise, new StilewardError('device_timeout', `the coil watchdog of ${path} did not start`)).catch(
		async (error) => {
			await end();
			throw error;
		},
	);
	return {
		pid: child.pid ?? 0,
		lost: lost.promise,
		close: end,
		order: async (order) => {
			if (gone) throw gone;
			await orders.send(order, () => lose('does not report'));
		},
		read: () => (gone ? Promise.reject(gone) : orders.send({ kind: 'read' }, () => lose('does not report'))),
	};
}

/** Rejects with `late` when the watchdog is not ready within `startMs`. */
async function inTime(ready: Promise<void>, late: StilewardError): Promise<void> {
	const timer = Promise.withResolvers<never>();
	const timeout = setTimeout(() => timer.reject(late), startMs);
	try {
		await Promise.race([ready, timer.promise]);
	} finally {
		clearTimeout(timeout);
	}
}

/** The coils where they were asked for, or why it failed. */
type Outcome = readonly boolean[] | StilewardError | undefined;

/** The orders on their way: each is settled by its report, by a loss or by `orderMs`. */
function createOrders(input: Writable) {
	const waiting = new Map<number, (outcome: Outcome) => void>();
	let nextId = 1;
	const settle = (id: number, outcome: Outcome) => waiting.get(id)?.(outcome);
	return {
		settle,
		fail(error: StilewardError) {
			for (const id of [...waiting.keys()]) settle(id, error);
		},
		send(order: CoilOrder | { kind: 'read' }, hangs: () => void): Promise<readonly boolean[] | undefined> {
			if (waiting.size >= ordersMax) {
				return Promise.reject(new StilewardError('device_busy', `${ordersMax} orders wait for the coil watchdog`));
			}
			return new Promise((resolve, reject) => {
				const id = nextId++;
				const timeout = setTimeout(() => {
					settle(id, new StilewardError('device_timeout', `the coil watchdog does not report on ${order.kind}`));
					hangs();
				}, orderMs);
				waiting.set(id, (outcome) => {
					clearTimeout(timeout);
					waiting.delete(id);
					if (outcome instanceof StilewardError) reject(outcome);
					else resolve(outcome);
				});
				input.write(`${formatCommand({ ...order, id })}\n`);
			});
		},
	};
}

function spawnWatchdog(options: CoilPortOptions): Child {
	const file = fileURLToPath(new URL('./coil-watchdog.ts', import.meta.url));
	const cache = getCompileCacheDir();
	return spawn(process.execPath, [...nodeFlags, file, JSON.stringify(options)], {
		detached: true,
		// Nothing of the agent's environment is its business; a compile cache saves it a third of its memory.
		env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
		cwd: '/',
		stdio: ['pipe', 'pipe', 'pipe'],
	});
}

/** Hears every report; undefined is a line that is none. */
function readReports(child: Child, onReport: (report: WatchdogReport | undefined) => void): void {
	const split = createLineSplitter();
	child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
		const lines = split(chunk);
		if (lines === undefined) onReport(undefined);
		else for (const line of lines) onReport(parseReport(line));
	});
}

/** What it last wrote to its standard error: why it died. */
function keepLastWords(child: Child): () => string {
	let words = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		words = (words + text).slice(-lastWordsMax);
	});
	// A write to a dead child fails here as well as by its end.
	child.stdin.on('error', () => {});
	return () => words;
}

/** It goes on without this process. */
function leave(child: Child): void {
	child.stdout.destroy();
	child.stderr.destroy();
	child.unref();
}

/** Lets it release its coils; one that hangs is killed, else nobody could open the port again. */
async function endWatchdog(child: Child, exited: Promise<void>, stays: Promise<void>): Promise<void> {
	child.stdin.end();
	const how = await Promise.race([exited.then(() => 'ended'), stays.then(() => 'stays'), delay(closeMs, 'hangs')]);
	if (how === 'ended') return;
	if (how === 'stays') return leave(child);
	child.kill('SIGKILL');
	await Promise.race([exited, delay(killMs)]);
}
