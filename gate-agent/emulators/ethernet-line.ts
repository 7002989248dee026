import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmulatedLine } from './pty.ts';

/** The Ethernet side of an emulated board: a TCP server in the place of a serial line. */
export interface EthernetLine extends EmulatedLine {
	readonly port: number;
	/** The cable goes, and nobody is told: what is sent is lost, and nothing comes. */
	blackHole(on: boolean): void;
	/** Sends bytes that no board would send. */
	babble(bytes: Uint8Array): void;
	close(): Promise<void>;
}

/** Header of Modbus/TCP in front of the unit. */
const headerBytes = 6;

/**
 * Opens a line on loopback. `mbap`: Modbus/TCP outside, RTU frames (with the CRC that `crc` makes) inside, as a gateway does.
 */
export async function openEthernetLine(
	framing: 'rtu' | 'mbap',
	crc: (body: readonly number[]) => Uint8Array,
): Promise<EthernetLine> {
	let handler: (bytes: Uint8Array) => void = () => {};
	let client: Socket | undefined;
	let isHole = false;
	let transaction = 0;
	const take = (bytes: Buffer) => {
		if (isHole) return;
		if (framing === 'rtu') return handler(bytes);
		for (let at = 0; at + headerBytes < bytes.length; ) {
			const length = bytes.readUInt16BE(at + 4);
			transaction = bytes.readUInt16BE(at);
			handler(crc([...bytes.subarray(at + headerBytes, at + headerBytes + length)]));
			at += headerBytes + length;
		}
	};
	const listen = (at: number) =>
		new Promise<Server>((resolve) => {
			const made = createServer((socket) => {
				// A board has one connection: the newest.
				client?.destroy();
				client = socket;
				socket.on('error', () => {});
				socket.on('data', take);
			});
			made.listen(at, '127.0.0.1', () => resolve(made));
		});
	let server: Server | undefined = await listen(0);
	const { port } = server.address() as { readonly port: number };
	const unplug = async () => {
		client?.destroy();
		client = undefined;
		const ending = server;
		server = undefined;
		await new Promise<void>((resolve) => (ending ? ending.close(() => resolve()) : resolve()));
	};
	return {
		port,
		onData: (next) => {
			handler = next;
		},
		write: async (frame) => {
			if (isHole) return;
			const bytes = Buffer.from(frame);
			if (framing === 'rtu') return void client?.write(bytes);
			const body = bytes.subarray(0, bytes.length - 2);
			const header = Buffer.alloc(headerBytes);
			header.writeUInt16BE(transaction, 0);
			header.writeUInt16BE(body.length, 4);
			client?.write(Buffer.concat([header, body]));
		},
		unplug,
		replug: async () => {
			for (let tries = 0; server === undefined && tries < 20; tries += 1) {
				server = await listen(port);
				await delay(1);
			}
		},
		blackHole: (on) => {
			isHole = on;
		},
		babble: (bytes) => void client?.write(bytes),
		close: unplug,
	};
}
