import { setTimeout as sleep } from 'node:timers/promises';
import { openBleLink } from '../../handheld/ble/ble-link.ts';
import { nordicUart } from '../../handheld/ble/nordic-uart.ts';
import type { Heard } from '../../handheld/ble/radio.ts';
import { exitCodes } from './exit.ts';
import { jsonLine, type Terminal, table } from './output.ts';

/** Which radio is used. */
export interface RadioOptions {
	readonly adapter: string;
	readonly program?: string;
}

/** The options of `ble scan`. */
export interface BleScanOptions extends RadioOptions {
	readonly seconds: number;
	readonly json?: true;
}

/** In a crowd there are thousands; the nearest are of interest. */
const heardMax = 2_000;

/** Lists what advertises. Throws what the adapter rejects with. */
export async function scanBle({ adapter, program, seconds, json }: BleScanOptions, terminal: Terminal): Promise<void> {
	const radio = await openBleLink({ adapter, ...(program !== undefined && { program }) });
	const heard = new Map<string, Heard>();
	try {
		const stop = radio.hear((each) => {
			// A name may come with the scan response only.
			const name = each.name ?? heard.get(each.address)?.name;
			if (heard.size < heardMax || heard.has(each.address)) {
				heard.set(each.address, { ...each, ...(name !== undefined && { name }) });
			}
		});
		if (!json) await terminal.err.write(`listening for ${seconds} s\n`);
		const lost = await Promise.race([radio.lost, sleep(seconds * 1000)]);
		stop();
		if (lost) throw lost;
	} finally {
		await radio.close();
	}
	const nearest = [...heard.values()].toSorted((a, b) => b.rssi - a.rssi);
	if (nearest.length === 0) terminal.finish(exitCodes.found);
	if (json) {
		for (const each of nearest) await terminal.out.write(jsonLine(each));
		return;
	}
	const rows = nearest.map(({ address, name, rssi, services }) => [
		address,
		`${rssi} dBm`,
		name ?? '–',
		services.map(serviceName).join(', '),
	]);
	if (rows.length > 0) await terminal.out.write(table([['address', 'signal', 'name', 'services'], ...rows]));
	else
		await terminal.err.write(
			'nothing advertises here: is the scanner on, in BLE mode, and not connected to a phone?\n',
		);
}

function serviceName(uuid: string): string {
	return uuid === nordicUart.notify.service ? 'Nordic UART' : uuid;
}
