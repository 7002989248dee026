import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { PeerLink } from '../../handheld/ble/adapter.ts';
import { openBleLink } from '../../handheld/ble/ble-link.ts';
import { learnProfile, type Told } from '../../handheld/ble/learn.ts';
import { type GattPlace, samePlace } from '../../handheld/ble/radio.ts';
import type { RadioOptions } from './ble-scan.ts';
import { exitCodes } from './exit.ts';
import { type Terminal, table } from './output.ts';

/** The options of `ble learn`. */
export interface BleLearnOptions extends RadioOptions {
	readonly address?: string;
	readonly name?: string;
	readonly seconds: number;
}

/** The parts of a code come one after another; after so long without one it is whole. */
const wholeMs = 700;
const lookMs = 50;
/** A scanner that talks without an end is not listened to for longer. */
const bytesMax = 64 * 1024;

/** Learns how a scanner tells its codes. Throws what the adapter rejects with, and `usage`. */
export async function learnBle(options: BleLearnOptions, terminal: Terminal): Promise<void> {
	const { adapter, program, address, name, seconds } = options;
	if (address === undefined && name === undefined) {
		throw new StilewardError('usage', 'say which scanner: --address or --name, as `stileward ble scan` shows them');
	}
	const radio = await openBleLink({ adapter, ...(program !== undefined && { program }) });
	try {
		const recorder = createRecorder();
		const peer = { ...(address !== undefined && { address }), ...(name !== undefined && { name }) };
		const link = await radio.open({ peer, listen: 'all', battery: false }, { onBytes: recorder.add });
		await terminal.err.write(`connected to ${link.address}\n${placesOf(link)}scan a code within ${seconds} s\n`);
		await recorder.whole(seconds * 1000, link);
		const profile = learnProfile(link.characteristics, recorder.told);
		if (!profile) {
			await terminal.err.write('nothing was told: is its output set to BLE GATT (not HID keyboard)?\n');
			return terminal.finish(exitCodes.found);
		}
		await terminal.out.write(stringify({ scanner: { driver: 'ble', address: link.address, ...profile } }));
		if (profile.suffix === 'none') {
			await terminal.err.write('the code has no end: set the scanner’s suffix to CR, a radio needs one\n');
		}
	} finally {
		await radio.close();
	}
}

function placesOf({ characteristics }: PeerLink): string {
	const rows = characteristics.map(({ service, characteristic, properties }) => [
		service,
		characteristic,
		properties.join(' '),
	]);
	return table([['service', 'characteristic', 'can'], ...rows]);
}

/** Keeps what is told, by place, and knows when a code is whole. */
function createRecorder() {
	const told: Told[] = [];
	let lastMs: number | undefined;
	return {
		told,
		add: (bytes: Uint8Array, from: GattPlace) => {
			lastMs = performance.now();
			const at = told.findIndex((each) => samePlace(each.from, from));
			const before = told[at]?.bytes ?? new Uint8Array(0);
			if (before.length > bytesMax) return;
			const joined = { from, bytes: Uint8Array.from([...before, ...bytes]) };
			if (at < 0) told.push(joined);
			else told[at] = joined;
		},
		whole: async (withinMs: number, link: PeerLink) => {
			const endMs = performance.now() + withinMs;
			while (performance.now() < endMs) {
				if (lastMs !== undefined && performance.now() - lastMs > wholeMs) return;
				const lost = await Promise.race([link.lost, sleep(lookMs)]);
				if (lost) throw lost;
			}
		},
	};
}
