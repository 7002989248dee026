import Type, { type Static } from 'typebox';
import type { BleAdapter, PeerLink } from '../../handheld/ble/adapter.ts';
import type { BleAdapters } from '../../handheld/ble/adapters.ts';
import { nordicUart } from '../../handheld/ble/nordic-uart.ts';
import { adapterPattern } from '../../handheld/ble/open-radio.ts';
import { type GattPlace, plainUuid } from '../../handheld/ble/radio.ts';
import type { Driver, DriverIo, Scanner, ScannerEvents } from '../core/device.ts';
import type { StilewardError } from '../core/errors.ts';
import { scanBytesMax } from '../core/scan.ts';
import { lineTalk, lineTalkSchema, type ScannerTalk } from './line-talk.ts';
import { newlandDialog } from './newland-dialog.ts';

const uuidPattern = '^([0-9A-Fa-f]{4}|[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12})$';

function uuid(description: string, fallback: string) {
	return Type.String({ pattern: uuidPattern, default: fallback, description });
}

const schema = Type.Object(
	{
		adapter: Type.String({
			pattern: adapterPattern,
			default: 'hci0',
			description: 'Bluetooth adapter, as hciconfig names it; all its scanners share one process.',
		}),
		program: Type.Optional(
			Type.String({
				minLength: 1,
				description: 'A Node with the right CAP_NET_RAW for the radio’s process; the agent’s own where absent.',
			}),
		),
		address: Type.Optional(
			Type.String({
				pattern: '^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$',
				description: 'Address of the scanner; needed where several of one kind are about.',
			}),
		),
		name: Type.Optional(
			Type.String({ minLength: 1, maxLength: 32, description: 'Begin of the name that the scanner advertises.' }),
		),
		service: uuid('Service of the codes; Nordic UART where absent.', nordicUart.notify.service),
		notify: uuid('Characteristic that tells the codes.', nordicUart.notify.characteristic),
		write: uuid('Characteristic that takes the verdict.', nordicUart.write.characteristic),
		mode: Type.Enum(['line', 'newland'], {
			default: 'line',
			description: '`line`: codes end with `suffix`; `newland`: packets that are answered with the verdict.',
		}),
		...lineTalkSchema,
		answerMs: Type.Integer({
			minimum: 50,
			maximum: 5_000,
			default: 1_500,
			description: 'A Newland packet without a verdict is acknowledged neutrally after this time, in milliseconds.',
		}),
		battery: Type.Boolean({
			default: true,
			description: 'Whether its battery is read (service 180F) and shown in health; off for one that hangs at it.',
		}),
	},
	{ description: 'A Bluetooth handheld scanner (BLE, GATT), served by a process of its own for each adapter.' },
);

/** Options of `ble`. */
export type BleOptions = Static<typeof schema>;

/**
 * Bluetooth handheld scanners that tell their codes by notifications: Nordic UART, or any other service. The radio's process
 * finds the scanner, connects and subscribes; here notifications become scans, and verdicts what the scanner is sent.
 */
export const ble: Driver<BleOptions, ScannerEvents & { readonly adapters: BleAdapters }, Scanner> = {
	name: 'ble',
	options: schema,
	async open(options, io) {
		const { adapter: name, program } = options;
		const adapter = await io.adapters.acquire({ adapter: name, ...(program !== undefined && { program }) });
		try {
			return await openOn(adapter, options, io);
		} catch (error) {
			await adapter.close();
			throw error;
		}
	},
};

async function openOn(adapter: BleAdapter, options: BleOptions, io: DriverIo & ScannerEvents): Promise<Scanner> {
	const service = plainUuid(options.service);
	const from: GattPlace = { service, characteristic: plainUuid(options.notify) };
	const to: GattPlace = { service, characteristic: plainUuid(options.write) };
	let link: PeerLink | undefined;
	const verdicts = watchVerdicts(io);
	const talk = talkOf(options, io, (bytes) => {
		if (link) void verdicts.sent(link.write(to, bytes));
	});
	let batteryPercent: number | undefined;
	const opened = await adapter.open(
		{
			...{ peer: choiceOf(options, service), listen: [from], battery: options.battery },
			...(talk.signal && { write: to }),
		},
		{
			onBytes: talk.push,
			onBattery: (percent) => {
				batteryPercent = percent;
			},
		},
	);
	link = opened;
	return {
		// What had arrived before the loss is delivered before it is told.
		lost: opened.lost.then((error) => {
			talk.finish();
			verdicts.linkLost();
			return error;
		}),
		close: async () => {
			talk.stop();
			verdicts.stop();
			await opened.close();
			await adapter.close();
		},
		details: () => ({ address: opened.address, ...(batteryPercent !== undefined && { batteryPercent }) }),
		...(talk.signal && { signal: talk.signal }),
	};
}

/** A link that is silent for so long is lost, and nothing of this time is certain to have been heard, ms. */
const unheardMs = 4_000;

/** Tells the technician of verdicts that the steward may not have heard. One that is lost stops nobody. */
function watchVerdicts({ nowMs, log }: DriverIo) {
	let lastAtMs = Number.NEGATIVE_INFINITY;
	const forget = () => {
		lastAtMs = Number.NEGATIVE_INFINITY;
	};
	return {
		sent: async (written: Promise<void>) => {
			lastAtMs = nowMs();
			await written.catch((error: StilewardError) => {
				forget();
				log('verdict_lost', { code: error.code, problem: error.message });
			});
		},
		linkLost: () => {
			if (nowMs() - lastAtMs < unheardMs) log('verdict_lost', { problem: 'the link broke right after the verdict' });
		},
		stop: forget,
	};
}

/** Without address and name the scanner is known by its service. */
function choiceOf({ address, name }: BleOptions, service: string) {
	if (address === undefined && name === undefined) return { service };
	return { ...(address !== undefined && { address: address.toLowerCase() }), ...(name !== undefined && { name }) };
}

/** Notifications of one code may be a connection interval and several repetitions apart, ms. */
const idleMs = { betweenMarks: 1_000, ending: 150 };

function talkOf(
	{ mode, idleTimeoutMs, ...options }: BleOptions,
	io: DriverIo & ScannerEvents,
	send: (bytes: Uint8Array) => void,
): ScannerTalk {
	if (mode === 'newland') {
		const dialog = newlandDialog(options, io, send);
		return { ...dialog, finish: dialog.stop };
	}
	const silenceMs = idleTimeoutMs ?? (options.suffix === 'none' ? idleMs.ending : idleMs.betweenMarks);
	return lineTalk({ ...options, frameBytesMax: scanBytesMax, idleMs: silenceMs }, io, send);
}
