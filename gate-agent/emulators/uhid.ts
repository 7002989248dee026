import { closeSync, constants, openSync, read, writeSync } from 'node:fs';
import { StilewardError } from '../core/errors.ts';

/**
 * A HID device made of this process, as the kernel sees it (Linux, Documentation/hid/uhid.rst): programs find it as they
 * find a real one. Needs `/dev/uhid` (module uhid) and root.
 */
export interface UhidDevice {
	/** Sends an input report, its id first where the device has ids. Ignored while the device is unplugged. */
	input(report: Uint8Array): void;
	/** Takes the device away, as an unplug does. */
	destroy(): void;
}

/** What the device is and how it answers. */
export interface UhidOptions {
	readonly name: string;
	readonly vendorId: number;
	readonly productId: number;
	readonly serial?: string;
	/** What the kernel calls its place; `usb-lab-1/input0`. */
	readonly port?: string;
	readonly descriptor: Uint8Array;
	/** An output report of a program, its id first where the device has ids. */
	readonly onOutput?: (report: Uint8Array) => void;
	/** A SET_REPORT of a program; false refuses it, `hang` never answers. */
	readonly onSet?: (reportId: number, report: Uint8Array) => boolean | 'hang';
	/** A GET_REPORT of a program; undefined refuses it, `hang` never answers. */
	readonly onGet?: (reportId: number) => Uint8Array | 'hang' | undefined;
}

/** Event numbers (include/uapi/linux/uhid.h). */
const event = {
	destroy: 1,
	output: 6,
	getReport: 9,
	getReply: 10,
	create2: 11,
	input2: 12,
	setReport: 13,
	setReply: 14,
};

/** Sizes and places of the fields of `struct uhid_event`, which is packed. */
const dataBytesMax = 4096;
const create = {
	name: 4,
	phys: 132,
	uniq: 196,
	size: 260,
	bus: 262,
	vendor: 264,
	product: 268,
	version: 272,
	data: 280,
};
const eventBytes = 4 + 4372;
const usbBus = 3;
const EIO = 5;

/** Plugs a device in. Errors: `unsupported` where the kernel has no uhid, or this user may not use it. */
export function plugInUhid(options: UhidOptions): UhidDevice {
	const fd = openNode();
	writeSync(fd, createEvent(options));
	let isPlugged = true;
	const send = (bytes: Uint8Array) => {
		if (isPlugged) writeSync(fd, bytes);
	};
	const listen = () => {
		const buffer = Buffer.alloc(eventBytes);
		read(fd, buffer, 0, buffer.length, null, (error) => {
			if (!isPlugged) return;
			if (error === null) answer(buffer, options, send);
			if (error === null || error.code === 'EAGAIN') setTimeout(listen, error === null ? 0 : pollMs);
		});
	};
	listen();
	return {
		input: (report) => {
			const bytes = Buffer.alloc(6 + report.length);
			bytes.writeUInt32LE(event.input2, 0);
			bytes.writeUInt16LE(report.length, 4);
			bytes.set(report, 6);
			send(bytes);
		},
		destroy: () => {
			if (!isPlugged) return;
			const bytes = Buffer.alloc(4);
			bytes.writeUInt32LE(event.destroy, 0);
			writeSync(fd, bytes);
			isPlugged = false;
			closeSync(fd);
		},
	};
}

/** uhid is asked without waiting: a read that waits would keep a thread, and a process has four. */
const pollMs = 2;

function openNode(): number {
	try {
		return openSync('/dev/uhid', constants.O_RDWR | constants.O_NONBLOCK);
	} catch (cause) {
		throw new StilewardError('unsupported', '/dev/uhid cannot be opened: it needs root and the kernel module uhid', {
			cause,
		});
	}
}

function createEvent({
	name,
	vendorId,
	productId,
	serial = '',
	port = 'lab/input0',
	descriptor,
}: UhidOptions): Uint8Array {
	const bytes = Buffer.alloc(create.data + dataBytesMax);
	bytes.writeUInt32LE(event.create2, 0);
	bytes.write(name, create.name, 127);
	bytes.write(port, create.phys, 63);
	bytes.write(serial, create.uniq, 63);
	bytes.writeUInt16LE(descriptor.length, create.size);
	bytes.writeUInt16LE(usbBus, create.bus);
	bytes.writeUInt32LE(vendorId, create.vendor);
	bytes.writeUInt32LE(productId, create.product);
	bytes.writeUInt32LE(0x100, create.version);
	bytes.set(descriptor, create.data);
	return bytes;
}

function answer(bytes: Buffer, { onOutput, onSet, onGet }: UhidOptions, send: (bytes: Uint8Array) => void): void {
	switch (bytes.readUInt32LE(0)) {
		case event.output: {
			const size = bytes.readUInt16LE(4 + dataBytesMax);
			onOutput?.(Uint8Array.from(bytes.subarray(4, 4 + size)));
			return;
		}
		case event.setReport: {
			const size = bytes.readUInt16LE(10);
			const answered = onSet?.(bytes.readUInt8(8), Uint8Array.from(bytes.subarray(12, 12 + size))) ?? false;
			if (answered === 'hang') return;
			const reply = Buffer.alloc(10);
			reply.writeUInt32LE(event.setReply, 0);
			bytes.copy(reply, 4, 4, 8);
			reply.writeUInt16LE(answered ? 0 : EIO, 8);
			send(reply);
			return;
		}
		case event.getReport: {
			const report = onGet?.(bytes.readUInt8(8));
			if (report === 'hang') return;
			const reply = Buffer.alloc(12 + dataBytesMax);
			reply.writeUInt32LE(event.getReply, 0);
			bytes.copy(reply, 4, 4, 8);
			reply.writeUInt16LE(report === undefined ? EIO : 0, 8);
			reply.writeUInt16LE(report?.length ?? 0, 10);
			reply.set(report ?? [], 12);
			send(reply);
			return;
		}
	}
}
