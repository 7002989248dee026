import type { BleAdapter } from './adapter.ts';
import { type BleProcessOptions, openBleLink } from './ble-link.ts';

/** The Bluetooth adapters of one agent: all scanners of one share its process. */
export interface BleAdapters {
	/**
	 * The adapter of these options, opened by the first who asks. Each `close` gives one share back, the last one ends the
	 * process. One that was lost is given to nobody any more. Rejects as `openBleLink` does.
	 */
	acquire(options: BleProcessOptions): Promise<BleAdapter>;
}

interface Shared {
	readonly adapter: Promise<BleAdapter>;
	shares: number;
}

/** Makes the agent's set of adapters; it starts no process until a driver asks for one. */
export function createBleAdapters(
	open: (options: BleProcessOptions) => Promise<BleAdapter> = openBleLink,
): BleAdapters {
	const shared = new Map<string, Shared>();
	/** Processes that are ending: two on one adapter would disturb each other. */
	const ending = new Map<string, Promise<void>>();

	const retire = (name: string, entry: Shared) => {
		if (shared.get(name) === entry) shared.delete(name);
	};
	const start = (options: BleProcessOptions): Shared => {
		const name = options.adapter;
		const adapter = (ending.get(name) ?? Promise.resolve()).then(() => open(options));
		const entry: Shared = { adapter, shares: 0 };
		shared.set(name, entry);
		adapter.then(({ lost }) => lost.then(() => retire(name, entry))).catch(() => retire(name, entry));
		return entry;
	};
	const giveBack = async (name: string, entry: Shared, adapter: BleAdapter) => {
		entry.shares -= 1;
		if (entry.shares > 0) return;
		retire(name, entry);
		const done = adapter.close().catch(() => undefined);
		ending.set(name, done);
		await done;
		if (ending.get(name) === done) ending.delete(name);
	};
	return {
		async acquire(options) {
			const entry = shared.get(options.adapter) ?? start(options);
			entry.shares += 1;
			const adapter = await entry.adapter;
			let closed: Promise<void> | undefined;
			return {
				...adapter,
				close: () => {
					closed ??= giveBack(options.adapter, entry, adapter);
					return closed;
				},
			};
		},
	};
}
