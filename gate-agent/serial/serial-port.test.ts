import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPty, type Pty } from '../emulators/pty.ts';
import { importFailure } from './serial-errors.ts';
import { heartbeatMs, openSerialPort, type SerialLine } from './serial-port.ts';

const onLinux = process.platform === 'linux';

describe.runIf(onLinux)('a serial line on a pseudo-terminal', () => {
	let pty: Pty;
	let lines: SerialLine[];
	beforeEach(async () => {
		pty = await openPty();
		lines = [];
	});
	afterEach(async () => {
		await Promise.all(lines.map((line) => line.close()));
		await pty.close();
	});

	const open = async (data: (bytes: Uint8Array) => void = () => {}) => {
		const line = await openSerialPort({ path: pty.path, baudRate: 115_200 }, { data });
		lines.push(line);
		return line;
	};

	test('carries every byte value unchanged in both directions', async () => {
		const all = Uint8Array.from({ length: 256 }, (_, value) => value);
		const toHost: number[] = [];
		const toDevice: number[] = [];
		pty.onData((bytes) => toDevice.push(...bytes));
		const line = await open((bytes) => toHost.push(...bytes));
		await Promise.all([pty.write(all), line.write(all, 1000)]);
		await expect.poll(() => toHost).toEqual([...all]);
		await expect.poll(() => toDevice).toEqual([...all]);
	});

	test('receives a megabyte written in one go, in order', async () => {
		const sent = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
		const chunks: Uint8Array[] = [];
		let received = 0;
		await open((bytes) => {
			chunks.push(bytes);
			received += bytes.length;
		});
		await pty.write(sent);
		await expect.poll(() => received, { timeout: 5000 }).toBe(sent.length);
		expect(Buffer.compare(Buffer.concat(chunks), sent)).toBe(0);
	});

	test('reports an unplug as lost within five seconds, and its path can be opened again after a re-plug', async () => {
		const line = await open();
		await pty.unplug();
		expect(await line.lost).toMatchObject({ code: 'device_lost' });
		await expect(line.write(Uint8Array.of(1), 1000)).rejects.toMatchObject({ code: 'device_lost' });
		await line.close();
		await expect(open()).rejects.toMatchObject({ code: 'device_absent' });
		await pty.replug();
		const received: number[] = [];
		await open((bytes) => received.push(...bytes));
		await pty.write('ok');
		await expect.poll(() => received).toEqual([...Buffer.from('ok')]);
	});

	test('rejects a write that the device never takes, and ends the line so that it cannot leave later', async () => {
		const line = await open();
		pty.stall();
		const write = line.write(new Uint8Array(1_000_000), 200);
		await expect(write).rejects.toMatchObject({ code: 'device_timeout' });
		expect(await line.lost).toMatchObject({ code: 'device_lost', cause: { code: 'device_timeout' } });
	});

	test('a pending write is rejected at once by an unplug and by a close', async () => {
		const line = await open();
		pty.stall();
		const write = line.write(new Uint8Array(1_000_000), 60_000);
		await Promise.all([expect(write).rejects.toMatchObject({ code: 'device_lost' }), pty.unplug()]);
	});

	test('closes twice without an error and delivers nothing afterwards', async () => {
		let received = 0;
		const line = await open((bytes) => {
			received += bytes.length;
		});
		await pty.write('x'.repeat(4000));
		const closing = line.close();
		const after = received;
		await Promise.all([closing, line.close()]);
		await pty.write('late');
		const again = await open();
		await again.close();
		expect(received).toBe(after);
	});

	test('refuses a second owner as busy and stays with the first', async () => {
		const received: number[] = [];
		await open((bytes) => received.push(...bytes));
		await expect(open()).rejects.toMatchObject({ code: 'device_busy' });
		await pty.write('A');
		await expect.poll(() => received).toEqual([65]);
	});

	test('is not taken for lost by its heartbeat, and costs little while idle', async () => {
		const line = await open();
		let lost = false;
		void line.lost.then(() => {
			lost = true;
		});
		const before = process.cpuUsage();
		const started = performance.now();
		await new Promise((resolve) => setTimeout(resolve, heartbeatMs * 2.5));
		const { user, system } = process.cpuUsage(before);
		expect((user + system) / 1000 / (performance.now() - started)).toBeLessThan(0.05);
		expect(lost).toBe(false);
	});

	test('costs little after an unplug', async () => {
		const line = await open();
		await pty.unplug();
		await line.lost;
		const before = process.cpuUsage();
		const started = performance.now();
		await new Promise((resolve) => setTimeout(resolve, 1000));
		const { user, system } = process.cpuUsage(before);
		expect((user + system) / 1000 / (performance.now() - started)).toBeLessThan(0.05);
	});

	// TIOCVHANGUP is for root alone; as another user the unplugs above remain.
	test.runIf(process.getuid?.() === 0)(
		'notices an unplug that makes serialport read end of file for ever',
		async () => {
			const line = await open();
			pty.hangUp();
			expect(await line.lost).toMatchObject({ code: 'device_lost' });
			const before = process.cpuUsage();
			const started = performance.now();
			await new Promise((resolve) => setTimeout(resolve, 1000));
			const { user, system } = process.cpuUsage(before);
			expect((user + system) / 1000 / (performance.now() - started)).toBeLessThan(0.05);
		},
	);

	test.runIf(process.getuid?.() === 0)('names the group of a port that this user may not open', () => {
		const module = fileURLToPath(new URL('./serial-port.ts', import.meta.url));
		const script = `
			import { openSerialPort } from ${JSON.stringify(module)};
			// A first try as root loads serialport: the other user may not read this folder.
			await openSerialPort({ path: '/dev/serial/nothing', baudRate: 9600 }, { data() {} }).catch(() => {});
			process.setgroups([]);
			process.setgid(65534);
			process.setuid(65534);
			const error = await openSerialPort({ path: ${JSON.stringify(pty.path)}, baudRate: 9600 }, { data() {} }).catch((e) => e);
			console.log(JSON.stringify({ code: error.code, message: error.message }));`;
		const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
		expect(JSON.parse(child.stdout || child.stderr)).toMatchObject({
			code: 'device_denied',
			message: expect.stringMatching(/; group (tty|0|root) may$/),
		});
	});
});

describe('a serial port that cannot be opened', () => {
	test.each([
		['/nowhere/ttyUSB0', 'device_absent', /no serial port \/nowhere\/ttyUSB0/],
		['/dev/null', 'device_absent', /is not a serial port/],
	])('%s is %s', async (path, code, message) => {
		const opened = openSerialPort({ path, baudRate: 9600 }, { data: () => {} });
		await expect(opened).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
	});

	test('names the system library that a native module misses', () => {
		const cause = new Error('libudev.so.1: cannot open shared object file: No such file or directory');
		const error = importFailure('serialport', cause);
		expect(error).toMatchObject({ code: 'library_missing', message: expect.stringContaining('libudev1') });
	});
});

describe.runIf(onLinux)('a pseudo-terminal', () => {
	test('says which library it needs where the C library has another name', async () => {
		await expect(openPty({ libc: 'libc.musl-x86_64.so.1' })).rejects.toMatchObject({
			code: 'library_missing',
			message: expect.stringContaining('GNU C library'),
		});
	});

	test('rejects writes while it is unplugged', async () => {
		const pty = await openPty();
		await pty.unplug();
		await expect(pty.write('A')).rejects.toMatchObject({ code: 'device_lost' });
		await pty.close();
		await pty.close();
	});
});
