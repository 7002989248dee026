import { afterEach, describe, expect, test } from 'vitest';
import { openSerialPort, type SerialLine } from '../serial/serial-port.ts';
import { openScannerEmulator, type ScannerEmulator, type ScannerEmulatorOptions } from './scanner-emulator.ts';

describe.runIf(process.platform === 'linux')('an emulated scanner', () => {
	let device: ScannerEmulator | undefined;
	let line: SerialLine | undefined;
	afterEach(async () => {
		await line?.close();
		await device?.close();
	});

	const plugIn = async (options: ScannerEmulatorOptions) => {
		let received = '';
		device = await openScannerEmulator(options);
		line = await openSerialPort(
			{ path: device.path, baudRate: 9600 },
			{
				data: (bytes) => {
					received += Buffer.from(bytes).toString();
				},
			},
		);
		return { device, received: () => received };
	};

	test('sends a code between its marks', async () => {
		const { device, received } = await plugIn({ prefix: '\x02', suffix: '\x03' });
		await device.present('A  B');
		await expect.poll(received).toBe('\x02A  B\x03');
	});

	test('takes as long for a code as its line would', async () => {
		const { device, received } = await plugIn({ baudRate: 9600 });
		const started = performance.now();
		await device.present('x'.repeat(191));
		expect(performance.now() - started).toBeGreaterThanOrEqual(190);
		await expect.poll(received).toBe(`${'x'.repeat(191)}\r`);
	});

	test('reads a held code again until it is released', async () => {
		const { device, received } = await plugIn({ repeatMs: 5 });
		const held = device.hold('H');
		await expect.poll(received).toMatch(/^(H\r){3,}$/);
		await held.release();
		await expect.poll(() => device.pty.unreadBytes()).toBe(0);
		await device.present('NEXT');
		await expect.poll(received).toMatch(/^(H\r)+NEXT\r$/);
	});

	test('stops reading a held code when its cable is pulled', async () => {
		const { device } = await plugIn({ repeatMs: 5 });
		const held = device.hold('H');
		await device.pty.unplug();
		await expect(device.present('X')).rejects.toMatchObject({ code: 'device_lost' });
		await held.release();
	});
});
