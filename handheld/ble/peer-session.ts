import { StilewardError } from '../../gate-agent/core/errors.ts';
import { batteryPlace, type PeerEvents, type PeerLink, type PeerWish } from './adapter.ts';
import type { CentralLimits } from './central.ts';
import { createGattQueue, type GattQueue } from './gatt-queue.ts';
import { atMost } from './in-time.ts';
import { type GattCharacteristic, type GattPlace, type Radio, type RadioPeer, samePlace } from './radio.ts';

/** What a session is made of. */
export interface SessionParts {
	readonly address: string;
	readonly peer: RadioPeer;
	readonly radio: Pick<Radio, 'lost'>;
	readonly wish: PeerWish;
	readonly events: PeerEvents;
	readonly limits: CentralLimits;
}

/**
 * Makes a connected peripheral ready: what it has, what it is to tell, its battery. A peripheral that does not answer is
 * given up, because no other operation may follow. Rejects with `device_timeout`, `device_protocol` or `device_lost`.
 */
export async function openSession({ address, peer, radio, wish, events, limits }: SessionParts): Promise<PeerLink> {
	const lost = Promise.withResolvers<StilewardError>();
	let gone: StilewardError | undefined;
	let leaving: Promise<void> | undefined;
	const leave = (why: StilewardError): Promise<void> => {
		gone ??= why;
		queue.end(gone);
		clearInterval(checking);
		leaving ??= atMost(peer.disconnect(), limits.disconnectMs).then(() => lost.resolve(why));
		return leaving;
	};
	const queue = createGattQueue({
		limitMs: limits.operationMs,
		onHang: ({ message }) => void leave(new StilewardError('device_lost', `${address} hangs: ${message}`)),
	});
	void peer.lost.then(() => leave(new StilewardError('device_lost', `the link to ${address} is gone`)));
	void radio.lost.then((error) => leave(error));
	const deliver = (from: GattPlace) => (bytes: Uint8Array) => {
		if (!gone) events.onBytes(bytes, from);
	};
	let checking: NodeJS.Timeout | undefined;
	const characteristics = await prepare();
	return {
		address,
		lost: lost.promise,
		characteristics,
		write: async (at, bytes) => {
			const { properties } = placed(characteristics, at, address);
			const withResponse = !properties.includes('writeWithoutResponse');
			await queue.run('a write', () => peer.write(at, bytes, withResponse));
		},
		close: () => leave(new StilewardError('device_lost', `${address} was closed`)),
	};

	async function prepare(): Promise<readonly GattCharacteristic[]> {
		try {
			const found = await queue.run('the discovery', () => peer.discover(servicesOf(wish)), limits.discoverMs);
			const listened = wish.listen === 'all' ? found.filter(tells) : wish.listen;
			for (const at of listened) {
				placed(found, at, address);
				await queue.run('a subscription', () => peer.subscribe(at, deliver(at)));
			}
			if (wish.write) assertWritable(placed(found, wish.write, address), address);
			if (wish.battery) await watchBattery(found);
			return found;
		} catch (error) {
			await leave(error instanceof StilewardError ? error : new StilewardError('device_protocol', String(error)));
			throw error;
		}
	}

	async function watchBattery(found: readonly GattCharacteristic[]): Promise<void> {
		if (!found.some((at) => samePlace(at, batteryPlace))) return;
		let last: number | undefined;
		const look = async () => {
			const percent = await readBattery(queue, peer);
			if (percent === undefined || percent === last || gone) return;
			last = percent;
			events.onBattery?.(percent);
		};
		await look();
		// A refusal leaves what was known; a peripheral that hangs is given up by the queue.
		checking = setInterval(() => void look().catch(() => undefined), limits.batteryMs);
		if (gone) clearInterval(checking);
	}
}

async function readBattery(queue: GattQueue, peer: RadioPeer): Promise<number | undefined> {
	const [percent] = await queue.run('the battery', () => peer.read(batteryPlace));
	return percent !== undefined && percent <= 100 ? percent : undefined;
}

/** All services where everything is listened to, else those that are needed. */
function servicesOf({ listen, write, battery }: PeerWish): readonly string[] | undefined {
	if (listen === 'all') return undefined;
	const places = [...listen, ...(write ? [write] : []), ...(battery ? [batteryPlace] : [])];
	return [...new Set(places.map(({ service }) => service))];
}

function tells(at: GattCharacteristic): boolean {
	return !samePlace(at, batteryPlace) && at.properties.some((can) => can === 'notify' || can === 'indicate');
}

/** Told when it is opened: a verdict that can never arrive would be missed with the first visitor. */
function assertWritable({ characteristic, properties }: GattCharacteristic, address: string): void {
	if (properties.some((can) => can === 'write' || can === 'writeWithoutResponse')) return;
	throw new StilewardError('device_protocol', `characteristic ${characteristic} of ${address} takes no writes`);
}

function placed(found: readonly GattCharacteristic[], at: GattPlace, address: string): GattCharacteristic {
	const there = found.find((each) => samePlace(each, at));
	if (there) return there;
	const has = [...new Set(found.map(({ service }) => service))].join(', ') || 'none of the services';
	throw new StilewardError(
		'device_protocol',
		`${address} has no characteristic ${at.characteristic} of service ${at.service}; it has ${has}`,
	);
}
