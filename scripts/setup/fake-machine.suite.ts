import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { showProcesses } from '../doctor/gate-bench.suite.ts';

/** A serial device of a machine, as its kernel and udev show it. */
export interface Plugged {
	/** `ttyUSB0`. */
	readonly node: string;
	/** The pseudo-terminal behind it. */
	readonly path: string;
	readonly idVendor: string;
	readonly idProduct: string;
	readonly product: string;
	readonly serial?: string;
}

/** A folder with `sys`, `dev`, `proc` and `etc` of a machine into which these devices are plugged. */
export async function machineWith(dir: string, devices: readonly Plugged[]): Promise<string> {
	const root = mkdtempSync(join(dir, 'machine-'));
	symlinkSync('/etc', join(root, 'etc'));
	await showProcesses(root);
	mkdirSync(join(root, 'dev', 'serial', 'by-id'), { recursive: true });
	mkdirSync(join(root, 'sys', 'bus', 'usb', 'devices'), { recursive: true });
	for (const [index, device] of devices.entries()) plug(root, `1-${index + 1}`, device);
	return root;
}

function plug(root: string, port: string, { node, path, serial = '', ...usb }: Plugged): void {
	const sys = join(root, 'sys');
	const device = join(sys, 'devices', 'pci0000:00', 'usb1', port);
	const tty = join(device, `${port}:1.0`, node);
	const shown = join(sys, 'class', 'tty', node);
	for (const folder of [tty, shown]) mkdirSync(folder, { recursive: true });
	for (const [file, text] of Object.entries({ ...usb, serial })) writeFileSync(join(device, file), `${text}\n`);
	symlinkSync(tty, join(shown, 'device'));
	symlinkSync(device, join(sys, 'bus', 'usb', 'devices', port));
	symlinkSync(path, join(root, 'dev', node));
	const link = `usb-${usb.product.replaceAll(' ', '_')}_${serial || port}-if00`;
	symlinkSync(`../../${node}`, join(root, 'dev', 'serial', 'by-id', link));
}

/** Plugs a keyboard into such a machine: a scanner that types looks like one. */
export function plugKeyboard(
	root: string,
	{ vendor, product, name }: Readonly<Record<'vendor' | 'product' | 'name', string>>,
): void {
	const shown = join(root, 'sys', 'class', 'input', 'event3', 'device');
	for (const folder of ['id', 'capabilities']) mkdirSync(join(shown, folder), { recursive: true });
	const files = { 'id/vendor': vendor, 'id/product': product, name, uniq: '', phys: 'usb-0000:00:14.0-3/input0' };
	// The keys that every keyboard has, as sysfs writes them: one word of 64 bits.
	for (const [file, text] of Object.entries({ ...files, 'capabilities/key': 'fffffffffffffffe' })) {
		writeFileSync(join(shown, file), `${text}\n`);
	}
}
