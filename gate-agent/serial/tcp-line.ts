import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { StilewardError } from '../core/errors.ts';
import { createPendingWrites } from './pending-writes.ts';
import type { SerialEvents, SerialLine } from './serial-port.ts';

/** Where a device behind Ethernet listens. */
export interface TcpOptions {
	readonly host: string;
	readonly port: number;
}

/** A board on the same network answers within milliseconds; one that does not is not there. */
const connectMs = 2_000;

/** The kernel asks a silent peer whether it lives, ms. */
const keepAliveMs = 1_000;

const closeMs = 500;

/**
 * Opens a TCP connection that stands for a serial line: an adapter or a board that takes the same bytes over Ethernet. On one
 * machine it has one owner. Errors: `device_absent`, `device_busy`.
 */
export async function openTcpLine({ host, port }: TcpOptions, on: SerialEvents): Promise<SerialLine> {
	const path = `tcp://${host}:${port}`;
	const claim = await claimName(path);
	let socket: Socket;
	try {
		socket = await connect({ host, port }, path);
	} catch (error) {
		claim.close();
		throw error;
	}
	const lost = Promise.withResolvers<StilewardError>();
	let ending: Promise<void> | undefined;
	const end = (): Promise<void> => {
		ending ??= endSocket(socket).finally(() => claim.close());
		writes.end();
		return ending;
	};
	const lose = (cause?: unknown) => {
		if (ending !== undefined) return;
		void end().then(() => lost.resolve(gone(path, cause)));
	};
	const writes = createPendingWrites({ path, gone: (cause) => gone(path, cause), onStall: lose });
	socket.on('data', (bytes) => {
		if (ending === undefined) on.data(bytes);
	});
	socket.on('error', lose);
	socket.on('close', () => lose(new Error('the other side ended the connection')));
	return {
		path,
		lost: lost.promise,
		close: end,
		write: (bytes, timeoutMs) => writes.write(bytes, timeoutMs, (sent, taken) => void socket.write(sent, taken)),
	};
}

function gone(path: string, cause?: unknown): StilewardError {
	return new StilewardError('device_lost', `the connection to ${path} is gone`, cause === undefined ? {} : { cause });
}

function connect(options: TcpOptions, path: string): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = createConnection({ ...options, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
		const fail = (cause: Error) => {
			socket.destroy();
			reject(new StilewardError('device_absent', `nothing answers at ${path}: ${cause.message}`, { cause }));
		};
		const timer = setTimeout(() => fail(new Error(`no connection within ${connectMs} ms`)), connectMs);
		socket.once('error', fail);
		socket.once('connect', () => {
			clearTimeout(timer);
			socket.off('error', fail);
			resolve(socket);
		});
		socket.once('close', () => clearTimeout(timer));
	});
}

async function endSocket(socket: Socket): Promise<void> {
	if (socket.closed) return;
	const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
	socket.end();
	const timer = setTimeout(() => socket.destroy(), closeMs);
	await closed;
	clearTimeout(timer);
}

/** A name that one program of a machine can have, until it dies; without such names (not Linux) it keeps nobody out. */
async function claimName(name: string): Promise<{ close(): void }> {
	if (process.platform !== 'linux') return { close: () => {} };
	const server: Server = createServer((socket) => socket.destroy());
	await new Promise<void>((resolve, reject) => {
		server.once('error', (cause) =>
			reject(new StilewardError('device_busy', `another program uses ${name}`, { cause })),
		);
		server.listen(`\0stileward-${name}`, () => resolve());
	});
	server.unref();
	return { close: () => void server.close() };
}
