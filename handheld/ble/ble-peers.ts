import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { PeerEvents, PeerLink, PeerWish } from './adapter.ts';
import { errorOf, type FromBleProcess, type ToBleProcess } from './ble-messages.ts';
import { atMost, inTime } from './in-time.ts';
import type { GattPlace } from './radio.ts';

/** Above the limits of all steps of a central together: a process that has no answer by then hangs. */
const openMs = 20_000;
const writeMs = 4_000;
const closeMs = 2_000;

type Say = (message: ToBleProcess) => void;

/** The peripherals that a process holds, as the agent knows them. */
export interface Peers {
	open(wish: PeerWish, events: PeerEvents): Promise<PeerLink>;
	/** Takes what the process tells of one of them. */
	take(message: Extract<FromBleProcess, { peer: number } | { call: number }>): void;
	loseAll(error: StilewardError): void;
}

interface Peer {
	readonly events: PeerEvents;
	readonly opened: PromiseWithResolvers<PeerLink>;
	readonly lost: PromiseWithResolvers<StilewardError>;
}

/** Keeps account of peripherals. `onHang` is told when the process does not answer at all. */
export function createPeers(say: Say, onHang: (error: StilewardError) => void): Peers {
	const peers = new Map<number, Peer>();
	const writes = createWrites(say, onHang);
	let lastId = 0;
	const linkOf = (id: number, { lost }: Peer, opened: FromBleProcess & { kind: 'opened' }): PeerLink => ({
		address: opened.address,
		characteristics: opened.characteristics,
		lost: lost.promise,
		write: (at, bytes) =>
			peers.has(id)
				? writes.send(id, at, bytes)
				: Promise.reject(new StilewardError('device_lost', 'the link is gone')),
		close: async () => {
			if (!peers.has(id)) return;
			say({ kind: 'close', peer: id });
			await atMost(lost.promise, closeMs);
		},
	});
	const lose = (id: number, error: StilewardError) => {
		const peer = peers.get(id);
		peers.delete(id);
		peer?.opened.reject(error);
		peer?.lost.resolve(error);
	};
	return {
		open: (wish, events) => {
			lastId += 1;
			const opened = Promise.withResolvers<PeerLink>();
			peers.set(lastId, { events, opened, lost: Promise.withResolvers<StilewardError>() });
			say({ kind: 'open', peer: lastId, wish });
			return answered('opening', { work: opened.promise, ms: openMs, onHang });
		},
		take: (message) => {
			if (message.kind === 'written') return writes.settle(message);
			const peer = peers.get(message.peer);
			if (!peer) return;
			if (message.kind === 'opened') peer.opened.resolve(linkOf(message.peer, peer, message));
			else if (message.kind === 'bytes') peer.events.onBytes(Buffer.from(message.hex, 'hex'), message.from);
			else if (message.kind === 'battery') peer.events.onBattery?.(message.percent);
			else lose(message.peer, errorOf(message));
		},
		loseAll: (error) => {
			for (const id of [...peers.keys()]) lose(id, error);
			writes.loseAll(error);
		},
	};
}

/** The writes on their way. */
function createWrites(say: Say, onHang: (error: StilewardError) => void) {
	const waiting = new Map<number, PromiseWithResolvers<void>>();
	let lastCall = 0;
	return {
		send: (peer: number, at: GattPlace, bytes: Uint8Array): Promise<void> => {
			lastCall += 1;
			const call = lastCall;
			const done = Promise.withResolvers<void>();
			waiting.set(call, done);
			say({ kind: 'write', peer, call, at, hex: Buffer.from(bytes).toString('hex') });
			return answered('a write', { work: done.promise, ms: writeMs, onHang }).finally(() => waiting.delete(call));
		},
		settle: ({ call, failure }: FromBleProcess & { kind: 'written' }) => {
			if (failure) waiting.get(call)?.reject(errorOf(failure));
			else waiting.get(call)?.resolve();
		},
		loseAll: (error: StilewardError) => {
			for (const done of waiting.values()) done.reject(error);
		},
	};
}

interface Asked<T> {
	readonly work: Promise<T>;
	readonly ms: number;
	readonly onHang: (error: StilewardError) => void;
}

/** The process keeps shorter limits of its own: one that is silent for longer than they take hangs. */
async function answered<T>(what: string, { work, ms, onHang }: Asked<T>): Promise<T> {
	let isSettled = false;
	const settled = work.finally(() => {
		isSettled = true;
	});
	try {
		return await inTime(`${what} over the process of the adapter`, settled, ms);
	} catch (error) {
		if (!isSettled) onHang(new StilewardError('device_lost', `the process of the adapter hangs at ${what}`));
		throw error;
	}
}
