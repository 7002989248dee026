import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { StilewardError } from '../core/errors.ts';
import type { FromHidProcess, ToHidProcess } from './hid-messages.ts';

/** A HID device that a process of its own holds. Its law is that of a device. */
export interface HidLink {
	readonly pid: number;
	readonly lost: Promise<StilewardError>;
	/** Sends an output report, its id first. Rejects with `device_timeout`, `device_protocol` or `device_lost`. */
	write(report: Uint8Array): Promise<void>;
	/** Sends a feature report, its id first. */
	sendFeature(report: Uint8Array): Promise<void>;
	close(): Promise<void>;
}

/** From the start of the process to its open device; a slow board's first start reads Node from a card. */
const startMs = 10_000;
/** A report is taken at the next poll of the bus. */
const reportMs = 500;
/** A process that does not answer within this time hangs in the kernel. */
const answerMs = 1_500;
/** How long it may take to end by itself. */
const closeMs = 700;
const killMs = 500;
/** Reports on their way. */
const callsMax = 8;
const nodeFlags = ['--max-semi-space-size=1', '--max-old-space-size=32', '--disable-warning=ExperimentalWarning'];

/**
 * Opens a HID device in a process of its own, so that a device that hangs is given up and stops nothing.
 * Errors: `device_absent`, `device_denied`, `device_busy`, `device_timeout`, `library_missing`.
 */
export async function openHidLink(path: string, onReport: (report: Uint8Array) => void): Promise<HidLink> {
	const child = spawnHid(path);
	const ready = Promise.withResolvers<void>();
	const lost = Promise.withResolvers<StilewardError>();
	const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
	const calls = createCalls(child, path);
	let gone: StilewardError | undefined;
	let closing: Promise<void> | undefined;

	const lose = (error: StilewardError) => {
		if (gone) return;
		gone = error;
		ready.reject(error);
		calls.fail(error);
		void endProcess(child, exited).then(() => lost.resolve(error));
	};
	child.on('error', (cause) => lose(unstartable(cause)));
	child.once('close', () => lose(new StilewardError('device_lost', `the process of ${path} has ended`)));
	child.on('message', (message: FromHidProcess) => {
		if (message.kind === 'ready') ready.resolve();
		else if (message.kind === 'report') {
			if (!gone) onReport(Buffer.from(message.hex, 'hex'));
		} else if (message.kind === 'done') calls.settle(message.id);
		else if (message.kind === 'failed') calls.settle(message.id, new StilewardError(message.code, message.text));
		else lose(new StilewardError(message.code, message.text));
	});
	if (!(await within(ready.promise, startMs).catch(() => true))) {
		lose(new StilewardError('device_timeout', `${path} did not open within ${startMs / 1000} s`));
	}
	if (gone) {
		await endProcess(child, exited);
		throw gone;
	}
	const send = (kind: ToHidProcess['kind'], report: Uint8Array): Promise<void> => {
		if (gone) return Promise.reject(gone);
		return calls.send(kind, report, (hangs) => lose(new StilewardError('device_lost', hangs.message)));
	};
	return {
		pid: child.pid ?? 0,
		lost: lost.promise,
		write: (report) => send('write', report),
		sendFeature: (report) => send('feature', report),
		close: () => {
			gone ??= new StilewardError('device_lost', `${path} was closed`);
			calls.fail(gone);
			closing ??= endProcess(child, exited);
			return closing;
		},
	};
}

function unstartable(cause: unknown): StilewardError {
	return new StilewardError('library_missing', 'the HID process cannot be started', { cause });
}

/** The reports on their way: each is settled by its answer, by a loss, or by `answerMs`. */
function createCalls(child: ChildProcess, path: string) {
	const waiting = new Map<number, (failure?: StilewardError) => void>();
	let lastId = 0;
	return {
		settle: (id: number, failure?: StilewardError) => waiting.get(id)?.(failure),
		fail: (error: StilewardError) => {
			for (const settle of [...waiting.values()]) settle(error);
		},
		send: (kind: ToHidProcess['kind'], report: Uint8Array, onHang: (hangs: StilewardError) => void): Promise<void> => {
			if (waiting.size >= callsMax) {
				return Promise.reject(new StilewardError('device_busy', `${callsMax} reports wait for ${path}`));
			}
			lastId += 1;
			const id = lastId;
			return new Promise((resolve, reject) => {
				const timer = setTimeout(() => {
					const hangs = new StilewardError('device_timeout', `${path} hangs: no answer within ${answerMs} ms`);
					waiting.get(id)?.(hangs);
					onHang(hangs);
				}, answerMs);
				waiting.set(id, (failure) => {
					clearTimeout(timer);
					waiting.delete(id);
					if (failure) reject(failure);
					else resolve();
				});
				const message: ToHidProcess = { id, kind, hex: Buffer.from(report).toString('hex'), timeoutMs: reportMs };
				child.send(message, () => {});
			});
		},
	};
}

function spawnHid(path: string): ChildProcess {
	const file = fileURLToPath(new URL('./hid-process.ts', import.meta.url));
	const cache = getCompileCacheDir();
	return fork(file, [path], {
		execArgv: nodeFlags,
		// Nothing of the agent's environment is its business; a compile cache saves it a third of its memory.
		env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
		cwd: '/',
		stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
	});
}

/** Lets it close its device; one that hangs in the kernel is killed, and dies when the kernel lets go of it. */
async function endProcess(child: ChildProcess, exited: Promise<void>): Promise<void> {
	if (child.connected) child.disconnect();
	if (await within(exited, closeMs)) return;
	child.kill('SIGKILL');
	await within(exited, killMs);
}

async function within(work: Promise<void>, ms: number): Promise<boolean> {
	const late = Promise.withResolvers<boolean>();
	const timer = setTimeout(() => late.resolve(false), ms);
	try {
		return await Promise.race([work.then(() => true), late.promise]);
	} finally {
		clearTimeout(timer);
	}
}
