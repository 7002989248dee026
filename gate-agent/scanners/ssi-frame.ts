/** A packet of the Simple Serial Interface. */
export interface SsiPacket {
	readonly opcode: number;
	/** Bit 0: sent again; bit 1: more packets of this message come. */
	readonly status: number;
	readonly data: Uint8Array;
}

/** Opcodes (Zebra, Simple Serial Interface Programmer's Guide, 72E-40451). */
export const ssiOpcode = {
	ack: 0xd0,
	nak: 0xd1,
	decodeData: 0xf3,
	beep: 0xe6,
	scanEnable: 0xe9,
	setParameter: 0xc6,
} as const;

/** @see SsiPacket.status */
export const ssiStatus = { retransmit: 0x01, continues: 0x02 } as const;

/** Who sends: the host. The decoder is 0. */
const host = 0x04;

/** Length, opcode, source, status; the length counts them and the data, not the two bytes of the sum. */
const headerBytes = 4;
const sumBytes = 2;
const lengthMax = 255;

/** The bytes of a packet of status 0; `source` 0 is one of the decoder. */
export function encodeSsi(opcode: number, data: readonly number[] = [], source = host): Uint8Array {
	const body = [headerBytes + data.length, opcode, source, 0, ...data];
	const sum = sumOf(body);
	return Uint8Array.of(...body, sum >> 8, sum & 0xff);
}

/** The two's complement of the sum of all bytes, 16 bits. */
function sumOf(body: Iterable<number>): number {
	let sum = 0;
	for (const byte of body) sum += byte;
	return -sum & 0xffff;
}

/** What bytes complete: packets of the decoder, and how many bytes belonged to none. `rest` waits for more. */
export interface SsiRead {
	readonly packets: readonly SsiPacket[];
	/** A packet came whose sum is wrong: it is asked for again. */
	readonly spoiled: number;
	readonly rest: Uint8Array;
}

/** Takes the bytes that waited and those that came. What is no packet is skipped byte by byte. */
export function readSsi(bytes: Uint8Array): SsiRead {
	const packets: SsiPacket[] = [];
	let spoiled = 0;
	let at = 0;
	while (at < bytes.length) {
		const length = bytes[at] ?? 0;
		// A decoder says that it is one; a zero wakes a host that sleeps.
		const isHeader = length >= headerBytes && length <= lengthMax && (at + 2 >= bytes.length || bytes[at + 2] === 0);
		if (!isHeader) {
			at += 1;
			continue;
		}
		const total = length + sumBytes;
		if (at + total > bytes.length) break;
		const body = bytes.subarray(at, at + length);
		const sum = ((bytes[at + length] ?? 0) << 8) | (bytes[at + length + 1] ?? 0);
		if (sum === sumOf(body)) {
			packets.push({ opcode: body[1] ?? 0, status: body[3] ?? 0, data: Uint8Array.from(body.subarray(headerBytes)) });
			at += total;
		} else {
			spoiled += 1;
			at += 1;
		}
	}
	return { packets, spoiled, rest: Uint8Array.from(bytes.subarray(at)) };
}
