import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LossyDisk, liveOn, openLossyDisk } from './lossy-disk.ts';

const sectorBytes = 512;
const diskBytes = 8 * sectorBytes;
const command = { read: 0, write: 1, flush: 3 } as const;
const forceUnitAccess = 1;

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'stileward-disk-'));
	writeFileSync(join(dir, 'disk.img'), Buffer.alloc(diskBytes));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (keepSector: () => boolean): LossyDisk =>
	openLossyDisk(join(dir, 'disk.img'), join(dir, 'disk.sock'), keepSector);

/** First byte of each sector that is on the disk itself. */
const sectors = () => {
	const image = readFileSync(join(dir, 'disk.img'));
	return Array.from({ length: diskBytes / sectorBytes }, (_, index) => image[index * sectorBytes]);
};

interface Request {
	readonly kind: number;
	/** First sector. */
	readonly at?: number;
	/** Bytes. */
	readonly length?: number;
	readonly data?: Buffer;
	readonly flags?: number;
}

/** Speaks NBD as a kernel does: fixed newstyle hand-shake, then one request at a time. */
async function attach() {
	const socket = connect(join(dir, 'disk.sock'));
	socket.on('error', () => {});
	const chunks = socket[Symbol.asyncIterator]();
	let waiting = Buffer.alloc(0);
	const take = async (length: number): Promise<Buffer> => {
		while (waiting.length < length) {
			const { value, done } = await chunks.next();
			if (done) throw new Error('the disk hung up');
			waiting = Buffer.concat([waiting, value]);
		}
		const bytes = waiting.subarray(0, length);
		waiting = waiting.subarray(length);
		return bytes;
	};
	const hello = await take(18);
	expect(hello.toString('latin1', 0, 16)).toBe('NBDMAGICIHAVEOPT');
	const exportName = Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from('IHAVEOPT'), Buffer.alloc(8)]);
	exportName.writeUInt32BE(1, 12);
	socket.write(exportName);
	const size = Number((await take(10)).readBigUInt64BE(0));
	const ask = async ({ kind, at = 0, length = 0, data = Buffer.alloc(0), flags = 0 }: Request) => {
		const head = Buffer.alloc(28);
		head.writeUInt32BE(0x25609513, 0);
		head.writeUInt16BE(flags, 4);
		head.writeUInt16BE(kind, 6);
		head.write('a handle', 8);
		head.writeBigUInt64BE(BigInt(at * sectorBytes), 16);
		head.writeUInt32BE(length, 24);
		socket.write(Buffer.concat([head, data]));
		const reply = await take(16);
		expect([reply.readUInt32BE(4), reply.toString('latin1', 8)]).toEqual([0, 'a handle']);
		return take(kind === command.read ? length : 0);
	};
	return {
		size,
		write: (at: number, fill: number, { count = 1, flags = 0 } = {}) => {
			const data = Buffer.alloc(count * sectorBytes, fill);
			return ask({ kind: command.write, at, length: data.length, data, flags });
		},
		flush: () => ask({ kind: command.flush }),
		read: async (at: number) => (await ask({ kind: command.read, at, length: sectorBytes }))[0],
	};
}

test('a power cut takes what was written and not flushed', async () => {
	const disk = open(() => false);
	const { size, write, flush, read } = await attach();
	expect(size).toBe(diskBytes);
	await write(0, 1);
	await flush();
	await write(1, 2, { count: 2 });
	await write(0, 3);
	expect([await read(0), await read(1), await read(2)]).toEqual([3, 2, 2]);
	expect(disk.cut()).toEqual({ unflushed: 2, sectorsKept: 0 });
	expect(sectors()).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
});

test('any part of a write that was not flushed may stay', async () => {
	let asked = 0;
	const disk = open(() => {
		asked += 1;
		return asked % 2 === 0;
	});
	const { write } = await attach();
	await write(2, 7, { count: 4 });
	expect(disk.cut()).toEqual({ unflushed: 1, sectorsKept: 2 });
	expect(sectors()).toEqual([0, 0, 0, 7, 0, 7, 0, 0]);
});

test('a write that must reach the disk at once is there after the cut', async () => {
	const disk = open(() => false);
	const { write } = await attach();
	await write(5, 9, { flags: forceUnitAccess });
	expect(disk.cut().unflushed).toBe(0);
	expect(sectors()[5]).toBe(9);
});

test('a disk without power answers nothing', async () => {
	const disk = open(() => false);
	const { write } = await attach();
	disk.cut();
	await expect(write(0, 1)).rejects.toThrow(/the disk hung up|EPIPE|ECONNRESET/);
	expect(sectors()[0]).toBe(0);
});

test('nobody serves a disk whose life broke off', async () => {
	const disk = open(() => true);
	const crashed = liveOn(disk, async () => {
		const socket = connect(join(dir, 'disk.sock'));
		await once(socket, 'connect');
		throw new Error('the program crashed');
	});
	await expect(crashed).rejects.toThrow('the program crashed');
	const [error] = await once(connect(join(dir, 'disk.sock')), 'error');
	expect(error).toMatchObject({ code: expect.stringMatching(/ENOENT|ECONNREFUSED/) });
});
