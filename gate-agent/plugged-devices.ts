import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { type DeviceModel, readModels } from './device-models.ts';
import { listGpioChips } from './ioctl/gpio.ts';
import type { DeviceNode } from './nodes/choose-node.ts';
import { listHidraw } from './nodes/hidraw.ts';
import { listInputEvents } from './nodes/input-events.ts';
import { listSerialPorts } from './nodes/serial-ports.ts';
import { type Roots, systemRoots } from './nodes/sysfs.ts';

/** Something that is plugged in, and what it can be. */
export interface PluggedDevice {
	readonly kind: 'serial' | 'hid' | 'keyboard' | 'gpio';
	readonly path: string;
	/** The name that outlives a re-plug, as a configuration writes it: option and value. */
	readonly lasting: Readonly<Record<string, string>>;
	/** Vendor and product; empty for a chip of the machine itself. */
	readonly id: string;
	readonly name: string;
	readonly serial: string;
	readonly port: string;
	readonly models: readonly DeviceModel[];
	/** Why this user cannot open it. */
	readonly problem?: string;
}

/** Drivers by what they are plugged into; a device is of a model only where its driver stands here. */
export const driversOf: Readonly<Record<PluggedDevice['kind'], readonly string[]>> = {
	serial: ['serial-line', 'serial-lcus', 'modbus-waveshare', 'grow-gm', 'newland', 'ssi'],
	hid: ['hid-pos', 'hid-dcttech'],
	keyboard: ['hid-keyboard'],
	gpio: ['gpio'],
};

/** All that is plugged in and could be a gate's, read without opening a device of USB. */
export async function pluggedDevices(roots: Roots = systemRoots): Promise<readonly PluggedDevice[]> {
	const models = [...readModels('scanners'), ...readModels('relays')];
	const [serial, hid, inputs, chips] = await Promise.all([
		listSerialPorts(roots),
		listHidraw(roots),
		listInputEvents(roots),
		// Without the C library of Linux there are none.
		listGpioChips(roots.dev).catch(() => []),
	]);
	const keyboards = inputs.filter(({ isKeyboard }) => isKeyboard);
	const found = [
		...serial.map((node) => deviceOf('serial', node, { path: node.byId ?? node.byPath ?? node.path })),
		...hid.map((node) => deviceOf('hid', node, lastingOf(node))),
		...keyboards.map((node) => deviceOf('keyboard', node, lastingOf(node))),
		...chips.map(({ path, label }) => {
			const node = { path, vendorId: '', productId: '', name: label, serial: '', port: '' };
			return deviceOf('gpio', node, { chip: label });
		}),
	];
	return Promise.all(
		found.map(async (device) => {
			const problem = await problemOf(device.path);
			return { ...device, models: models.filter((model) => canBe(device, model)), ...(problem && { problem }) };
		}),
	);
}

function deviceOf(kind: PluggedDevice['kind'], node: DeviceNode, lasting: Readonly<Record<string, string>>) {
	const { path, vendorId, productId, name, serial, port } = node;
	return { kind, path, lasting, id: vendorId === '' ? '' : `${vendorId}:${productId}`, name, serial, port };
}

function lastingOf({ vendorId, productId, serial, port }: DeviceNode): Readonly<Record<string, string>> {
	const device = `${vendorId}:${productId}`;
	return serial !== '' ? { device, serial } : { device, port };
}

function canBe({ kind, id, name }: Omit<PluggedDevice, 'models'>, { driver, usb, options }: DeviceModel): boolean {
	if (!driversOf[kind].includes(driver)) return false;
	if (kind === 'gpio') return options.chip === name;
	return (
		usb?.some((each) => each.id === id && (each.product === undefined || new RegExp(each.product).test(name))) ?? false
	);
}

async function problemOf(path: string): Promise<string | undefined> {
	try {
		await access(path, constants.R_OK | constants.W_OK);
		return undefined;
	} catch {
		return 'this user may not open it';
	}
}

/** The lines of a gate's configuration that name a device. */
export function snippetOf({ lasting }: PluggedDevice, model: DeviceModel | undefined): string {
	const slot = model?.kind === 'relays' ? 'relay' : 'scanner';
	const own = Object.entries(lasting).filter(([key, value]) => model?.options[key] !== value);
	const parts = [
		...(model ? [`model: ${model.name}`] : []),
		...own.map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
	];
	return `${slot}: { ${parts.join(', ')} }`;
}
