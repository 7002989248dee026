import Type, { type Static } from 'typebox';
import type { Driver, Scanner, ScannerEvents, Signal } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import { openHidLink } from '../hid/hid-link.ts';
import { chooseNode } from '../nodes/choose-node.ts';
import { type HidrawNode, listHidraw } from '../nodes/hidraw.ts';
import { nodeSchema } from '../nodes/node-schema.ts';
import { isPosScanner, type PosBeeps, posBeepsOf, posLayoutOf } from './pos-layout.ts';
import { expirePos, feedPos, posStart } from './pos-scan.ts';
import { parseReportDescriptor, type ReportDescriptor } from './report-descriptor.ts';
import { itself, scanReader } from './scan-reader.ts';

const schema = Type.Object(
	{
		...nodeSchema(),
		aim: Type.Optional(
			Type.Enum(['strip', 'keep'], {
				default: 'strip',
				description: 'What to do with the AIM identifier, ]Q1, in front of the code.',
			}),
		),
		beep: Type.Optional(
			Type.Boolean({ default: true, description: 'Whether the scanner beeps the verdict, where it can.' }),
		),
	},
	{ additionalProperties: false, description: 'A USB scanner in HID POS mode.' },
);

/** Options of `hidPos`. */
export type HidPosOptions = Static<typeof schema>;

/** A report that goes on and does not is dropped after this silence, ms. */
const partsMs = 250;

/** Honeywell and its brand Youjie leave the factory as keyboards; this feature report makes them POS scanners. */
const keyboardsThatSwitch = ['0c2e', '23d0'];
const switchToPos = Uint8Array.of(0xfe, 0x01);

/** Honeywell scanners take their serial commands in a report of this id; SYN BEL CR beeps, once for good, twice for bad. */
const honeywellCommandReport = 0xfd;
const honeywellReportBytes = 64;
const honeywellBeep = [0x16, 0x07, 0x0d];

/**
 * A scanner of the HID POS class (HID Point of Sale Usage Tables 1.02): Honeywell, Zebra, Datalogic, Newland and others. What
 * lies where in its reports is read from its own descriptor. The device is held by a process of its own.
 */
export const hidPos: Driver<HidPosOptions, ScannerEvents, Scanner> = {
	name: 'hid-pos',
	options: schema,
	async open({ aim = 'strip', beep = true, ...choice }, io) {
		const node = await findScanner(choice);
		const descriptor = parseReportDescriptor(node.descriptor);
		const layout = posLayoutOf(descriptor);
		if (layout === undefined) {
			throw new StilewardError('device_protocol', `${node.name || node.path} has no decoded data in its reports`);
		}
		const reader = scanReader(
			{
				start: posStart,
				feed: (state, report: Uint8Array) => feedPos(layout, state, report),
				expire: expirePos,
				awaitsMore: ({ kind }) => kind !== 'between',
				...{ frameOf: itself, silenceMs: partsMs, aim },
			},
			io,
		);
		const link = await openHidLink(node.path, reader.push);
		const beeps = beep ? beepsOf(node, descriptor) : undefined;
		io.log('hid_scanner', {
			device: `${node.vendorId}:${node.productId}`,
			name: node.name,
			beeps: beeps !== undefined,
		});
		const closing = () => {
			reader.stop();
			return link.close();
		};
		return {
			lost: link.lost.then((error) => {
				reader.stop();
				return error;
			}),
			close: closing,
			...(beeps && {
				signal: (signal: Signal) => {
					const verdict = reader.takeVerdict(signal);
					// A beep that is lost stops nobody.
					for (const report of verdict === undefined ? [] : beeps[verdict]) void link.write(report).catch(() => {});
				},
			}),
		};
	},
};

type Choice = Omit<HidPosOptions, 'aim' | 'beep'>;

async function findScanner({ path, ...choice }: Choice): Promise<HidrawNode> {
	const nodes = await listHidraw();
	const scanners = nodes.filter(({ descriptor }) => isPosScanner(parseReportDescriptor(descriptor)));
	if (path !== undefined) return atPath(nodes, path);
	const meant = scanners.some(
		(node) => choice.device === undefined || choice.device === `${node.vendorId}:${node.productId}`,
	);
	if (!meant) await switchKeyboard(nodes, choice);
	return chooseNode(scanners, choice, 'POS scanner');
}

/** A link of the operator's own; its node is known by the number that it leads to. */
async function atPath(nodes: readonly HidrawNode[], path: string): Promise<HidrawNode> {
	const { realpath } = await import('node:fs/promises');
	const real = await realpath(path).catch(() => path);
	const node = nodes.find((each) => each.path === real);
	if (node === undefined) throw new StilewardError('device_absent', `there is no HID device ${path}`);
	return node;
}

/** Makes a scanner that still is a keyboard a POS scanner; it comes back as one a moment later. */
async function switchKeyboard(nodes: readonly HidrawNode[], { device, serial, port }: Choice): Promise<void> {
	const keyboard = nodes.find(
		(node) =>
			keyboardsThatSwitch.includes(node.vendorId) &&
			(device === undefined || device.startsWith(`${node.vendorId}:`)) &&
			(serial === undefined || serial === node.serial) &&
			(port === undefined || port === node.port),
	);
	if (keyboard === undefined) return;
	const link = await openHidLink(keyboard.path, () => {});
	await link.sendFeature(switchToPos).finally(() => link.close());
	throw new StilewardError('device_absent', `${keyboard.name} was a keyboard and is told to be a POS scanner`);
}

/** The reports that say good and bad. */
function beepsOf(
	node: HidrawNode,
	descriptor: ReportDescriptor,
): Record<'good' | 'bad', readonly Uint8Array[]> | undefined {
	const beeps: PosBeeps | undefined = posBeepsOf(descriptor);
	if (beeps) return { good: [beeps.good], bad: [beeps.bad] };
	const takesCommands = descriptor.fields.some(
		({ kind, reportId }) => kind === 'output' && reportId === honeywellCommandReport,
	);
	if (!takesCommands || !keyboardsThatSwitch.includes(node.vendorId)) return undefined;
	const report = new Uint8Array(honeywellReportBytes);
	report.set([honeywellCommandReport, honeywellBeep.length, ...honeywellBeep]);
	return { good: [report], bad: [report, report] };
}
