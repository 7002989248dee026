import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { listSerialPorts } from './serial-ports.ts';

it('serial ports have the names that outlive a re-plug, and what their USB device says', async () => {
	const root = mkdtempSync(join(tmpdir(), 'stileward-tty-'));
	onTestFinished(() => rmSync(root, { recursive: true, force: true }));
	const [sys, dev] = [join(root, 'sys'), join(root, 'dev')];
	const usb = join(sys, 'devices', 'pci0000:00', 'usb1', '1-1.2');
	const tty = join(usb, '1-1.2:1.0', 'ttyUSB0');
	for (const folder of [
		tty,
		join(sys, 'class', 'tty', 'ttyUSB0'),
		join(sys, 'class', 'tty', 'ttyS0'),
		join(sys, 'bus', 'usb', 'devices'),
	]) {
		mkdirSync(folder, { recursive: true });
	}
	for (const [file, text] of Object.entries({ idVendor: '1a86\n', idProduct: '7523\n', product: 'USB Serial\n' })) {
		writeFileSync(join(usb, file), text);
	}
	symlinkSync(tty, join(sys, 'class', 'tty', 'ttyUSB0', 'device'));
	symlinkSync(usb, join(sys, 'bus', 'usb', 'devices', '1-1.2'));
	mkdirSync(join(dev, 'serial', 'by-path'), { recursive: true });
	writeFileSync(join(dev, 'ttyUSB0'), '');
	symlinkSync('../../ttyUSB0', join(dev, 'serial', 'by-path', 'pci-usb-0:1.2'));
	expect(await listSerialPorts({ sys, dev })).toEqual([
		{
			...{
				path: join(dev, 'ttyUSB0'),
				vendorId: '1a86',
				productId: '7523',
				name: 'USB Serial',
				serial: '',
				port: '1-1.2',
			},
			byPath: join(dev, 'serial', 'by-path', 'pci-usb-0:1.2'),
		},
	]);
});
