import { findDevice, readDevices } from './device-names.ts';
import { withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `device enable`, `device disable` and `device quarantine`. */
export interface DeviceStatusOptions extends SessionOptions {
	readonly device: string;
}

/** The options of `device command`. */
export interface DeviceCommandOptions extends DeviceStatusOptions {
	readonly lane: string;
	readonly order: string;
	readonly mode?: string;
	readonly class?: string;
	readonly count?: number;
	readonly reason?: string;
	readonly seconds: number;
}

/** What becomes of a device. */
export const deviceStatuses = { enable: 'active', disable: 'disabled', quarantine: 'quarantined' } as const;

/** Lets a device work, puts it out of work, or lets it admit on the authority's word alone. */
export async function changeDevice(
	act: keyof typeof deviceStatuses,
	{ device: named, profile, json }: DeviceStatusOptions,
	terminal: Terminal,
): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const { device, name } = findDevice(await readDevices(office), named);
		const status = deviceStatuses[act];
		await office.call({ method: 'PUT', path: `/devices/${device}/status`, body: { status } });
		await terminal.out.write(json ? jsonLine({ device, name, status }) : `${name} is ${status}\n`);
	});
}

/** Gives a lane an order that the feed brings it, soon or not at all. */
export async function commandDevice(options: DeviceCommandOptions, terminal: Terminal): Promise<void> {
	const { device: named, lane, order: kind, mode, class: cls, count, reason, seconds, profile, json } = options;
	await withOffice(profile, terminal, async (office) => {
		const { device, name } = findDevice(await readDevices(office), named);
		const command = {
			kind,
			...(mode !== undefined && { mode }),
			...(cls !== undefined && { cls }),
			...(count !== undefined && { count }),
			...(reason !== undefined && { reason }),
		};
		const body = { lane, command, validMs: seconds * 1000 };
		const { id, expiresMs } = await office.call({ method: 'POST', path: `/devices/${device}/commands`, body });
		const text = `${kind} is on its way to ${lane} of ${name}; after ${seconds} s it is no longer carried out\n`;
		await terminal.out.write(json ? jsonLine({ id, device, name, lane, command, expiresMs }) : text);
	});
}
