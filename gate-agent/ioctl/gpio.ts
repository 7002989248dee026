import { closeSync, constants, openSync } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { StilewardError } from '../core/errors.ts';
import { errno, type Libc, loadLibc, SystemCallError } from './libc.ts';

/** A GPIO chip and its lines (Linux, include/uapi/linux/gpio.h, version 2). */
export interface GpioChip {
	/** Changes with each plugging: `/dev/gpiochip1`. */
	readonly path: string;
	/** What the chip is: `pinctrl-bcm2711`, `cp2112_gpio`. */
	readonly label: string;
	/** Names of its lines, empty where a line has none. */
	readonly lines: readonly string[];
}

/** Which lines, and how. */
export interface GpioRequest {
	readonly chip: string;
	readonly offsets: readonly number[];
	/** `as_is` changes nothing: neither direction nor level. */
	readonly direction: 'as_is' | 'input' | 'output';
	/** 1 is a low level. */
	readonly activeLow?: boolean;
	readonly bias?: 'pull_up' | 'pull_down' | 'disabled';
	/** Levels that an output begins with, a line each. */
	readonly values?: readonly boolean[];
	/** An input tells each edge that has been steady for so long, microseconds; 0 tells every one. */
	readonly debounceUs?: number;
}

/** Lines that a program holds; nobody else can drive them. */
export interface GpioLines {
	/** Its edges can be read from here, `edgeBytes` each. */
	readonly fd: number;
	/** Levels, a line each. Rejects with `device_lost`. */
	read(): Promise<readonly boolean[]>;
	/** Drives one line, by its place in the request. Rejects with `device_lost`. */
	write(index: number, value: boolean): Promise<void>;
	/** Makes lines that were requested as they are outputs of these levels. */
	drive(values: readonly boolean[]): Promise<void>;
	close(): void;
}

/** An edge of an input. */
export interface GpioEdge {
	readonly offset: number;
	readonly rising: boolean;
	/** Counts all edges of the request from 1: a number that is left out was lost. */
	readonly seqno: number;
}

const ioctl = {
	chipInfo: 0x8044b401,
	lineInfo: 0xc100b405,
	getLine: 0xc250b407,
	setConfig: 0xc110b40d,
	getValues: 0xc010b40e,
	setValues: 0xc010b40f,
} as const;

const flag = {
	activeLow: 2n,
	input: 4n,
	output: 8n,
	rising: 16n,
	falling: 32n,
	pullUp: 256n,
	pullDown: 512n,
	noBias: 1024n,
};
const attribute = { outputValues: 2, debounce: 3 } as const;

/** Places in `struct gpio_v2_line_request` and in the `gpio_v2_line_config` in it. */
const request = { consumer: 256, config: 288, count: 560, events: 564, fd: 588, bytes: 592 } as const;
const config = { flags: 0, attributes: 8, first: 32, bytes: 272, attributeBytes: 24 } as const;
const nameBytes = 32;
const chipInfoBytes = 68;
const lineInfoBytes = 256;

/** Who holds a line, as `gpioinfo` shows it. */
const consumer = 'stileward';

/** Edges that the kernel keeps for a program that is busy. */
const edgesKept = 128;

/** Bytes of one edge, `struct gpio_v2_line_event`. */
export const edgeBytes = 48;

/** Chips of a machine; lines that are asked for their names. */
const linesMax = 512;

/** All GPIO chips that this user may look at. Errors: `library_missing`, `unsupported`. */
export async function listGpioChips(dev = '/dev'): Promise<readonly GpioChip[]> {
	const libc = await loadLibc();
	const names = (await readdir(dev).catch(() => [])).filter((name) => /^gpiochip\d+$/.test(name));
	return names.toSorted().flatMap((name) => {
		try {
			return chipAt(libc, `${dev}/${name}`);
		} catch (error) {
			// It went away meanwhile, or belongs to somebody else.
			if (error instanceof SystemCallError || (error as NodeJS.ErrnoException).code !== undefined) return [];
			throw error;
		}
	});
}

function chipAt(libc: Libc, path: string): GpioChip {
	const fd = openSync(path, constants.O_RDWR);
	try {
		const info = Buffer.alloc(chipInfoBytes);
		libc.ioctl(fd, ioctl.chipInfo, info);
		const count = Math.min(info.readUInt32LE(2 * nameBytes), linesMax);
		const lines = Array.from({ length: count }, (_, offset) => {
			const line = Buffer.alloc(lineInfoBytes);
			line.writeUInt32LE(offset, 2 * nameBytes);
			libc.ioctl(fd, ioctl.lineInfo, line);
			return textOf(line, 0);
		});
		return { path, label: textOf(info, nameBytes), lines };
	} finally {
		closeSync(fd);
	}
}

function textOf(bytes: Buffer, at: number): string {
	const name = bytes.subarray(at, at + nameBytes);
	return name.toString('utf8', 0, Math.max(0, name.indexOf(0)));
}

/** The chip with this label or path. Throws `device_absent`, or `config_invalid` where several have the label. */
export async function findGpioChip(name: string): Promise<GpioChip> {
	const fitting = (await listGpioChips()).filter(({ label, path }) => name === label || name === path);
	const [only, ...others] = fitting;
	if (only === undefined) throw await missingChip(name);
	if (others.length === 0) return only;
	const paths = fitting.map(({ path }) => path).join(', ');
	throw new StilewardError('config_invalid', `several GPIO chips are called ${name}: ${paths}`);
}

/** A chip that this user may not look at is no chip that is missing. */
async function missingChip(name: string, dev = '/dev'): Promise<StilewardError> {
	const paths = (await readdir(dev)).filter((each) => /^gpiochip\d+$/.test(each)).map((each) => `${dev}/${each}`);
	const denied = await Promise.all(
		paths.map((path) =>
			access(path, constants.R_OK | constants.W_OK).then(
				() => [],
				() => path,
			),
		),
	);
	const list = denied.flat();
	if (list.length === 0) return new StilewardError('device_absent', `there is no GPIO chip ${name}`);
	return new StilewardError(
		'device_denied',
		`this user may not open ${list.join(', ')}, one of which may be ${name}: it needs their group, often gpio`,
	);
}

/** Offsets of lines that are given by number or name. Throws `config_invalid`. */
export function offsetsOf({ label, lines }: GpioChip, wanted: readonly (number | string)[]): readonly number[] {
	return wanted.map((line) => {
		const offset = typeof line === 'number' ? line : lines.indexOf(line);
		if (offset >= 0 && offset < lines.length) return offset;
		throw new StilewardError('config_invalid', `the GPIO chip ${label} has no line ${line}`);
	});
}

/** Takes lines. Errors: `device_absent`, `device_denied`, `device_busy`, `config_invalid`. */
export async function requestLines(asked: GpioRequest): Promise<GpioLines> {
	const libc = await loadLibc();
	const bytes = requestOf(asked);
	const chip = openChip(asked.chip);
	try {
		await libc.ioctlAside(chip, ioctl.getLine, bytes);
	} catch (cause) {
		throw requestFailure(asked, cause);
	} finally {
		closeSync(chip);
	}
	const fd = bytes.readInt32LE(request.fd);
	let isOpen = true;
	const call = async (what: string, number: number, argument: Buffer) => {
		try {
			if (!isOpen) throw new StilewardError('device_lost', `the lines of ${asked.chip} were closed`);
			await libc.ioctlAside(fd, number, argument);
		} catch (cause) {
			if (cause instanceof StilewardError) throw cause;
			throw new StilewardError('device_lost', `${asked.chip} cannot be ${what}`, { cause });
		}
	};
	const all = (1n << BigInt(asked.offsets.length)) - 1n;
	return {
		fd,
		read: async () => {
			const values = valuesOf(0n, all);
			await call('read', ioctl.getValues, values);
			const bits = values.readBigUInt64LE(0);
			return asked.offsets.map((_, index) => ((bits >> BigInt(index)) & 1n) === 1n);
		},
		write: async (index, value) => {
			const mask = 1n << BigInt(index);
			await call('switched', ioctl.setValues, valuesOf(value ? mask : 0n, mask));
		},
		drive: async (values) => {
			await call('driven', ioctl.setConfig, configOf({ ...asked, direction: 'output', values }));
		},
		close: () => {
			if (!isOpen) return;
			isOpen = false;
			closeSync(fd);
		},
	};
}

function openChip(path: string): number {
	try {
		return openSync(path, constants.O_RDWR);
	} catch (cause) {
		const isDenied = ['EACCES', 'EPERM'].includes((cause as NodeJS.ErrnoException).code ?? '');
		throw new StilewardError(
			isDenied ? 'device_denied' : 'device_absent',
			isDenied ? `this user may not open ${path}: it needs its group, often gpio` : `there is no GPIO chip ${path}`,
			{ cause },
		);
	}
}

function requestFailure({ chip, offsets }: GpioRequest, cause: unknown): unknown {
	if (!(cause instanceof SystemCallError)) return cause;
	const lines = `line ${offsets.join(', ')} of ${chip}`;
	if (cause.errno === errno.EBUSY)
		return new StilewardError('device_busy', `another program holds ${lines}`, { cause });
	if (cause.errno === errno.EINVAL) {
		return new StilewardError('config_invalid', `${lines} cannot be used so: check lines, bias and direction`, {
			cause,
		});
	}
	return new StilewardError('device_absent', `${lines} cannot be taken`, { cause });
}

function requestOf(asked: GpioRequest): Buffer {
	const bytes = Buffer.alloc(request.bytes);
	for (const [index, offset] of asked.offsets.entries()) bytes.writeUInt32LE(offset, index * 4);
	bytes.write(consumer, request.consumer, nameBytes - 1);
	configOf(asked).copy(bytes, request.config);
	bytes.writeUInt32LE(asked.offsets.length, request.count);
	bytes.writeUInt32LE(edgesKept, request.events);
	return bytes;
}

function configOf({ direction, activeLow = false, bias, values, debounceUs, offsets }: GpioRequest): Buffer {
	const bytes = Buffer.alloc(config.bytes);
	const flags = [
		direction === 'output' ? flag.output : 0n,
		direction === 'input' ? flag.input | flag.rising | flag.falling : 0n,
		activeLow ? flag.activeLow : 0n,
		bias === 'pull_up' ? flag.pullUp : bias === 'pull_down' ? flag.pullDown : bias === 'disabled' ? flag.noBias : 0n,
	];
	bytes.writeBigUInt64LE(
		flags.reduce((all, each) => all | each, 0n),
		config.flags,
	);
	const mask = (1n << BigInt(offsets.length)) - 1n;
	const attributes: (readonly [id: number, value: bigint])[] = [];
	if (values !== undefined && direction === 'output') attributes.push([attribute.outputValues, bitsOf(values)]);
	if (debounceUs !== undefined && debounceUs > 0) attributes.push([attribute.debounce, BigInt(debounceUs)]);
	bytes.writeUInt32LE(attributes.length, config.attributes);
	for (const [index, [id, value]] of attributes.entries()) {
		const at = config.first + index * config.attributeBytes;
		bytes.writeUInt32LE(id, at);
		bytes.writeBigUInt64LE(value, at + 8);
		bytes.writeBigUInt64LE(mask, at + 16);
	}
	return bytes;
}

function bitsOf(values: readonly boolean[]): bigint {
	return values.reduce((bits, value, index) => (value ? bits | (1n << BigInt(index)) : bits), 0n);
}

function valuesOf(bits: bigint, mask: bigint): Buffer {
	const bytes = Buffer.alloc(16);
	bytes.writeBigUInt64LE(bits, 0);
	bytes.writeBigUInt64LE(mask, 8);
	return bytes;
}

/** Reads an edge: time, kind, offset, number of the edge. */
export function edgeOf(record: Uint8Array): GpioEdge {
	const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
	return { rising: view.getUint32(8, true) === 1, offset: view.getUint32(12, true), seqno: view.getUint32(16, true) };
}
