import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StilewardError } from '../core/errors.ts';
import type { SerialOptions } from '../serial/serial-port.ts';
import { createLineSplitter, formatCommand, parseReport, type WatchdogCommand } from './watchdog-protocol.ts';

/** A command without its number. */
export type CoilOrder = WatchdogCommand extends infer Each ? (Each extends unknown ? Omit<Each, 'id'> : never) : never;

/** The agent's end of a coil watchdog. Its law is that of a device. */
export interface WatchdogLink {
	readonly pid: number;
	readonly lost: Promise<StilewardError>;
	/** Resolves when the bytes have left the watchdog. Rejects with `device_busy`, `device_timeout` or `device_lost`. */
	order(order: CoilOrder): Promise<void>;
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
interface Waiting {
	settle(failure?: StilewardError): void;
}

/**
 * Starts a watchdog on a port, in its own session, so that a signal to the agent's group does not reach it.
 * Rejects as `openSerialPort` does; `device_timeout` also when the process does not start in time.
 */
export async function startWatchdog(
	options: SerialOptions,
	log: (event: string, fields?: Readonly<Record<string, unknown>>) => void,
): Promise<WatchdogLink> {
	const child = spawnWatchdog(options);
	const ready = Promise.withResolvers<void>();
	const lost = Promise.withResolvers<StilewardError>();
	const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
	const waiting = new Map<number, Waiting>();
	let lastWords = '';
	let ending: Promise<void> | undefined;
	let nextId = 1;

	const fail = (error: StilewardError) => {
		ready.reject(error);
		for (const { settle } of [...waiting.values()]) settle(error);
	};
	const lose = (text: string) => {
		const error = new StilewardError('device_lost', `the coil watchdog of ${options.path} ${text}`);
		fail(error);
		if (ending === undefined) lost.resolve(error);
	};
	const end = () => {
		ending ??= endWatchdog(child, exited);
		return ending;
	};
	child.once('error', (cause) => {
		fail(new StilewardError('library_missing', 'the coil watchdog cannot be started', { cause }));
	});
	child.once('close', (exitCode, signal) => {
		if (exitCode !== 0 && ending === undefined) log('coil_watchdog_ended', { exitCode, signal, lastWords });
		lose('has ended');
	});
	// A write to a dead child fails here as well as by its end.
	child.stdin.on('error', () => {});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		lastWords = (lastWords + text).slice(-lastWordsMax);
	});
	readReports(child, (line) => {
		const report = line === undefined ? undefined : parseReport(line);
		if (report?.kind === 'ready') return ready.resolve();
		if (report?.kind === 'unopened') return ready.reject(new StilewardError(report.code, report.text));
		if (report?.kind === 'ok') return waiting.get(report.id)?.settle();
		if (report?.kind === 'failed') return waiting.get(report.id)?.settle(new StilewardError(report.code, report.text));
		lose('sent what is no report');
	});

	const late = new StilewardError('device_timeout', `the coil watchdog of ${options.path} did not start`);
	const timer = setTimeout(() => ready.reject(late), startMs);
	try {
		await ready.promise;
	} catch (error) {
		await end();
		throw error;
	} finally {
		clearTimeout(timer);
	}
	return {
		pid: child.pid ?? 0,
		lost: lost.promise,
		close: end,
		order(order) {
			if (ending !== undefined || child.exitCode !== null || child.signalCode !== null) {
				return Promise.reject(new StilewardError('device_lost', `the coil watchdog of ${options.path} is gone`));
			}
			if (waiting.size >= ordersMax) {
				return Promise.reject(new StilewardError('device_busy', `${ordersMax} orders wait for ${options.path}`));
			}
			return new Promise((resolve, reject) => {
				const id = nextId++;
				const timeout = setTimeout(() => {
					waiting.get(id)?.settle(new StilewardError('device_timeout', `no report on ${order.kind}`));
					lose('does not report');
				}, orderMs);
				waiting.set(id, {
					settle(failure) {
						clearTimeout(timeout);
						waiting.delete(id);
						if (failure) reject(failure);
						else resolve();
					},
				});
				child.stdin.write(`${formatCommand({ ...order, id })}\n`);
			});
		},
	};
}

function spawnWatchdog(options: SerialOptions): Child {
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

function readReports(child: Child, onLine: (line: string | undefined) => void): void {
	const split = createLineSplitter();
	child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
		const lines = split(chunk);
		if (lines === undefined) onLine(undefined);
		else for (const line of lines) onLine(line);
	});
}

/** Lets it release its coils; one that hangs is killed, else nobody could open the port again. */
async function endWatchdog(child: Child, exited: Promise<void>): Promise<void> {
	child.stdin.end();
	const ended = await Promise.race([exited.then(() => true), delay(closeMs, false)]);
	if (ended) return;
	child.kill('SIGKILL');
	await Promise.race([exited, delay(killMs)]);
}
