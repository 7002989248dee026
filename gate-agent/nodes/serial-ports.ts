import { readdir, readlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DeviceNode } from './choose-node.ts';
import { namesIn, type Roots, systemRoots, textOf, usbPortOf } from './sysfs.ts';

/** A serial port on USB. */
export interface SerialNode extends DeviceNode {
	/** Links that outlive a re-plug: by serial number, and by the port that it is plugged into. */
	readonly byId?: string;
	readonly byPath?: string;
}

/** Serial ports that come and go; those on the board itself (`ttyS`) are always there and say nothing of themselves. */
const pluggable = /^tty(USB|ACM)\d+$/;

/** All USB serial ports that are there, read without opening one. */
export async function listSerialPorts({ sys, dev }: Roots = systemRoots): Promise<readonly SerialNode[]> {
	const folder = join(sys, 'class', 'tty');
	const names = (await namesIn(folder)).filter((name) => pluggable.test(name));
	const [byId, byPath] = await Promise.all(['by-id', 'by-path'].map((kind) => linksIn(join(dev, 'serial', kind))));
	return Promise.all(
		names.map(async (name) => {
			const path = join(dev, name);
			const port = await usbPortOf(folder, name, 'device');
			const of = (file: string) => (port === undefined ? '' : textOf(sys, 'bus', 'usb', 'devices', port, file));
			const [id, place] = [byId?.get(path), byPath?.get(path)];
			return {
				...{ path, vendorId: await of('idVendor'), productId: await of('idProduct'), name: await of('product') },
				...{ serial: await of('serial'), port: port ?? '' },
				...(id !== undefined && { byId: id }),
				...(place !== undefined && { byPath: place }),
			};
		}),
	);
}

/** Links of udev, by where they lead. */
async function linksIn(folder: string): Promise<ReadonlyMap<string, string>> {
	const names = await readdir(folder).catch(() => []);
	const links = names.map(async (name) => {
		const link = join(folder, name);
		// One step only: udev links to the node itself.
		return [
			await readlink(link).then(
				(target) => resolve(folder, target),
				() => '',
			),
			link,
		] as const;
	});
	return new Map(await Promise.all(links));
}
