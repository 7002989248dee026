import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { chmod, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { StilewardError } from '../core/errors.ts';
import { type Libc, loadLibc } from './libc.ts';

/**
 * A pseudo-terminal that plays a serial device: `path` is what the driver opens, this object is the device's end.
 * `unplug` hangs up whoever holds the port and removes the path; `replug` puts a new device behind the same path.
 */
export interface Pty {
	/** A symbolic link to the slave that outlives an unplug, like `/dev/serial/by-id/…`. */
	readonly path: string;
	/**
	 * Sends bytes to whoever has the port open; text is sent as UTF-8. Resolves once the kernel has taken all of
	 * them; rejects with `device_lost` when the device is or gets unplugged.
	 */
	write(bytes: Uint8Array | string): Promise<void>;
	/** Sets the one receiver of what the other side writes. Without one the bytes are read and dropped. */
	onData(handler: (bytes: Uint8Array) => void): void;
	/** Bytes that the kernel has ready for the reader and that it has not read yet. */
	unreadBytes(): number;
	/** The speed that whoever has the port open has set, in baud; 0 while unplugged. */
	baudRate(): number;
	/** Stops reading what the other side writes, as a device that hangs, until the next `replug`. */
	stall(): void;
	/**
	 * Hangs up whoever has the port open while the path stays: an open port then reads end of file for ever, which
	 * is what serialport 13 makes of some unplugs of real adapters. Only root may.
	 */
	hangUp(): void;
	unplug(): Promise<void>;
	replug(): Promise<void>;
	close(): Promise<void>;
}

/** The device's end of a line, as far as an emulated device needs it: a pseudo-terminal, or a virtual machine's port. */
export type EmulatedLine = Pick<Pty, 'write' | 'onData' | 'unplug' | 'replug'>;

/** How long a write waits before it tries a full kernel buffer again, ms. */
const writeRetryMs = 1;

/**
 * Opens a pseudo-terminal in raw mode, as any user, without a helper program.
 * Errors: `unsupported` elsewhere than on Linux, `library_missing` without glibc.
 */
export async function openPty(options: { libc?: string } = {}): Promise<Pty> {
	const libc = await loadLibc(options.libc);
	const folder = await mkdtemp(join(tmpdir(), 'stileward-pty-'));
	await chmod(folder, 0o755);
	const path = join(folder, 'tty');
	let handler: (bytes: Uint8Array) => void = () => {};
	let queue: Promise<void> = Promise.resolve();
	let pair: PtyPair | undefined;

	const plug = async () => {
		if (pair !== undefined) return;
		pair = openPair(libc, (bytes) => handler(bytes));
		await symlink(pair.slavePath, path);
	};
	const unplug = async () => {
		const gone = pair;
		pair = undefined;
		await rm(path, { force: true });
		await gone?.close();
	};
	await plug();
	return {
		path,
		write(bytes) {
			const target = pair;
			const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
			const written = queue.then(() => writeAll(target, data));
			queue = written.catch(() => {});
			return written;
		},
		onData(next) {
			handler = next;
		},
		unreadBytes: () => (pair === undefined ? 0 : libc.unreadBytes(pair.slaveFd)),
		baudRate: () => (pair === undefined ? 0 : libc.baudRate(pair.slaveFd)),
		stall: () => pair?.stall(),
		hangUp: () => {
			if (pair !== undefined) libc.hangUp(pair.slaveFd);
		},
		unplug,
		replug: plug,
		async close() {
			await unplug();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

interface PtyPair {
	readonly slavePath: string;
	readonly slaveFd: number;
	readonly masterFd: number;
	readonly isOpen: () => boolean;
	stall(): void;
	close(): Promise<void>;
}

/**
 * One master and its slave. The slave is kept open here as well: a master whose last slave was closed reads EIO
 * until the next one opens. Closing the master hangs the slave up whoever holds it.
 */
function openPair(libc: Libc, onBytes: (bytes: Uint8Array) => void): PtyPair {
	const masterFd = libc.openMaster();
	const slavePath = libc.unlockSlave(masterFd);
	const slaveFd = openSync(slavePath, constants.O_RDWR | constants.O_NOCTTY);
	libc.makeRaw(slaveFd);
	// libuv polls the master for reading. Writing through a tty stream would block the whole process when the
	// kernel's buffer is full, because libuv cannot re-open a master without blocking; `writeAll` writes instead.
	const reader = new ReadStream(masterFd);
	const closed = new Promise<void>((resolve) => reader.once('close', () => resolve()));
	reader.on('data', onBytes);
	reader.on('error', () => {});
	return {
		slavePath,
		slaveFd,
		masterFd,
		isOpen: () => !reader.destroyed,
		stall: () => void reader.pause(),
		async close() {
			reader.destroy();
			await closed;
			closeSync(slaveFd);
		},
	};
}

async function writeAll(pair: PtyPair | undefined, bytes: Uint8Array): Promise<void> {
	let offset = 0;
	while (offset < bytes.length) {
		if (!pair?.isOpen()) throw new StilewardError('device_lost', 'the pseudo-terminal is unplugged');
		const taken = writeSome(pair.masterFd, bytes.subarray(offset));
		offset += taken;
		if (offset < bytes.length && taken === 0) await delay(writeRetryMs);
	}
}

/** Writes what the kernel takes at once; 0 when its buffer is full. */
function writeSome(fd: number, bytes: Uint8Array): number {
	try {
		return writeSync(fd, bytes);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
		throw error;
	}
}
