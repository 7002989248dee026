import { StilewardError } from '../core/errors.ts';
import { type BusOptions, busPath, type ModbusBus, openModbusBus } from './modbus-bus.ts';

/** The Modbus buses of one agent, by path: a board's relays and its inputs are two devices on one port. */
export interface Buses {
	/**
	 * The bus of these options, opened by the first who asks. Each `close` gives one share back; the last one closes
	 * the port. A bus whose port was lost is given to nobody any more: the next `acquire` opens the port anew.
	 * Rejects as `openSerialPort` does, and with `config_invalid` when the port is open with other settings.
	 */
	acquire(options: BusOptions): Promise<ModbusBus>;
}

interface Shared {
	readonly options: BusOptions;
	readonly bus: Promise<ModbusBus>;
	shares: number;
	closed?: Promise<void>;
}

/** Makes the agent's set of buses; it holds no port until a driver asks for one. */
export function createBuses(): Buses {
	const open = new Map<string, Shared>();
	/** Ports that are being closed, by path: the next opener must wait, else it finds the port locked by ourselves. */
	const closing = new Map<string, Promise<void>>();

	const retire = (shared: Shared) => {
		const path = busPath(shared.options);
		if (open.get(path) === shared) open.delete(path);
	};
	const closePort = (shared: Shared, bus: ModbusBus): Promise<void> => {
		if (shared.closed) return shared.closed;
		retire(shared);
		const path = busPath(shared.options);
		const done = bus.close().finally(() => {
			if (closing.get(path) === done) closing.delete(path);
		});
		shared.closed = done;
		closing.set(path, done);
		return done;
	};
	const start = (options: BusOptions): Shared => {
		const path = busPath(options);
		const bus = (closing.get(path) ?? Promise.resolve()).catch(() => {}).then(() => openModbusBus(options));
		const shared: Shared = { options, bus, shares: 0 };
		open.set(path, shared);
		// A lost port is closed at once: its lock must be gone before its successor is opened.
		bus.then((opened) => opened.lost.then(() => closePort(shared, opened))).catch(() => retire(shared));
		return shared;
	};

	return {
		async acquire(options) {
			const path = busPath(options);
			const shared = open.get(path) ?? start(options);
			if (!sameSettings(shared.options, options)) {
				throw new StilewardError('config_invalid', `${path} is given different settings by two devices`);
			}
			shared.shares++;
			const bus = await shared.bus;
			let closed: Promise<void> | undefined;
			return {
				...bus,
				ask: (call) =>
					closed ? Promise.reject(new StilewardError('device_lost', `${path} was closed`)) : bus.ask(call),
				close() {
					closed ??= --shared.shares === 0 ? closePort(shared, bus) : Promise.resolve();
					return closed;
				},
			};
		},
	};
}

function sameSettings(a: BusOptions, b: BusOptions): boolean {
	if ('host' in a) return 'host' in b && a.framing === b.framing;
	return (
		!('host' in b) &&
		a.baudRate === b.baudRate &&
		(a.parity ?? 'none') === (b.parity ?? 'none') &&
		(a.stopBits ?? 1) === (b.stopBits ?? 1)
	);
}
