import { type PluggedDevice, pluggedDevices } from '../../gate-agent/plugged-devices.ts';
import { jsonLine, paint, type Terminal, table } from './output.ts';

/** The options of `devices list`. */
export interface DevicesListOptions {
	readonly json?: true;
}

/** Prints what is plugged in. */
export async function listDevices({ json }: DevicesListOptions, { out, err }: Terminal): Promise<void> {
	const devices = await pluggedDevices();
	if (json) {
		for (const device of devices) await out.write(jsonLine(plain(device)));
		return;
	}
	if (devices.length === 0) {
		await err.write('nothing is plugged in that could be a scanner, a relay board or a contact\n');
		return;
	}
	const rows = devices.map(({ kind, id, name, lasting, models, problem }) => [
		...[kind, id || '–', name.slice(0, 32) || '–'],
		models.length === 0 ? '–' : models.map((model) => model.name).join(', '),
		Object.entries(lasting)
			.map(([key, value]) => `${key}=${value}`)
			.join(' '),
		problem === undefined ? '' : paint(out, 'yellow', problem),
	]);
	await out.write(table([['KIND', 'USB ID', 'NAME', 'MODEL', 'LASTING NAME', ''], ...rows]));
}

/** A device as JSON: models by their names. */
export function plain({ models, ...device }: PluggedDevice) {
	return { ...device, models: models.map(({ name }) => name) };
}
