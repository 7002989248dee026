import { realpath } from 'node:fs/promises';
import type { DeviceSettings, GateConfig } from '../config.ts';
import { boardName } from '../config-wiring.ts';
import { StilewardError } from '../core/errors.ts';
import { listGpioChips } from '../ioctl/gpio.ts';
import { chooseNode, type DeviceNode, type NodeChoice } from '../nodes/choose-node.ts';
import { listHidraw } from '../nodes/hidraw.ts';
import { listInputEvents } from '../nodes/input-events.ts';
import type { Roots } from '../nodes/sysfs.ts';

/** A device of the configuration, by the name that health gives it. */
export interface ConfiguredDevice extends DeviceSettings {
	readonly name: string;
	readonly lane: string;
	readonly kind: 'scanner' | 'relay' | 'inputs';
}

/** The devices of a configuration; lanes that share a board have it once. */
export function devicesOf({ lanes }: GateConfig): readonly ConfiguredDevice[] {
	const boards = new Set<string>();
	return lanes.flatMap(({ lane: { id }, scanner, exitScanner, relay, inputs }) => {
		const device = (slot: string, kind: ConfiguredDevice['kind'], settings: DeviceSettings | undefined) =>
			settings ? [{ name: `${id}.${slot}`, lane: id, kind, driver: settings.driver, options: settings.options }] : [];
		const isNew = relay !== undefined && !boards.has(boardName(relay));
		if (relay) boards.add(boardName(relay));
		return [
			...device('scanner', 'scanner', scanner),
			...device('exit_scanner', 'scanner', exitScanner),
			...device('relay', 'relay', isNew ? relay : undefined),
			...device('inputs', 'inputs', inputs),
		];
	});
}

/** Where a device is reached. */
export type DevicePlace =
	/** `written` is what the configuration says, `path` the node behind it. */
	| { readonly kind: 'node'; readonly written: string; readonly path: string }
	| { readonly kind: 'absent'; readonly written: string }
	| { readonly kind: 'several'; readonly written: string; readonly nodes: readonly string[] }
	| { readonly kind: 'network'; readonly host: string; readonly port: number }
	/** Simulated, a file, or reached by radio. */
	| { readonly kind: 'none' };

const byHidraw: ReadonlySet<string> = new Set(['hid-pos', 'hid-dcttech']);
const withoutNode: ReadonlySet<string> = new Set(['replay', 'simulated', 'ble']);

/** Finds the node of a device as its driver would, without opening it. */
export async function placeOf({ driver, options }: ConfiguredDevice, roots: Roots): Promise<DevicePlace> {
	if (withoutNode.has(driver)) return { kind: 'none' };
	if (typeof options.host === 'string') return { kind: 'network', host: options.host, port: Number(options.port) };
	if (typeof options.path === 'string') return nodeAt(options.path);
	if (typeof options.chip === 'string') return chipPlace(options.chip, roots);
	const nodes: readonly DeviceNode[] = byHidraw.has(driver)
		? await listHidraw(roots)
		: (await listInputEvents(roots)).filter(({ isKeyboard }) => isKeyboard);
	// The schema of these drivers has the members of a choice.
	const choice = options as NodeChoice;
	const written = [choice.device, choice.serial, choice.port].filter(Boolean).join(' ');
	try {
		return await nodeAt(chooseNode(nodes, choice, 'device').path, written);
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		if (error.code === 'device_absent') return { kind: 'absent', written };
		const fitting = nodes.filter(({ vendorId, productId }) => `${vendorId}:${productId}` === choice.device);
		return {
			kind: 'several',
			written,
			nodes: fitting.map(({ path, serial, port }) => `${path} (serial ${serial || '–'}, port ${port})`),
		};
	}
}

async function nodeAt(path: string, written = path): Promise<DevicePlace> {
	const real = await realpath(path).catch(() => undefined);
	return real === undefined ? { kind: 'absent', written } : { kind: 'node', written, path: real };
}

async function chipPlace(label: string, { dev }: Roots): Promise<DevicePlace> {
	const chips = await listGpioChips(dev).catch(() => []);
	const chip = chips.find((each) => each.label === label || each.path === label);
	return chip ? { kind: 'node', written: label, path: chip.path } : { kind: 'absent', written: label };
}
