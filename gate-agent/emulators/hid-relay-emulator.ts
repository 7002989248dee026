import { type CoilEdge, createRelayContacts } from './relay-board.ts';
import { plugInUhid, type UhidDevice } from './uhid.ts';

/** A dcttech USBRelayN on a virtual USB port: it obeys its reports, tells its coils, and is fed by its plug. */
export interface HidRelayEmulator {
	readonly edges: readonly CoilEdge[];
	isClosed(channel: number): boolean;
	/** The board takes orders no more and tells nothing: what a program asks of it never comes back. */
	hang(): void;
	/** Its armature is stuck: it takes orders, and moves nothing. */
	jam(): void;
	unplug(): Promise<void>;
	replug(): Promise<void>;
	close(): void;
}

/** How the board is built. */
export interface HidRelayEmulatorOptions {
	readonly channels?: number;
	/** Five characters, in the board's own report. */
	readonly serial?: string;
	readonly port?: string;
	/** Whose board it is; the clones tell nothing of their coils. */
	readonly make?: 'dcttech' | 'ucreatefun' | 'ch551' | 'lcus';
	readonly onCoil?: (channel: number, closed: boolean) => void;
}

/** The board's report descriptor (pavel-a/usb-relay-hid): one feature report of eight bytes, without an id. */
const descriptor = Buffer.from('0600FF0901A101150026FF00750895080900B20201C0', 'hex');

const order = { on: 0xff, off: 0xfd, allOn: 0xfe, allOff: 0xfc } as const;

/** How the makes are known, and what their orders mean (darrylb123/usbrelay, table of boards). */
const makes = {
	dcttech: { vendorId: 0x16c0, productId: 0x05df, name: (channels: number) => `www.dcttech.com USBRelay${channels}` },
	ucreatefun: { vendorId: 0x0519, productId: 0x2018, name: () => 'ucreatefun.com HIDRelay' },
	ch551: { vendorId: 0x1209, productId: 0xc550, name: () => 'QYF-UR02' },
	lcus: { vendorId: 0x5131, productId: 0x2007, name: () => '' },
} as const;

/** A clone's order: which coil, and whether it closes. */
function cloneOrder(
	make: 'ucreatefun' | 'ch551' | 'lcus',
	[first = 0, channel = 0, state = 0, sum]: readonly number[],
) {
	if (make === 'lcus') {
		const isWhole = first === 0xa0 && ((first + channel + state) & 0xff) === sum;
		return isWhole ? { channel, closed: state === 1 } : undefined;
	}
	return { channel: first & 0x0f, closed: (first & 0xf0) === 0xf0 };
}

/** Plugs a board in. Errors: those of `plugInUhid`. */
export function openHidRelayEmulator(options: HidRelayEmulatorOptions = {}): HidRelayEmulator {
	const { channels = 2, serial = 'LAB01', port = 'usb-lab-relay', make = 'dcttech', onCoil = () => {} } = options;
	const contacts = createRelayContacts(channels, onCoil, () => performance.now());
	let state: 'well' | 'hangs' | 'jammed' = 'well';
	let device: UhidDevice | undefined;

	const obey = (report: Uint8Array): boolean => {
		if (make !== 'dcttech') {
			const asked = cloneOrder(make, [...(report[0] === 0 ? report.subarray(1) : report)]);
			if (asked && state !== 'jammed') contacts.move(asked.channel, asked.closed);
			return asked !== undefined;
		}
		// The id of a device without ids is 0, and some ways of sending pass it on.
		const [command = 0, channel = 0] = report[0] === 0 ? report.subarray(1) : report;
		const all = Array.from({ length: channels }, (_, index) => index + 1);
		const moves = command === order.on || command === order.off ? [channel] : all;
		if (!(Object.values(order) as number[]).includes(command)) return false;
		const closed = command === order.on || command === order.allOn;
		if (state !== 'jammed') for (const each of moves) contacts.move(each, closed);
		return true;
	};
	const told = (reportId: number): Uint8Array => {
		const bits = Array.from({ length: channels }, (_, index) => (contacts.isClosed(index + 1) ? 1 << index : 0));
		const report = [...Buffer.from(serial.padEnd(5, '\0'), 'latin1'), 0, 0, bits.reduce((sum, bit) => sum | bit, 0)];
		// usbhid leaves the id in front of a report without a number.
		return Uint8Array.from(reportId === 0 ? [0, ...report] : report);
	};
	const plug = () => {
		device ??= plugInUhid({
			...{ name: makes[make].name(channels), vendorId: makes[make].vendorId, productId: makes[make].productId },
			...{ port: `${port}/input0`, descriptor },
			onSet: (_, report) => (state === 'hangs' ? 'hang' : obey(report)),
			onGet: (reportId) => (state === 'hangs' ? 'hang' : make === 'dcttech' ? told(reportId) : undefined),
		});
	};
	const unplug = () => {
		contacts.fallOpen();
		device?.destroy();
		device = undefined;
	};
	plug();
	return {
		edges: contacts.edges,
		isClosed: contacts.isClosed,
		hang: () => {
			state = 'hangs';
		},
		jam: () => {
			state = 'jammed';
		},
		unplug: async () => unplug(),
		replug: async () => plug(),
		close: unplug,
	};
}
