import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { StilewardError } from '../../gate-agent/core/errors.ts';

/** The part of `@abandonware/noble` that is used: its own types lack options that it takes. No call of it is sure to answer. */
export interface Noble {
	on(event: 'stateChange' | 'warning', listener: (text: string) => void): unknown;
	on(event: 'discover', listener: (peripheral: NoblePeripheral) => void): unknown;
	startScanningAsync(services: readonly string[], withRepetitions: boolean): Promise<void>;
	stopScanningAsync(): Promise<void>;
	stopScanning(): void;
	/** Drops what is kept of a peripheral. */
	forget(id: string, address: string): void;
}

/** A peripheral of noble. */
export interface NoblePeripheral extends EventEmitter {
	readonly id: string;
	/** Lower case, with colons. */
	readonly address: string;
	readonly rssi: number;
	readonly state: 'error' | 'connecting' | 'connected' | 'disconnecting' | 'disconnected';
	readonly advertisement: { readonly localName?: string; readonly serviceUuids?: readonly string[] };
	connectAsync(parameters: Readonly<Record<string, number>>): Promise<void>;
	cancelConnect(): void;
	disconnectAsync(): Promise<void>;
	discoverServicesAsync(uuids: readonly string[]): Promise<readonly NobleService[]>;
}

interface NobleService {
	readonly uuid: string;
	discoverCharacteristicsAsync(uuids: readonly string[]): Promise<readonly NobleCharacteristic[]>;
}

/** A characteristic of noble. */
export interface NobleCharacteristic extends EventEmitter {
	readonly uuid: string;
	readonly properties: readonly string[];
	subscribeAsync(): Promise<void>;
	readAsync(): Promise<Uint8Array>;
	writeAsync(bytes: Uint8Array, withoutResponse: boolean): Promise<void>;
}

/** What noble keeps by the id of a peripheral, and has no call to drop. */
interface NobleMemory {
	readonly _peripherals: Record<string, unknown>;
	readonly _services: Record<string, unknown>;
	readonly _characteristics: Record<string, unknown>;
	readonly _descriptors: Record<string, unknown>;
	readonly _discoveredPeripheralUUids: Record<string, unknown>;
	readonly _bindings: { readonly _gap?: { readonly _discoveries?: Record<string, unknown> } };
}

/**
 * Loads noble for one adapter. It is loaded here and not imported, because it throws at once on a kernel without Bluetooth.
 * Throws `device_absent` there, and `library_missing` where it cannot be loaded.
 */
export function loadNoble(deviceId: number): Noble {
	try {
		const load = createRequire(import.meta.url)('@abandonware/noble/with-custom-binding') as (options: {
			readonly deviceId: number;
		}) => Omit<Noble, 'forget'> & NobleMemory;
		const noble = load({ deviceId });
		return Object.assign(noble, { forget: (id: string, address: string) => forget(noble, id, address) });
	} catch (cause) {
		const text = cause instanceof Error ? cause.message : String(cause);
		if (/EAFNOSUPPORT|Address family/.test(text)) {
			throw new StilewardError('device_absent', 'this kernel has no Bluetooth', { cause });
		}
		if (/EPERM|EACCES|not permitted/.test(text)) {
			throw new StilewardError('device_denied', 'Bluetooth sockets are not permitted here', { cause });
		}
		throw new StilewardError('library_missing', `noble cannot be loaded: ${text}`, { cause });
	}
}

function forget(noble: NobleMemory, id: string, address: string): void {
	const { _peripherals, _services, _characteristics, _descriptors, _discoveredPeripheralUUids, _bindings } = noble;
	for (const kept of [_peripherals, _services, _characteristics, _descriptors, _discoveredPeripheralUUids]) {
		delete kept[id];
	}
	delete _bindings._gap?._discoveries?.[address];
}
