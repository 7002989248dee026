import { fstat } from 'node:fs';
import type { SerialPort } from 'serialport';
import { StilewardError } from '../core/errors.ts';
import { createPendingWrites } from './pending-writes.ts';
import { importFailure, openFailure } from './serial-errors.ts';

/** The settings of a serial line. `path` is best a link in `/dev/serial/by-id`, which survives a re-plug. */
export interface SerialOptions {
	readonly path: string;
	readonly baudRate: number;
	/** 8 when absent. */
	readonly dataBits?: 7 | 8;
	/** `none` when absent. */
	readonly parity?: 'none' | 'even' | 'odd';
	/** 1 when absent. */
	readonly stopBits?: 1 | 2;
	/** Hardware flow control; off when absent. */
	readonly rtscts?: boolean;
}

/** What a serial line reports. The bytes come as the kernel gave them, cut anywhere. */
export interface SerialEvents {
	readonly data: (bytes: Uint8Array) => void;
}

/**
 * An open serial line. Its law: `lost` resolves once, with `device_lost`, when the port went away, and the port is
 * closed by then; `close` resolves within `closeTimeoutMs` and may be called twice; after either no byte is delivered.
 */
export interface SerialLine {
	readonly path: string;
	readonly lost: Promise<StilewardError>;
	/**
	 * Resolves once the kernel has taken the bytes. Rejects with `device_lost` after a loss or a close, and with
	 * `device_timeout` after `timeoutMs`; a timeout also ends the line, so that a late command never leaves.
	 */
	write(bytes: Uint8Array, timeoutMs: number): Promise<void>;
	close(): Promise<void>;
}

/** How often an open port is asked whether it still exists, ms. */
export const heartbeatMs = 1000;
/** The longest that `open` waits for a driver of the kernel, ms. */
export const openTimeoutMs = 5000;
/** The longest that `close` waits; a line that cannot send what is queued may hold the kernel for 30 s. */
export const closeTimeoutMs = 1000;

/**
 * Opens a serial port for one owner.
 * Errors: `device_absent`, `device_denied`, `device_busy`, `device_timeout`, `config_invalid`, `library_missing`.
 */
export async function openSerialPort(options: SerialOptions, on: SerialEvents): Promise<SerialLine> {
	const { SerialPort } = await import('serialport').catch((cause) => {
		throw importFailure('serialport', cause);
	});
	const port = new SerialPort({
		path: options.path,
		baudRate: options.baudRate,
		dataBits: options.dataBits ?? 8,
		parity: options.parity ?? 'none',
		stopBits: options.stopBits ?? 1,
		rtscts: options.rtscts ?? false,
		// A board whose reset hangs on DTR starts anew where a closing port drops that line. Whether it does is the system's
		// setting (`stty hupcl`), which the library would switch on with each opening.
		hupcl: false,
		autoOpen: false,
	});
	await openPort(port);
	const refusal = await modemLinesRefusal(port);
	// A port that answers so was unplugged while it was opened.
	if (refusal !== undefined && /Input\/output error|No such device/.test(refusal.message)) {
		await closePort(port, 'discard');
		throw await openFailure(port.path, refusal);
	}
	return serialLine(port, refusal, on.data);
}

function openPort(port: SerialPort): Promise<void> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => {
			reject(new StilewardError('device_timeout', `${port.path} did not open within ${openTimeoutMs} ms`));
			port.once('open', () => port.close(() => {}));
		}, openTimeoutMs);
		port.open((cause) => {
			clearTimeout(timer);
			if (cause === null) resolve();
			else openFailure(port.path, cause).then(reject, reject);
		});
	});
}

function serialLine(port: SerialPort, refusal: Error | undefined, onData: (bytes: Uint8Array) => void): SerialLine {
	const lost = Promise.withResolvers<StilewardError>();
	let ending: Promise<void> | undefined;

	const end = (unsent: 'send' | 'discard'): Promise<void> => {
		ending ??= closePort(port, unsent);
		stopHeartbeat();
		writes.end();
		return ending;
	};
	const lose = (cause: unknown) => {
		if (ending !== undefined) return;
		void end('discard').then(() => lost.resolve(gone(port.path, cause)));
	};
	const writes = createPendingWrites({ path: port.path, gone: (cause) => gone(port.path, cause), onStall: lose });
	const stopHeartbeat = startHeartbeat(port, refusal, lose);
	port.on('error', lose);
	port.on('close', lose);
	// Only a flowing port reads, and only a port that reads notices an unplug: the handler is there from the start.
	port.on('data', (bytes: Uint8Array) => {
		if (ending === undefined) onData(bytes);
	});
	return {
		path: port.path,
		lost: lost.promise,
		close: () => end('send'),
		write: (bytes, timeoutMs) => writes.write(bytes, timeoutMs, (sent, taken) => void port.write(sent, taken)),
	};
}

function gone(path: string, cause?: unknown): StilewardError {
	return new StilewardError('device_lost', `serial port ${path} is gone`, cause === undefined ? {} : { cause });
}

/** Closes the port, after discarding what it has not sent where asked; resolves when it is closed, cannot be, or `closeTimeoutMs` have passed. */
function closePort(port: SerialPort, unsent: 'send' | 'discard'): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, closeTimeoutMs);
		const close = () =>
			port.close(() => {
				clearTimeout(timer);
				resolve();
			});
		if (unsent === 'send') close();
		else port.flush(close);
	});
}

/**
 * Asks an open port every `heartbeatMs` whether it still exists, because serialport 13 can miss an unplug: its read
 * then returns nothing for ever, at the cost of a whole core, until the port is closed.
 * A port that has no modem lines (a pseudo-terminal) refuses the question from the start, and is lost when it
 * refuses in other words than at first. The device node is asked through the open descriptor, whose link count falls
 * to 0 when the node goes, even if a new device takes the same name.
 */
function startHeartbeat(port: SerialPort, refusal: Error | undefined, lose: (cause: unknown) => void): () => void {
	let stopped = false;
	const beat = async () => {
		const failure = await missing(port, refusal);
		if (stopped) return;
		if (failure !== undefined) return lose(failure);
		timer = setTimeout(beat, heartbeatMs);
	};
	let timer = setTimeout(beat, heartbeatMs);
	return () => {
		stopped = true;
		clearTimeout(timer);
	};
}

async function missing(port: SerialPort, refusal: Error | undefined): Promise<Error | undefined> {
	if (!port.isOpen) return new Error('the port is closed');
	const answer = await modemLinesRefusal(port);
	if (answer !== undefined && answer.message !== refusal?.message) return answer;
	// The Linux binding shows its descriptor, which its interface does not declare.
	const fd = (port.port as { fd?: number | null } | undefined)?.fd;
	if (typeof fd !== 'number') return undefined;
	return new Promise((resolve) => {
		fstat(fd, (error, stats) =>
			resolve(error ?? (stats.nlink === 0 ? new Error('the device node is gone') : undefined)),
		);
	});
}

function modemLinesRefusal(port: SerialPort): Promise<Error | undefined> {
	return new Promise((resolve) => port.get((error) => resolve(error ?? undefined)));
}
