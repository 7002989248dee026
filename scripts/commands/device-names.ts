import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Device } from '../../sync/server/store.ts';
import type { OfficeClient } from './office-client.ts';

/** Every device of the venue. */
export async function readDevices(office: OfficeClient): Promise<readonly Device[]> {
	const { devices } = await office.call({ method: 'GET', path: '/devices' });
	// The server's answer has this form.
	return devices as readonly Device[];
}

/**
 * The device that a person names: by its name, its id, or the beginning of its id that a list shows. A name that was
 * passed on stands for the device that has it now. Throws `device_unknown` and `usage`.
 */
export function findDevice(devices: readonly Device[], named: string): Device {
	const working = devices.filter(({ name, status }) => name === named && status !== 'disabled');
	const found = [
		working,
		devices.filter(({ name }) => name === named),
		devices.filter(({ device }) => isOf(device, named)),
	];
	const [one, ...others] = found.find((list) => list.length > 0) ?? [];
	if (one === undefined) throw new StilewardError('device_unknown', `there is no device ${named}`);
	if (others.length > 0) throw new StilewardError('usage', `${named} names ${others.length + 1} devices: give the id`);
	return one;
}

/** Characters of an id that a list shows, and that are enough to name it. */
export const shortIdCharacters = 8;

function isOf(device: string, named: string): boolean {
	return named.length >= shortIdCharacters && device.startsWith(named);
}
