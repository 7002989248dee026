import { join } from 'node:path';
import type { DeviceNode } from './choose-node.ts';
import { bytesOf, fieldsOf, namesIn, type Roots, systemRoots, textOf, usbPortOf } from './sysfs.ts';

/** A HID interface as the kernel passes it to programs. */
export interface HidrawNode extends DeviceNode {
	/** Its report descriptor (Device Class Definition for HID 1.11, section 6.2.2). */
	readonly descriptor: Uint8Array;
}

/** All HID interfaces that are there (Linux, Documentation/hid/hidraw.rst), read without touching a device. */
export async function listHidraw({ sys, dev }: Roots = systemRoots): Promise<readonly HidrawNode[]> {
	const folder = join(sys, 'class', 'hidraw');
	return Promise.all(
		(await namesIn(folder)).map(async (name) => {
			const fields = fieldsOf(await textOf(folder, name, 'device', 'uevent'));
			// `HID_ID=0003:00000C2E:00000B61`: bus, vendor, product.
			const [, vendor = '', product = ''] = (fields.get('HID_ID') ?? '').toLowerCase().split(':');
			return {
				path: join(dev, name),
				vendorId: vendor.slice(-4),
				productId: product.slice(-4),
				name: fields.get('HID_NAME') ?? '',
				serial: fields.get('HID_UNIQ') ?? '',
				port: (await usbPortOf(folder, name, 'device')) ?? (fields.get('HID_PHYS') ?? '').replace(/\/input\d+$/, ''),
				descriptor: await bytesOf(folder, name, 'device', 'report_descriptor'),
			};
		}),
	);
}
