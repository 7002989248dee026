import { stat } from 'node:fs/promises';
import { readModels } from '../device-models.ts';
import { driversOf, type PluggedDevice } from '../plugged-devices.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { type ConfiguredDevice, type DevicePlace, devicesOf, placeOf } from './configured-device.ts';
import { type Finding, found } from './finding.ts';

/** Whether each device of the configuration is plugged in, is what its driver speaks to, and has a name that lasts. */
export const devicesCheck: Check = {
	name: 'devices',
	run: async ({ config, plugged, agent }, { roots }) => {
		if (config === undefined) return [];
		const findings: Finding[] = [];
		for (const device of devicesOf(config)) {
			const place = await placeOf(device, roots);
			// A device that works is what it should be, whatever its chip calls itself.
			const works = agent.health?.devices[device.name]?.state === 'ready';
			findings.push(
				...(await placeFindings(device, place, plugged)),
				...(works ? [] : modelFindings(device, place, plugged)),
			);
		}
		return findings.length > 0 ? findings : [found('devices_ok', 'devices', { devices: devicesOf(config).length })];
	},
};

async function placeFindings(device: ConfiguredDevice, place: DevicePlace, plugged: GateUnderCheck['plugged']) {
	const subject = device.name;
	switch (place.kind) {
		case 'absent': {
			const typing = typingScanner(device, plugged);
			if (typing)
				return [
					found('scanner_types', subject, { name: typing.name || typing.id, path: typing.path, driver: device.driver }),
				];
			return [found('device_absent', subject, { path: place.written, plugged: listOf(plugged) })];
		}
		case 'several':
			return [found('device_ambiguous', subject, { count: place.nodes.length, plugged: place.nodes.join('; ') })];
		case 'node':
			return nodeFindings(device, place, plugged);
		default:
			return [];
	}
}

async function nodeFindings(
	{ name, options }: ConfiguredDevice,
	{ written, path }: DevicePlace & { kind: 'node' },
	plugged: GateUnderCheck['plugged'],
): Promise<readonly Finding[]> {
	const stats = await stat(path).catch(() => undefined);
	if (stats !== undefined && !stats.isCharacterDevice()) {
		return [found('device_not_a_port', name, { path: written, plugged: listOf(plugged) })];
	}
	const known = plugged.find((each) => each.path === written);
	const lasting = known?.lasting.path;
	if (options.path !== written || lasting === undefined || lasting === written) return [];
	return [found('name_not_lasting', name, { path: written, lasting })];
}

/** A device that is known to be another than the one that is meant: exchanged paths, mostly. */
function modelFindings(
	{ name, driver }: ConfiguredDevice,
	place: DevicePlace,
	plugged: readonly PluggedDevice[],
): readonly Finding[] {
	if (place.kind !== 'node') return [];
	const here = plugged.find(
		({ path, lasting }) => path === place.path || path === place.written || lasting.path === place.written,
	);
	if (here === undefined || here.models.length === 0 || here.models.some((model) => model.driver === driver)) return [];
	// Adapters of the same chip carry scanners and boards alike; only a chip that is the device itself tells.
	if (isAdapter(here.id)) return [];
	const model = here.models.map((each) => each.name).join(', ');
	return [found('device_other_model', name, { path: place.written, model, driver, plugged: listOf(plugged) })];
}

/** Chips of USB-serial cables: what hangs on their other end is unknown (WCH, FTDI, Silicon Labs, Prolific). */
function isAdapter(id: string): boolean {
	return /^(1a86|0403|10c4|067b):/.test(id);
}

const nameOfScanner = /scan|barcode|imager|bar code|qr/i;

/** A keyboard that is the scanner: of the maker of the one that is meant, or by its name. */
function typingScanner(
	{ kind, driver, options }: ConfiguredDevice,
	plugged: readonly PluggedDevice[],
): PluggedDevice | undefined {
	if (kind !== 'scanner' || driver === 'hid-keyboard' || driver === 'ble') return undefined;
	const vendor = typeof options.device === 'string' ? options.device.slice(0, 4) : undefined;
	const makers = new Set(readModels('scanners').flatMap(({ usb = [] }) => usb.map(({ id }) => id.slice(0, 4))));
	const keyboards = plugged.filter((each) => each.kind === 'keyboard');
	return (
		keyboards.find(({ id }) => vendor !== undefined && id.startsWith(vendor)) ??
		keyboards.find(({ name, id }) => nameOfScanner.test(name) || makers.has(id.slice(0, 4)))
	);
}

/** What is plugged in, in a few words. */
function listOf(plugged: readonly PluggedDevice[]): string {
	const kinds = Object.keys(driversOf);
	const named = plugged
		.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind))
		.map(({ kind, name, lasting }) =>
			`${kind} ${name} ${lasting.path ?? Object.values(lasting).join(' ')}`.replaceAll(/ +/g, ' '),
		);
	return named.length === 0 ? '–' : named.slice(0, 8).join('; ');
}
