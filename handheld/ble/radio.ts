import type { StilewardError } from '../../gate-agent/core/errors.ts';

/** Where a value of a peripheral is. UUIDs have 4 or 32 hexadecimal digits in lower case, without hyphens. */
export interface GattPlace {
	readonly service: string;
	readonly characteristic: string;
}

/** A value of a peripheral and what may be done with it: `read`, `write`, `writeWithoutResponse`, `notify`, `indicate`. */
export interface GattCharacteristic extends GattPlace {
	readonly properties: readonly string[];
}

/** A peripheral that advertises. `rssi` in dBm. */
export interface Heard {
	readonly address: string;
	readonly name?: string;
	readonly services: readonly string[];
	readonly rssi: number;
}

/**
 * One Bluetooth adapter as a central uses it. Its law: any call may hang forever, so that who calls brings the time limit;
 * one `connect` at a time, never while it listens; `lost` resolves once, with `device_lost`, and never rejects.
 */
export interface Radio {
	readonly lost: Promise<StilewardError>;
	/** Tells every advertisement until `silence`. */
	listen(onHeard: (heard: Heard) => void): Promise<void>;
	silence(): Promise<void>;
	/** Connects to a peripheral that was heard before. Rejects with `device_absent` or `device_timeout`. */
	connect(address: string): Promise<RadioPeer>;
	/** Gives up a `connect` that has not settled. */
	abandon(address: string): void;
	close(): void;
}

/** A connected peripheral: one operation at a time. */
export interface RadioPeer {
	/** Resolves when the link is gone, whoever ended it. */
	readonly lost: Promise<void>;
	/** What it has; with `services` only those of them that it has. */
	discover(services?: readonly string[]): Promise<readonly GattCharacteristic[]>;
	subscribe(at: GattPlace, onBytes: (bytes: Uint8Array) => void): Promise<void>;
	read(at: GattPlace): Promise<Uint8Array>;
	/** Without a response it resolves once the bytes have left. */
	write(at: GattPlace, bytes: Uint8Array, withResponse: boolean): Promise<void>;
	disconnect(): Promise<void>;
}

/** A UUID as a radio writes it: hyphens and capitals are a matter of taste. */
export function plainUuid(uuid: string): string {
	return uuid.replaceAll('-', '').toLowerCase();
}

/** Whether two places are the same. */
export function samePlace(a: GattPlace, b: GattPlace): boolean {
	return a.service === b.service && a.characteristic === b.characteristic;
}
