import { setTimeout as sleep } from 'node:timers/promises';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { type GattCharacteristic, type GattPlace, type Heard, type Radio, type RadioPeer, samePlace } from './radio.ts';

/** A peripheral of a scripted radio, and what it is asked to do. */
export interface ScriptedPeer {
	readonly address: string;
	readonly name?: string;
	/** What it advertises; its services where absent. */
	readonly advertises?: readonly string[];
	readonly rssi: number;
	readonly characteristics: readonly GattCharacteristic[];
	/** What `read` gives, by place. */
	readonly values?: readonly (GattPlace & { readonly bytes: Uint8Array })[];
}

/** Steps at which a peripheral can hang: the call never settles. */
export type HangingStep = 'connect' | 'discover' | 'subscribe' | 'read' | 'write' | 'disconnect';

/** The far end of a scripted radio. */
export interface ScriptedAir {
	/** The peripheral tells a value, if somebody listens to it. */
	notify(address: string, at: GattPlace, bytes: Uint8Array): void;
	/** Everything that was written to it, in order. */
	written(address: string): readonly Uint8Array[];
	/** From now on it does not answer at these steps; none makes it answer again. */
	hang(address: string, steps: readonly HangingStep[]): void;
	/** Its link breaks, and it is not heard any more. */
	vanish(address: string): void;
	/** It is heard again. */
	appear(address: string): void;
	isConnected(address: string): boolean;
	/** What the central did with the radio: `listen`, `silence`, `connect …`, in order. */
	readonly calls: readonly string[];
	/** The adapter is pulled out. */
	unplug(): void;
}

/** A radio whose peripherals are data: for trials without Bluetooth, and for what no real device does on order. */
export interface ScriptedRadio extends Radio, ScriptedAir {}

/** How often a scripted peripheral advertises, ms. */
const advertisingMs = 20;

interface Station {
	readonly peer: ScriptedPeer;
	readonly written: Uint8Array[];
	readonly listeners: { readonly at: GattPlace; readonly onBytes: (bytes: Uint8Array) => void }[];
	hanging: readonly HangingStep[];
	isThere: boolean;
	link: PromiseWithResolvers<void> | undefined;
}

/** Makes a radio with these peripherals around it. */
export function createScriptedRadio(peers: readonly ScriptedPeer[]): ScriptedRadio {
	const stations = new Map(peers.map((peer) => [peer.address, stationOf(peer)]));
	const lost = Promise.withResolvers<StilewardError>();
	const calls: string[] = [];
	let advertising: NodeJS.Timeout | undefined;
	const at = (address: string): Station => {
		const station = stations.get(address);
		if (!station) throw new Error(`assertion failed: no peripheral ${address}`);
		return station;
	};
	const cut = (station: Station) => {
		station.link?.resolve();
		station.link = undefined;
		station.listeners.length = 0;
	};
	return {
		lost: lost.promise,
		calls,
		listen: async (onHeard) => {
			calls.push('listen');
			clearInterval(advertising);
			advertising = setInterval(() => {
				// A peripheral that is connected does not advertise.
				for (const station of stations.values()) if (station.isThere && !station.link) onHeard(heardOf(station.peer));
			}, advertisingMs);
		},
		silence: async () => {
			calls.push('silence');
			clearInterval(advertising);
			advertising = undefined;
		},
		connect: async (address) => {
			calls.push(`connect ${address}`);
			if (advertising) throw new StilewardError('device_busy', 'the radio listens');
			const station = at(address);
			await answer(station, 'connect');
			station.link = Promise.withResolvers<void>();
			return peerOf(station, cut);
		},
		abandon: (address) => void calls.push(`abandon ${address}`),
		close: () => clearInterval(advertising),
		notify: (address, place, bytes) => {
			for (const { at: from, onBytes } of at(address).listeners) if (samePlace(from, place)) onBytes(bytes);
		},
		written: (address) => at(address).written,
		hang: (address, steps) => {
			at(address).hanging = steps;
		},
		vanish: (address) => {
			at(address).isThere = false;
			cut(at(address));
		},
		appear: (address) => {
			at(address).isThere = true;
		},
		isConnected: (address) => at(address).link !== undefined,
		unplug: () => {
			clearInterval(advertising);
			for (const station of stations.values()) cut(station);
			lost.resolve(new StilewardError('device_lost', 'the Bluetooth adapter is gone'));
		},
	};
}

function stationOf(peer: ScriptedPeer): Station {
	return { peer, written: [], listeners: [], hanging: [], isThere: true, link: undefined };
}

function heardOf({ address, name, advertises, characteristics, rssi }: ScriptedPeer): Heard {
	const services = advertises ?? [...new Set(characteristics.map(({ service }) => service))];
	return { address, ...(name !== undefined && { name }), services, rssi };
}

/** Answers in a moment, or never. */
async function answer({ hanging }: Station, step: HangingStep): Promise<void> {
	if (hanging.includes(step)) await Promise.withResolvers<never>().promise;
	await sleep(1);
}

function peerOf(station: Station, cut: (station: Station) => void): RadioPeer {
	const { peer, listeners, written } = station;
	const link = station.link ?? Promise.withResolvers<void>();
	return {
		lost: link.promise,
		discover: async (services) => {
			await answer(station, 'discover');
			return peer.characteristics.filter(({ service }) => services === undefined || services.includes(service));
		},
		subscribe: async (at, onBytes) => {
			await answer(station, 'subscribe');
			listeners.push({ at, onBytes });
		},
		read: async (at) => {
			await answer(station, 'read');
			return peer.values?.find((value) => samePlace(value, at))?.bytes ?? new Uint8Array(0);
		},
		write: async (_at, bytes) => {
			await answer(station, 'write');
			written.push(bytes);
		},
		disconnect: async () => {
			await answer(station, 'disconnect');
			cut(station);
		},
	};
}
