import type { StilewardError } from '../../gate-agent/core/errors.ts';
import type { GattCharacteristic, GattPlace, Heard } from './radio.ts';

/** Which peripheral is meant: everything that is given must fit. */
export interface PeerChoice {
	readonly address?: string;
	/** The begin of the name that it advertises. */
	readonly name?: string;
	/** A service that it advertises. */
	readonly service?: string;
}

/** What is wanted of a peripheral. */
export interface PeerWish {
	readonly peer: PeerChoice;
	/** The values that it is to tell, each of which it must have; `all` takes every one that can be told. */
	readonly listen: readonly GattPlace[] | 'all';
	/** What will be written to; it must be there and take writes. */
	readonly write?: GattPlace;
	/** Whether it is asked how full its battery is; some hang when they are. */
	readonly battery: boolean;
}

/** What a peripheral tells. */
export interface PeerEvents {
	readonly onBytes: (bytes: Uint8Array, from: GattPlace) => void;
	/** How full its battery is; told when it is opened, and again when it is another. */
	readonly onBattery?: (percent: number) => void;
}

/** An open peripheral. Its law is that of a device: `lost` resolves once, `close` may be called twice. */
export interface PeerLink {
	readonly address: string;
	readonly lost: Promise<StilewardError>;
	readonly characteristics: readonly GattCharacteristic[];
	/** Rejects with `device_timeout`, `device_busy`, `device_protocol` or `device_lost`. */
	write(at: GattPlace, bytes: Uint8Array): Promise<void>;
	close(): Promise<void>;
}

/**
 * A Bluetooth adapter that serves several peripherals at once: a central in this process, or one in a process of its own.
 * Its law: a peripheral that hangs delays none of the others.
 */
export interface BleAdapter {
	readonly lost: Promise<StilewardError>;
	/** Finds, connects and subscribes. Rejects with `device_absent`, `device_busy`, `device_timeout` or `device_protocol`. */
	open(wish: PeerWish, events: PeerEvents): Promise<PeerLink>;
	/** Tells what advertises until the function it gives is called. */
	hear(onHeard: (heard: Heard) => void): () => void;
	close(): Promise<void>;
}

/** Bluetooth SIG, Assigned Numbers: Battery Service and Battery Level. */
export const batteryPlace: GattPlace = { service: '180f', characteristic: '2a19' };

/** Whether what was heard is meant. */
export function fits({ address, name, service }: PeerChoice, heard: Heard): boolean {
	if (address !== undefined && address.toLowerCase() !== heard.address.toLowerCase()) return false;
	if (name !== undefined && heard.name?.startsWith(name) !== true) return false;
	return service === undefined || heard.services.includes(service);
}
