import { plugInUhid, type UhidDevice } from './uhid.ts';

/**
 * A Silicon Labs CP2112 on a virtual USB port: eight GPIO lines that the kernel's own driver (hid-cp2112) turns into a GPIO
 * chip, on a stock kernel that has no simulated one.
 */
export interface Cp2112Emulator {
	/** What a program has done to the outputs, oldest first. */
	readonly edges: readonly { readonly atMs: number; readonly line: number; readonly high: boolean }[];
	/** Whether a line is driven high by the chip. */
	isHigh(line: number): boolean;
	/** Drives an input from outside. */
	setInput(line: number, high: boolean): void;
	/** Without its USB power its outputs fall. */
	unplug(): Promise<void>;
	replug(): Promise<void>;
	close(): void;
}

/** Feature reports (Silicon Labs AN495): GPIO configuration, get and set values, version, SMBus configuration. */
const report = { config: 2, get: 3, set: 4, version: 5, smbus: 6 } as const;
const reportSizes: readonly (readonly [id: number, bytes: number])[] = [
	[report.config, 4],
	[report.get, 1],
	[report.set, 2],
	[report.version, 2],
	[report.smbus, 13],
];

const edgesMax = 10_000;

/** Plugs a chip in. Errors: those of `plugInUhid`. */
export function openCp2112Emulator(): Cp2112Emulator {
	const edges: { atMs: number; line: number; high: boolean }[] = [];
	let smbus = Uint8Array.of(report.smbus, 0, 1, 0x86, 0xa0, 2, 0, 0, 0, 0, 0, 0, 0, 1);
	let config = Uint8Array.of(report.config, 0, 0, 0, 0);
	let latch = 0;
	let outside = 0;
	let shown = 0;
	let device: UhidDevice | undefined;

	const directions = () => config[1] ?? 0;
	const show = () => {
		const driven = latch & directions();
		for (let line = 0; line < 8; line += 1) {
			const bit = 1 << line;
			if ((driven & bit) === (shown & bit)) continue;
			edges.push({ atMs: performance.now(), line, high: (driven & bit) !== 0 });
			if (edges.length > edgesMax) edges.shift();
		}
		shown = driven;
	};
	const obey = (id: number, bytes: Uint8Array): boolean => {
		if (id === report.config) config = bytes.slice(0, 5);
		else if (id === report.set) latch = (latch & ~(bytes[2] ?? 0)) | ((bytes[1] ?? 0) & (bytes[2] ?? 0));
		else if (id === report.smbus) smbus = bytes.slice();
		else return false;
		show();
		return true;
	};
	const told = (id: number): Uint8Array | undefined => {
		if (id === report.config) return config;
		if (id === report.get) return Uint8Array.of(report.get, (latch & directions()) | (outside & ~directions() & 0xff));
		if (id === report.version) return Uint8Array.of(report.version, 0x0c, 0x03);
		return id === report.smbus ? smbus : undefined;
	};
	const plug = () => {
		device ??= plugInUhid({
			name: 'Silicon Laboratories CP2112 HID USB-to-SMBus Bridge',
			...{ vendorId: 0x10c4, productId: 0xea90, serial: 'LABGPIO1', port: 'usb-lab-gpio/input0', descriptor },
			onSet: obey,
			onGet: told,
		});
	};
	const unplug = () => {
		device?.destroy();
		device = undefined;
		config = Uint8Array.of(report.config, 0, 0, 0, 0);
		latch = 0;
		show();
	};
	plug();
	return {
		edges,
		isHigh: (line) => (shown & (1 << line)) !== 0,
		setInput: (line, high) => {
			outside = high ? outside | (1 << line) : outside & ~(1 << line);
		},
		unplug: async () => unplug(),
		replug: async () => plug(),
		close: unplug,
	};
}

const descriptor = Buffer.from(
	[
		'0600FF0901A101150026FF00',
		...reportSizes.map(([id, bytes]) => `85${hex(id)}09${hex(id)}750895${hex(bytes)}B102`),
		'C0',
	].join(''),
	'hex',
);

function hex(value: number): string {
	return value.toString(16).padStart(2, '0');
}
