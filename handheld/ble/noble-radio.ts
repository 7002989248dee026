import { StilewardError } from '../../gate-agent/core/errors.ts';
import { inTime } from './in-time.ts';
import { loadNoble, type Noble, type NobleCharacteristic, type NoblePeripheral } from './noble.ts';
import type { GattCharacteristic, GattPlace, Heard, Radio, RadioPeer } from './radio.ts';

/** How long an adapter may take to say that it is on; a slow one needs its whole set-up for it. */
const powerMs = 8_000;

/**
 * Connections as a scanner needs them: an interval of 15 to 30 ms, and lost after 4 s without a word. noble's own 420 ms
 * lose a scanner behind a body. Units: 1.25 ms and 10 ms (Bluetooth Core, Vol 4, Part E, 7.8.12).
 */
const connection = { minInterval: 12, maxInterval: 24, latency: 0, timeout: 400 };

/** What was heard so long ago may be dropped, ms. */
const strangerMs = 30_000;
const strangersMax = 1_000;

/** A controller ends an attempt at once and a link within the supervision time; one that does not is stuck, ms. */
const endMs = 6_000;

/** A peripheral and when it was heard last, monotonic milliseconds. */
interface Known {
	readonly peripheral: NoblePeripheral;
	readonly atMs: number;
}

/**
 * Opens adapter `hciN` through noble, on the raw channel of the kernel. Rejects with `device_absent` where there is no such
 * adapter or it is off, with `device_denied` without CAP_NET_RAW, with `library_missing` where noble cannot be loaded.
 */
export async function openNobleRadio(adapter: number): Promise<Radio> {
	const noble = loadNoble(adapter);
	const lost = Promise.withResolvers<StilewardError>();
	const heard = new Map<string, Known>();
	const lose = (why: string) =>
		lost.resolve(new StilewardError('device_lost', `Bluetooth adapter hci${adapter} ${why}`));
	await poweredOn(noble, adapter);
	noble.on('stateChange', (state) => {
		if (state !== 'poweredOn') lose('is off');
	});
	let onHeard: (heard: Heard) => void = () => undefined;
	noble.on('discover', (peripheral) => {
		heard.set(peripheral.address, { peripheral, atMs: performance.now() });
		if (heard.size > strangersMax) forgetStrangers(noble, heard);
		onHeard(heardOf(peripheral));
	});
	return {
		lost: lost.promise,
		listen: (listener) => {
			onHeard = listener;
			forgetStrangers(noble, heard);
			// With repetitions, because noble tells a peripheral without a scan response at its second advertisement only.
			return noble.startScanningAsync([], true);
		},
		silence: () => noble.stopScanningAsync(),
		connect: (address) => connect(heard.get(address)?.peripheral, address, lose),
		abandon: (address) => {
			const peripheral = heard.get(address)?.peripheral;
			if (peripheral) abandon(peripheral, lose);
		},
		close: () => noble.stopScanning(),
	};
}

async function poweredOn(noble: Noble, adapter: number): Promise<void> {
	const settled = Promise.withResolvers<string>();
	noble.on('warning', (text) => settled.resolve(text));
	noble.on('stateChange', settled.resolve);
	const state = await inTime(`Bluetooth adapter hci${adapter}`, settled.promise, powerMs);
	if (state === 'poweredOn') return;
	if (state === 'unauthorized' || /not permitted|EPERM|EACCES/.test(state)) {
		throw new StilewardError('device_denied', 'raw Bluetooth needs CAP_NET_RAW: see the README of handheld/ble');
	}
	throw new StilewardError('device_absent', `there is no Bluetooth adapter hci${adapter}, or it is off (${state})`);
}

function heardOf({ address, advertisement, rssi }: NoblePeripheral): Heard {
	const { localName, serviceUuids } = advertisement;
	return { address, ...(localName && { name: localName }), services: serviceUuids ?? [], rssi };
}

/**
 * noble keeps every address that it ever heard, and phones in a crowd have a new one every quarter of an hour. What is not
 * connected is heard again.
 */
function forgetStrangers(noble: Noble, heard: Map<string, Known>): void {
	const oldMs = performance.now() - strangerMs;
	for (const [address, { peripheral, atMs }] of heard) {
		if (atMs > oldMs || !isFree(peripheral)) continue;
		heard.delete(address);
		noble.forget(peripheral.id, address);
	}
}

function isFree({ state }: NoblePeripheral): boolean {
	return state === 'disconnected' || state === 'error';
}

/** An attempt or a link that does not end keeps noble from ever connecting again: the adapter is opened anew. */
function expectEnd(peripheral: NoblePeripheral, lose: (why: string) => void): void {
	setTimeout(() => {
		if (peripheral.state === 'connecting' || peripheral.state === 'disconnecting') lose(`is stuck ${peripheral.state}`);
	}, endMs).unref();
}

function abandon(peripheral: NoblePeripheral, lose: (why: string) => void): void {
	peripheral.cancelConnect();
	// It may have come to be in this very moment.
	peripheral.once('connect', () => {
		if (peripheral.state === 'connected') void peripheral.disconnectAsync();
	});
	expectEnd(peripheral, lose);
}

async function connect(
	peripheral: NoblePeripheral | undefined,
	address: string,
	lose: (why: string) => void,
): Promise<RadioPeer> {
	if (!peripheral) throw new StilewardError('device_absent', `${address} was not heard`);
	if (!isFree(peripheral)) {
		throw new StilewardError('device_busy', `the last link to ${address} has not ended yet (${peripheral.state})`);
	}
	peripheral.removeAllListeners();
	await peripheral.connectAsync(connection).catch((cause: unknown) => {
		throw new StilewardError('device_timeout', `${address} cannot be connected to: ${cause}`, { cause });
	});
	return peerOf(peripheral, lose);
}

function peerOf(peripheral: NoblePeripheral, lose: (why: string) => void): RadioPeer {
	const lost = Promise.withResolvers<void>();
	peripheral.once('disconnect', () => lost.resolve());
	const values = new Map<string, NobleCharacteristic>();
	const keyOf = ({ service, characteristic }: GattPlace) => `${service}/${characteristic}`;
	const valueAt = (at: GattPlace): NobleCharacteristic => {
		const value = values.get(keyOf(at));
		if (value) return value;
		throw new StilewardError('device_protocol', `there is no characteristic ${at.characteristic}`);
	};
	return {
		lost: lost.promise,
		discover: async (services = []) => {
			const found: GattCharacteristic[] = [];
			for (const service of await peripheral.discoverServicesAsync([...services])) {
				for (const value of await service.discoverCharacteristicsAsync([])) {
					const at = { service: service.uuid, characteristic: value.uuid };
					values.set(keyOf(at), value);
					found.push({ ...at, properties: value.properties });
				}
			}
			return found;
		},
		subscribe: async (at, onBytes) => {
			const value = valueAt(at);
			value.on('data', onBytes);
			await value.subscribeAsync();
		},
		read: async (at) => valueAt(at).readAsync(),
		write: async (at, bytes, withResponse) => valueAt(at).writeAsync(Buffer.from(bytes), !withResponse),
		disconnect: async () => {
			// noble breaks down when it is told to end a link that is none.
			if (peripheral.state !== 'connected') return lost.promise;
			expectEnd(peripheral, lose);
			await peripheral.disconnectAsync();
		},
	};
}
