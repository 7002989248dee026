import { StilewardError } from '../../gate-agent/core/errors.ts';
import { type DeviceModel, readModel } from '../../gate-agent/device-models.ts';
import type { PluggedDevice } from '../../gate-agent/plugged-devices.ts';
import { setUpGrowGm } from '../../gate-agent/scanners/grow-gm-setup.ts';
import { createBuses } from '../../gate-agent/serial/buses.ts';

/** A device that was found, as a configuration names it. */
export interface FoundDevice {
	readonly slot: 'scanner' | 'relay';
	/** What people are shown. */
	readonly label: string;
	/** The part of the configuration: model, path and so on. */
	readonly settings: Readonly<Record<string, unknown>>;
	readonly model?: DeviceModel;
	/** It answered in its own language, or its USB id is its own: nobody needs to be asked. */
	readonly isSure: boolean;
}

/** Speeds and addresses that a relay board of Waveshare has from the factory, or was set to. */
const boardBaudRates = [9600, 115_200];

/**
 * What each plugged device is: serial ports are asked in the languages of a Grow module and of a Modbus board, which no other
 * device of a gate takes for an order; others are known by their USB ids. Nothing is set and no relay moves.
 */
export async function findDevices(plugged: readonly PluggedDevice[]): Promise<readonly FoundDevice[]> {
	const found: FoundDevice[] = [];
	for (const device of plugged) {
		const asked =
			device.kind === 'serial' && device.problem === undefined
				? await askPort(device.lasting.path ?? device.path)
				: undefined;
		found.push(...(asked ? [asked] : byModel(device)));
	}
	return found;
}

/** What answers at a serial port; undefined where nothing does, as most scanners and LCUS boards. */
export async function askPort(path: string): Promise<FoundDevice | undefined> {
	return (await askGrow(path)) ?? (await askBoard(path));
}

async function askGrow(path: string): Promise<FoundDevice | undefined> {
	try {
		const setup = { path, zoneMap: 'gm65', sameCodeDelayMs: 1000, provision: 'off' } as const;
		const { link, baudRate } = await setUpGrowGm(setup, () => {});
		await link.close();
		const model = readModel('scanners', 'grow-gm65');
		return {
			slot: 'scanner',
			label: `${model.title}, ${path}, ${baudRate} baud`,
			settings: { model: model.name, path },
			model,
			isSure: true,
		};
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return undefined;
	}
}

async function askBoard(path: string): Promise<FoundDevice | undefined> {
	for (const baudRate of boardBaudRates) {
		try {
			const bus = await createBuses().acquire({ path, baudRate });
			try {
				await bus.ask({ unit: 1, tries: 1, request: { kind: 'read_coils', start: 0, count: 8 } });
			} finally {
				await bus.close();
			}
			const model = readModel('relays', 'waveshare-rtu');
			const own = model.options.baudRate === baudRate ? {} : { baudRate };
			return {
				slot: 'relay',
				label: `${model.title}, ${path}, ${baudRate} baud`,
				settings: { model: model.name, path, ...own },
				model,
				isSure: true,
			};
		} catch (error) {
			if (!(error instanceof StilewardError)) throw error;
		}
	}
	return undefined;
}

function byModel(device: PluggedDevice): readonly FoundDevice[] {
	const place = [device.name, Object.values(device.lasting).join(' ')].filter(Boolean).join(', ');
	const known = device.models.map((model): FoundDevice => {
		const slot = model.kind === 'relays' ? 'relay' : 'scanner';
		const own = Object.fromEntries(
			Object.entries(device.lasting).filter(([key, value]) => model.options[key] !== value),
		);
		return {
			slot,
			label: `${model.title}, ${place}`,
			settings: { model: model.name, ...own },
			model,
			isSure: device.kind !== 'keyboard',
		};
	});
	if (device.kind !== 'serial' || known.some(({ slot }) => slot === 'scanner')) return known;
	// A port that nobody knows is most often a scanner in USB-CDC mode; a cable's chip may have anything behind it.
	const model = readModel('scanners', 'serial-generic');
	const settings = { model: model.name, ...device.lasting };
	return [...known, { slot: 'scanner', label: `${model.title}, ${place}`, settings, model, isSure: false }];
}
