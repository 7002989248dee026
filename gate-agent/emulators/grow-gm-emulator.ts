import { openScannerEmulator, type ScannerEmulator } from './scanner-emulator.ts';

/** How an emulated Grow module leaves the factory. */
export interface GrowGmEmulatorOptions {
	/** GM65 marks the end of a code by zone 0060, GM812 by zone 000E. */
	readonly model?: 'gm65' | 'gm812';
	/** Zones that differ from the factory's, e.g. `{ 0x2a: 0x1a, 0x2b: 0x00 }` for 115,200 baud. */
	readonly zones?: Readonly<Record<number, number>>;
	/** Time between two reads of a code that is held in front of it, ms. */
	readonly repeatMs?: number;
}

/**
 * A GM65 or GM812 on a pseudo-terminal. It hears commands only at its own speed, keeps settings in memory until they
 * are saved, and obeys setting codes until it is told not to.
 */
export interface GrowGmEmulator extends ScannerEmulator {
	/** A zone in memory. */
	zone(address: number): number;
	/** A zone as it is after a loss of power. */
	flashZone(address: number): number;
	/** How often flash was written. */
	saves(): number;
	/** Heartbeats that were answered. */
	heartbeats(): number;
	/** Levels of OUT1 in the order in which they were driven. */
	out1(): readonly number[];
	/** The speed of its line, baud. */
	ownBaudRate(): number;
	/** Someone shows a code that sets a zone. */
	showSettingCode(address: number, value: readonly number[]): void;
	/** Memory is lost, flash stays. */
	powerCycle(): void;
	/** Back to the factory's settings, flash too. */
	factoryReset(): void;
	/** It neither reads codes nor answers, until the next `powerCycle`. */
	hang(): void;
}

/** The factory's zones, GM861 dump of zones 0000 to 0061 and GM65 manual V1.3; tail marks are off on a GM65. */
const factory: Readonly<Record<number, number>> = {
	0: 0xd5,
	2: 0x20,
	19: 0x00,
	42: 0x39,
	43: 0x01,
	225: 0x65,
	226: 0x87,
	227: 0x13,
};
/** What stands behind codes by zone 000E of a GM812, CR from the factory. */
const gm812Tails = ['\r', '\n', '\r\n', '\t', ''];
/** What stands behind codes by bits 5 and 6 of zone 0060 of a GM65, where bit 0 turns it on. */
const gm65Tails = ['\r', '\r\n', '\t', ''];
/** Zone 002A divides this clock, Hz. */
const baudClockHz = 3_000_000;
const standardBaudRates = [9600, 14_400, 19_200, 38_400, 57_600, 115_200];
const zoneBytes = 0x200;
/** Commands are nine or ten bytes; more than this without one is noise. */
const commandBytesMax = 64;
/** Levels of OUT1 that are remembered. */
const out1Max = 1000;

/** Plugs in an emulated module. Errors: those of `openPty`. */
export async function openGrowGmEmulator(options: GrowGmEmulatorOptions = {}): Promise<GrowGmEmulator> {
	const { model = 'gm65' } = options;
	let flash = factoryZones(options.zones);
	let memory = flash.slice();
	let isHung = false;
	let saves = 0;
	let heartbeats = 0;
	const out1: number[] = [];

	const ownBaudRate = () => nearestBaudRate((memory[0x2a] ?? 0) | ((memory[0x2b] ?? 0) << 8));
	const isInTune = () => pty.baudRate() === ownBaudRate();
	const frame = (code: string) => {
		if (isHung) return undefined;
		const bytes = Buffer.from(code + (model === 'gm812' ? gm812Tail(memory) : gm65Tail(memory)));
		// At another speed the host sees bytes, but not these.
		return isInTune() ? bytes : bytes.map((byte) => ~byte & 0xff);
	};
	const scanner = await openScannerEmulator({ frame, ...(options.repeatMs && { repeatMs: options.repeatMs }) });
	const { pty } = scanner;

	const reply = (mark: number, data: Uint8Array) => {
		const body = Buffer.concat([Buffer.of(0x00, data.length), data]);
		const bytes = Buffer.concat([Buffer.of(mark, 0x00), body, checkOf(body)]);
		// An answer to a host that is gone reaches nobody.
		void pty.write(bytes).catch(() => {});
	};
	const write = (address: number, data: Uint8Array) => {
		memory.set(data.subarray(0, Math.max(0, zoneBytes - address)), address);
		if (address === 0xe7 && out1.length < out1Max) out1.push(data[0] ?? 0);
	};
	const obey = (type: number, address: number, data: Uint8Array) => {
		if (type === 0x07) return reply(0x02, memory.subarray(address, address + (data[0] ?? 1)));
		if (type === 0x0a) heartbeats += 1;
		reply(type === 0x0a ? 0x03 : 0x02, Uint8Array.of(0));
		if (type === 0x08) write(address, data);
		if (type !== 0x09) return;
		saves += 1;
		flash = memory.slice();
	};
	const reader = commandReader(obey);
	pty.onData((bytes) => {
		// The bytes of another speed are no commands.
		if (!isHung && isInTune()) reader(bytes);
	});
	return {
		...scanner,
		zone: (address) => memory[address] ?? 0,
		flashZone: (address) => flash[address] ?? 0,
		saves: () => saves,
		heartbeats: () => heartbeats,
		out1: () => out1,
		ownBaudRate,
		showSettingCode(address, value) {
			if (((memory[0x03] ?? 0) & 0b10) === 0) memory.set(value, address);
		},
		powerCycle() {
			isHung = false;
			memory = flash.slice();
		},
		factoryReset() {
			flash = factoryZones({});
			memory = flash.slice();
		},
		hang() {
			isHung = true;
		},
	};
}

function gm812Tail(zones: Uint8Array): string {
	return gm812Tails[zones[0x0e] ?? 0] ?? '';
}

function gm65Tail(zones: Uint8Array): string {
	const bits = zones[0x60] ?? 0;
	return bits & 1 ? (gm65Tails[(bits >> 5) & 3] ?? '') : '';
}

/** Finds the commands in what the host sends, however it is cut; one with a bad check is dropped. */
function commandReader(obey: (type: number, address: number, data: Uint8Array) => void): (bytes: Uint8Array) => void {
	let pending = Buffer.alloc(0);
	return (bytes) => {
		pending = Buffer.concat([pending, bytes]).subarray(-commandBytesMax);
		for (;;) {
			const start = pending.indexOf(Uint8Array.of(0x7e, 0x00));
			if (start < 0 || pending.length < start + 4) return;
			const end = start + 8 + (pending[start + 3] ?? 0);
			if (pending.length < end) return;
			const body = pending.subarray(start + 2, end - 2);
			const check = pending.subarray(end - 2, end);
			pending = Buffer.from(pending.subarray(end));
			// AB CD stands for "no check".
			if (!check.equals(checkOf(body)) && check.readUInt16BE() !== 0xabcd) continue;
			obey(body[0] ?? 0, body.readUInt16BE(2), body.subarray(4));
		}
	};
}

function factoryZones(changed: Readonly<Record<number, number>> = {}): Uint8Array {
	const all = new Uint8Array(zoneBytes);
	for (const [address, value] of Object.entries({ ...factory, ...changed })) all[Number(address)] = value;
	return all;
}

function nearestBaudRate(divisor: number): number {
	const exact = baudClockHz / Math.max(1, divisor);
	return standardBaudRates.reduce((best, rate) => (Math.abs(rate - exact) < Math.abs(best - exact) ? rate : best));
}

/** CRC of a body by the manual's own loop, which doubles and subtracts bit by bit. */
function checkOf(body: Uint8Array): Buffer {
	let crc = 0;
	for (const byte of body) {
		for (let bit = 0x80; bit !== 0; bit >>= 1) {
			crc *= 2;
			if (crc & 0x10000) crc ^= 0x11021;
			if (byte & bit) crc ^= 0x1021;
		}
	}
	return Buffer.of(crc >> 8, crc & 0xff);
}
