import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseNode } from './choose-node.ts';
import { listHidraw } from './hidraw.ts';

let root: string;
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), 'stileward-sysfs-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A HID interface on a USB port, as sysfs shows it. */
function plugIn(name: string, port: string, uevent: string): void {
	const hid = join(root, 'devices', 'pci0000:00', 'usb1', '1-1', port, `${port}:1.0`, '0003:0C2E:0B61.0001');
	const node = join(hid, 'hidraw', name);
	mkdirSync(node, { recursive: true });
	writeFileSync(join(hid, 'uevent'), uevent);
	writeFileSync(join(hid, 'report_descriptor'), Uint8Array.of(0x05, 0x8c));
	symlinkSync('../..', join(node, 'device'));
	const link = join(root, 'class', 'hidraw', name);
	mkdirSync(dirname(link), { recursive: true });
	symlinkSync(node, link);
}

const xenon = (serial: string) =>
	`DRIVER=hid-generic\nHID_ID=0003:00000C2E:00000B61\nHID_NAME=Honeywell Xenon\nHID_PHYS=usb-0000:00:14.0-1.3/input0\nHID_UNIQ=${serial}\n`;

describe('HID devices', () => {
	it('are what sysfs shows of them', async () => {
		plugIn('hidraw3', '1-1.3', xenon('S1'));
		expect(await listHidraw({ sys: root, dev: '/dev' })).toEqual([
			{
				...{ path: '/dev/hidraw3', vendorId: '0c2e', productId: '0b61', name: 'Honeywell Xenon', serial: 'S1' },
				...{ port: '1-1.3', descriptor: Uint8Array.of(0x05, 0x8c) },
			},
		]);
	});

	it('are none where the kernel has no such class', async () => {
		expect(await listHidraw({ sys: root, dev: '/dev' })).toEqual([]);
	});

	it('are told apart by serial number or port, and never guessed', async () => {
		plugIn('hidraw3', '1-1.3', xenon(''));
		plugIn('hidraw10', '1-1.4', xenon(''));
		const nodes = await listHidraw({ sys: root, dev: '/dev' });
		const device = '0c2e:0b61';
		expect(nodes.map(({ path }) => path)).toEqual(['/dev/hidraw3', '/dev/hidraw10']);
		expect(chooseNode(nodes, { device, port: '1-1.4' }, 'scanner').path).toBe('/dev/hidraw10');
		expect(() => chooseNode(nodes, { device }, 'scanner')).toThrow(/hidraw3 \(serial none, port 1-1.3\).*hidraw10/);
		expect(() => chooseNode(nodes, { device, serial: 'S9' }, 'scanner')).toThrow(
			/there is no scanner 0c2e:0b61, serial S9/,
		);
	});
});
