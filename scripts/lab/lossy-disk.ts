import { closeSync, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/**
 * A disk with a write cache that a power cut empties: what was not flushed is lost, all of it or any of its sectors. It
 * serves an image to QEMU as a network block device (NBD, doc/proto.md of NetworkBlockDevice/nbd).
 */
export interface LossyDisk {
	/** Argument of QEMU's `-drive`. */
	readonly drive: string;
	/** The power fails with the n-th write from now on, while it is in the cache alone: nothing is taken or answered after it. */
	failAfter(writes: number, onFailure: () => void): void;
	/** Takes the power away. Gives how many writes were not flushed, and how many of their sectors stayed all the same. */
	cut(): { readonly unflushed: number; readonly sectorsKept: number };
}

/** A write that is in the cache alone. */
interface CachedWrite {
	readonly offset: number;
	readonly bytes: Buffer;
}

const sectorBytes = 512;

/** What a request may carry; QEMU asks for less. */
const requestBytesMax = 32 * 1024 * 1024;

const magic = { hello: 'NBDMAGIC', options: 'IHAVEOPT', optionReply: 0x3e889045565a9n, reply: 0x67446698 } as const;
const option = { exportName: 1, abort: 2, info: 6, go: 7 } as const;
const optionReply = { ack: 1, info: 3, unsupported: 0x80000001 } as const;
const command = { read: 0, write: 1, disconnect: 2, flush: 3 } as const;
/** Has flags, takes flushes, takes writes that must reach the disk at once. */
const transmissionFlags = 1 | 4 | 8;
const forceUnitAccess = 1;
/** Fixed newstyle, without padding. */
const handshakeFlags = 3;

/** Serves an image at a Unix socket. `keepSector` is asked for each sector of a write that was not flushed. */
export function openLossyDisk(image: string, socketPath: string, keepSector: () => boolean): LossyDisk {
	const fd = openSync(image, 'r+');
	const disk = createCache(fd);
	rmSync(socketPath, { force: true });
	const sockets = new Set<Socket>();
	const server: Server = createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => sockets.delete(socket));
		serve(socket, disk);
	}).listen(socketPath);
	return {
		failAfter: disk.failAfter,
		drive: `driver=nbd,server.type=unix,server.path=${socketPath},if=none,id=disk,cache.direct=on`,
		cut: () => {
			for (const socket of sockets) socket.destroy();
			server.close();
			const lost = disk.lose(keepSector);
			closeSync(fd);
			return lost;
		},
	};
}

/** A life on a disk, to its power cut. The power is taken away also where the life broke off: nobody serves the disk after it. */
export async function liveOn<T>(disk: LossyDisk, live: (disk: LossyDisk) => Promise<T>) {
	const result = await live(disk).catch((error: unknown) => {
		disk.cut();
		throw error;
	});
	return { result, ...disk.cut() };
}

type Cache = ReturnType<typeof createCache>;

function createCache(fd: number) {
	let writes: CachedWrite[] = [];
	let fuse: { left: number; readonly onFailure: () => void } | undefined;
	let isDead = false;
	const put = ({ bytes, offset }: CachedWrite) => void writeSync(fd, bytes, 0, bytes.length, offset);
	return {
		size: fstatSync(fd).size,
		read: (offset: number, length: number): Buffer => {
			const bytes = Buffer.alloc(length);
			readSync(fd, bytes, 0, length, offset);
			for (const write of writes) {
				const from = Math.max(write.offset, offset);
				const to = Math.min(write.offset + write.bytes.length, offset + length);
				if (from < to) write.bytes.copy(bytes, from - offset, from - write.offset, to - write.offset);
			}
			return bytes;
		},
		isDead: () => isDead,
		failAfter: (count: number, onFailure: () => void) => {
			fuse = { left: count, onFailure };
		},
		write: (offset: number, bytes: Buffer) => {
			writes.push({ offset, bytes });
			if (fuse === undefined || isDead) return;
			fuse.left -= 1;
			if (fuse.left > 0) return;
			isDead = true;
			fuse.onFailure();
		},
		flush: () => {
			for (const write of writes) put(write);
			writes = [];
		},
		/** A disk writes its cache back in any order, sector by sector. */
		lose: (keepSector: () => boolean) => {
			let sectorsKept = 0;
			for (const { offset, bytes } of writes) {
				for (let at = 0; at < bytes.length; at += sectorBytes) {
					if (!keepSector()) continue;
					put({ offset: offset + at, bytes: bytes.subarray(at, at + sectorBytes) });
					sectorsKept += 1;
				}
			}
			return { unflushed: writes.length, sectorsKept };
		},
	};
}

/** One connection: hand-shake, options, then requests. Each state takes its bytes and gives the next one. */
function serve(socket: Socket, disk: Cache): void {
	const hello = Buffer.alloc(18);
	hello.write(magic.hello, 0);
	hello.write(magic.options, 8);
	hello.writeUInt16BE(handshakeFlags, 16);
	socket.write(hello);
	let waiting: Buffer = Buffer.alloc(0);
	let take: Take = takeFlags;
	socket.on('data', (bytes) => {
		waiting = Buffer.concat([waiting, bytes]);
		for (let taken = take(waiting, socket, disk); taken !== undefined; taken = take(waiting, socket, disk)) {
			waiting = waiting.subarray(taken.bytes);
			take = taken.next;
		}
	});
}

/** Takes what is complete of the bytes; undefined where more must come. */
type Take = (bytes: Buffer, socket: Socket, disk: Cache) => { readonly bytes: number; readonly next: Take } | undefined;

const takeFlags: Take = (bytes) => (bytes.length < 4 ? undefined : { bytes: 4, next: takeOption });

const takeOption: Take = (bytes, socket, disk) => {
	if (bytes.length < 16) return undefined;
	const kind = bytes.readUInt32BE(8);
	const length = bytes.readUInt32BE(12);
	if (bytes.length < 16 + length) return undefined;
	const taken = { bytes: 16 + length, next: takeOption };
	const reply = (type: number, data = Buffer.alloc(0)) => {
		const head = Buffer.alloc(20);
		head.writeBigUInt64BE(magic.optionReply, 0);
		head.writeUInt32BE(kind, 8);
		head.writeUInt32BE(type, 12);
		head.writeUInt32BE(data.length, 16);
		socket.write(Buffer.concat([head, data]));
	};
	switch (kind) {
		case option.exportName: {
			const answer = Buffer.alloc(10);
			answer.writeBigUInt64BE(BigInt(disk.size), 0);
			answer.writeUInt16BE(transmissionFlags, 8);
			socket.write(answer);
			return { ...taken, next: takeRequest };
		}
		case option.info:
		case option.go: {
			const info = Buffer.alloc(12);
			info.writeBigUInt64BE(BigInt(disk.size), 2);
			info.writeUInt16BE(transmissionFlags, 10);
			reply(optionReply.info, info);
			reply(optionReply.ack);
			return kind === option.go ? { ...taken, next: takeRequest } : taken;
		}
		case option.abort:
			reply(optionReply.ack);
			socket.end();
			return taken;
		default:
			reply(optionReply.unsupported);
			return taken;
	}
};

const takeRequest: Take = (bytes, socket, disk) => {
	if (bytes.length < 28) return undefined;
	const kind = bytes.readUInt16BE(6);
	const offset = Number(bytes.readBigUInt64BE(16));
	const length = bytes.readUInt32BE(24);
	if (length > requestBytesMax) {
		socket.destroy();
		return undefined;
	}
	const total = kind === command.write ? 28 + length : 28;
	if (bytes.length < total || disk.isDead()) return undefined;
	const reply = (data: Buffer = Buffer.alloc(0)) => {
		// The power may have failed with this very request.
		if (disk.isDead()) return;
		const head = Buffer.alloc(16);
		head.writeUInt32BE(magic.reply, 0);
		bytes.copy(head, 8, 8, 16);
		socket.write(Buffer.concat([head, data]));
	};
	switch (kind) {
		case command.read:
			reply(disk.read(offset, length));
			break;
		case command.write:
			disk.write(offset, Buffer.from(bytes.subarray(28, total)));
			if (bytes.readUInt16BE(4) & forceUnitAccess && !disk.isDead()) disk.flush();
			reply();
			break;
		case command.flush:
			disk.flush();
			reply();
			break;
		case command.disconnect:
			socket.end();
			break;
		default:
			reply();
	}
	return { bytes: total, next: takeRequest };
};
