import Type, { type Static } from 'typebox';
import type { Driver, Scanner, ScannerEvents, Signal } from '../core/device.ts';
import { scanBytesMax } from '../core/scan.ts';
import { serialSchema } from '../serial/serial-schema.ts';
import { frameReader } from './frame-reader.ts';
import type { GrowGmLink } from './grow-gm-link.ts';
import { setUpGrowGm } from './grow-gm-setup.ts';
import { zones } from './grow-gm-zones.ts';
import { heartbeats } from './heartbeats.ts';

const schema = Type.Object(
	{
		path: serialSchema(9600).path,
		zoneMap: Type.Enum(['gm65', 'gm812'], {
			default: 'gm65',
			description: 'Map of settings: gm65 for GM60, GM65, GM805, GM861 and Waveshare, gm812 for GM812.',
		}),
		provision: Type.Enum(['off', 'check', 'apply'], {
			default: 'apply',
			description:
				'What to do when the module is not set up for a gate (115200 baud, CR, continuous, no setting codes): apply corrects and saves it, check tells it in the log, off does not look.',
		}),
		sameCodeDelayMs: Type.Integer({
			minimum: 0,
			maximum: 12_700,
			multipleOf: 100,
			default: 1000,
			description: 'Time before the module reads the same code again, in milliseconds.',
		}),
		out1: Type.Enum(['none', 'good', 'bad'], {
			default: 'none',
			description: 'Which verdict the pin OUT1 of a GM812 shows, with a lamp or a buzzer behind it.',
		}),
		out1PulseMs: Type.Integer({
			minimum: 50,
			maximum: 5000,
			default: 500,
			description: 'How long OUT1 is high, in milliseconds.',
		}),
		heartbeatMs: Type.Integer({
			minimum: 500,
			maximum: 60_000,
			default: 10_000,
			description: 'Time between two heartbeats, in milliseconds; the manual recommends 10000.',
		}),
	},
	{
		description:
			'A module of Hangzhou Grow: GM60, GM65, GM805, GM812, GM861, and those that Waveshare and others sell.',
	},
);

/** Options of `growGm`. */
export type GrowGmOptions = Static<typeof schema>;

/**
 * A module that is set up over its line (Hangzhou Grow's "zone bit" protocol) and sends codes as text with CR. It is
 * found at any of its speeds, so that one that lost its settings or was turned to another speed comes back by itself.
 */
export const growGm: Driver<GrowGmOptions, ScannerEvents, Scanner> = {
	name: 'grow-gm',
	options: schema,
	async open(options, io) {
		const framing = { prefix: new Uint8Array(0), suffix: Uint8Array.of(0x0d), frameBytesMax: scanBytesMax };
		const reader = frameReader({ framing, aim: 'strip' }, io);
		let isOpen = false;
		const { link, baudRate, versions, differing } = await setUpGrowGm(options, (bytes) => {
			// What comes before the module is set up may have no mark at its end; its visitor is still there.
			if (isOpen) reader.push(bytes);
		});
		isOpen = true;
		io.log('scanner_found', { baudRate, ...versions, provision: options.provision, differing });
		const beating = heartbeats(link.heartbeat, options.heartbeatMs);
		const out1 = options.out1 === 'none' ? undefined : out1Pulse(link, options.out1PulseMs);
		const end = () => {
			beating.stop();
			out1?.stop();
		};
		return {
			lost: Promise.race([link.lost, beating.lost]).then(async (error) => {
				reader.finish();
				end();
				await link.close();
				return error;
			}),
			close() {
				reader.stop();
				end();
				return link.close();
			},
			...(out1 && {
				signal: (signal: Signal) => {
					if (reader.takeVerdict(signal) === options.out1) out1.start();
				},
			}),
		};
	},
};

/** Holds OUT1 high for a while after a verdict. A pin that cannot be driven stops nobody. */
function out1Pulse(link: GrowGmLink, pulseMs: number): { start(): void; stop(): void } {
	const drive = (level: 0 | 1) => void link.write(zones.out1, 1, level).catch(() => {});
	let timer: NodeJS.Timeout | undefined;
	// A pin that was high when the agent died stays so.
	drive(0);
	return {
		start() {
			clearTimeout(timer);
			drive(1);
			timer = setTimeout(() => drive(0), pulseMs);
		},
		stop: () => clearTimeout(timer),
	};
}
