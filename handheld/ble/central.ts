import { StilewardError } from '../../gate-agent/core/errors.ts';
import { type BleAdapter, fits, type PeerChoice, type PeerEvents, type PeerLink, type PeerWish } from './adapter.ts';
import { createEars, type Ears } from './ears.ts';
import { atMost, inTime } from './in-time.ts';
import { openSession } from './peer-session.ts';
import type { Radio, RadioPeer } from './radio.ts';

/** How long each step may take, ms. The agent gives a device ten seconds to open; few scanners need three. */
export interface CentralLimits {
	/** Scanners advertise every 20 to 1,000 ms. */
	readonly searchMs: number;
	/** The next one waits for so long when a connection hangs. */
	readonly connectMs: number;
	/** Asks a dozen questions and more, each of which takes a connection interval or two. */
	readonly discoverMs: number;
	/** One operation of a peripheral. */
	readonly operationMs: number;
	readonly disconnectMs: number;
	/** How often a battery is looked at that does not tell by itself. */
	readonly batteryMs: number;
}

/** @see CentralLimits */
export const centralLimits: CentralLimits = {
	searchMs: 4_000,
	connectMs: 3_000,
	discoverMs: 6_000,
	operationMs: 2_000,
	disconnectMs: 1_000,
	batteryMs: 60_000,
};

/** Peripherals of one adapter; controllers hold seven to twenty links. */
export const peersMax = 8;

/** Serves several peripherals over one radio. */
export function createCentral(radio: Radio, limits: CentralLimits = centralLimits): BleAdapter {
	const ears = createEars(radio);
	const taken = new Set<string>();
	const links = new Set<PeerLink>();
	let gone: StilewardError | undefined;
	const connect = createConnector(radio, ears, limits);
	void radio.lost.then((error) => {
		gone ??= error;
	});

	const search = (choice: PeerChoice) => searchFor(choice, { ears, taken, searchMs: limits.searchMs });
	const openTaken = async (address: string, wish: PeerWish, events: PeerEvents): Promise<PeerLink> => {
		const link = await openSession({ address, peer: await connect(address), radio, wish, events, limits });
		links.add(link);
		void link.lost.then(() => links.delete(link));
		return link;
	};
	return {
		lost: radio.lost,
		open: async (wish, events) => {
			if (gone) throw gone;
			if (taken.size >= peersMax) throw new StilewardError('device_busy', `${peersMax} peripherals are open already`);
			if (isInUse(wish.peer, taken)) throw new StilewardError('device_busy', `${namesOf(wish.peer)} is in use`);
			const address = await Promise.race([search(wish.peer), radio.lost.then(rethrow)]);
			if (taken.has(address)) throw new StilewardError('device_busy', `${address} is in use`);
			taken.add(address);
			try {
				const link = await openTaken(address, wish, events);
				void link.lost.then(() => taken.delete(address));
				return link;
			} catch (error) {
				taken.delete(address);
				throw error;
			}
		},
		hear: ears.hear,
		close: async () => {
			gone ??= new StilewardError('device_lost', 'the adapter was closed');
			await Promise.all([...links].map((link) => link.close()));
			radio.close();
		},
	};
}

interface Search {
	readonly ears: Ears;
	readonly taken: ReadonlySet<string>;
	readonly searchMs: number;
}

async function searchFor(choice: PeerChoice, { ears, taken, searchMs }: Search): Promise<string> {
	const found = Promise.withResolvers<string>();
	let isTaken = false;
	const stop = ears.hear((heard) => {
		if (!fits(choice, heard)) return;
		if (taken.has(heard.address)) isTaken = true;
		else found.resolve(heard.address);
	});
	try {
		return await inTime('the search', found.promise, searchMs);
	} catch {
		if (isTaken || isInUse(choice, taken)) throw new StilewardError('device_busy', `${namesOf(choice)} is in use`);
		throw new StilewardError('device_absent', `${namesOf(choice)} was not heard within ${searchMs / 1000} s`);
	} finally {
		stop();
	}
}

/** Connects to one peripheral at a time: controllers refuse a second one meanwhile. */
function createConnector(radio: Radio, ears: Ears, { connectMs, disconnectMs }: CentralLimits) {
	let last: Promise<unknown> = Promise.resolve();
	const connectNow = async (address: string): Promise<RadioPeer> => {
		const attempt = radio.connect(address);
		try {
			return await inTime(`connecting to ${address}`, attempt, connectMs);
		} catch (error) {
			radio.abandon(address);
			// One that comes to be all the same must not keep the peripheral from being found again.
			attempt.then((late) => atMost(late.disconnect(), disconnectMs)).catch(() => undefined);
			throw error;
		}
	};
	return (address: string): Promise<RadioPeer> => {
		const turn = last.then(() => ears.closedFor(() => connectNow(address)));
		last = turn.catch(() => undefined);
		return turn;
	};
}

function isInUse({ address }: PeerChoice, taken: ReadonlySet<string>): boolean {
	return address !== undefined && taken.has(address.toLowerCase());
}

function namesOf({ address, name, service }: PeerChoice): string {
	return address ?? name ?? `a peripheral with service ${service ?? 'any'}`;
}

function rethrow(error: StilewardError): never {
	throw error;
}
