import { join } from 'node:path';
import type { DeviceNode } from './choose-node.ts';
import { namesIn, type Roots, systemRoots, textOf, usbPortOf } from './sysfs.ts';

/** An input device as the kernel's evdev shows it: a scanner that types is several of them, one is its keyboard. */
export interface InputNode extends DeviceNode {
	/** Whether it has the keys of a text: letters, digits, Enter. */
	readonly isKeyboard: boolean;
}

/** Keys that every keyboard has (include/uapi/linux/input-event-codes.h): 1, Q, Enter, A. */
const textKeys = [2, 16, 28, 30];

/** All input devices that are there, read without opening one. */
export async function listInputEvents({ sys, dev }: Roots = systemRoots): Promise<readonly InputNode[]> {
	const folder = join(sys, 'class', 'input');
	const names = (await namesIn(folder)).filter((name) => /^event\d+$/.test(name));
	return Promise.all(
		names.map(async (name) => {
			const of = (...path: readonly string[]) => textOf(folder, name, 'device', ...path);
			return {
				path: join(dev, 'input', name),
				vendorId: await of('id', 'vendor'),
				productId: await of('id', 'product'),
				name: await of('name'),
				serial: await of('uniq'),
				port: (await usbPortOf(folder, name, 'device')) ?? (await of('phys')).replace(/\/input\d+$/, ''),
				isKeyboard: hasKeys(await of('capabilities', 'key')),
			};
		}),
	);
}

/** Words of 64 bits in hexadecimal, the highest first. */
function hasKeys(bitmap: string): boolean {
	const words = bitmap.split(' ').toReversed();
	return textKeys.every((key) => {
		const word = BigInt(`0x${words[Math.floor(key / 64)] || '0'}`);
		return ((word >> BigInt(key % 64)) & 1n) === 1n;
	});
}
