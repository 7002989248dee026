import { deviceIo } from '../../gate-agent/checks/device-io.ts';
import { checkDeviceSettings } from '../../gate-agent/config.ts';
import type { Scanner } from '../../gate-agent/core/device.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Scan } from '../../gate-agent/core/scan.ts';
import { drivers } from '../../gate-agent/drivers.ts';
import { asSets } from './device-part.ts';

/** A scanner whose scans are waited for one after the other. */
export interface OpenScanner {
	/** The next scan that comes from now on. Rejects with `device_lost`. */
	next(): Promise<Scan>;
	/** What its driver told when it was opened: speed, versions, what was set up. */
	readonly told: Readonly<Record<string, unknown>>;
	close(): Promise<void>;
}

/** Opens a scanner with its settings; a module that can be set up is set up and locked now. Rejects as its driver does. */
export async function openScanner(settings: Readonly<Record<string, unknown>>): Promise<OpenScanner> {
	const { driver, options } = checkDeviceSettings('scanner', { set: asSets(settings) });
	const told: Record<string, unknown> = {};
	let waiting: PromiseWithResolvers<Scan> | undefined;
	const io = deviceIo((_, fields) => void Object.assign(told, fields));
	const opened = await drivers.scanners[driver]?.open(options, {
		...io,
		onScan: (scan) => {
			waiting?.resolve(scan);
			waiting = undefined;
		},
	});
	if (opened === undefined) throw new StilewardError('usage', `there is no driver ${driver}`);
	const scanner: Scanner = opened;
	void scanner.lost.then((error) => waiting?.reject(error));
	return {
		told,
		next: () => {
			waiting ??= Promise.withResolvers<Scan>();
			waiting.promise.catch(() => {});
			return waiting.promise;
		},
		close: () => scanner.close(),
	};
}
