/**
 * Modbus RTU frames of a master, as bytes: MODBUS Application Protocol V1.1b3 and MODBUS over Serial Line V1.02.
 * Only the four functions that a lane needs.
 */

/** One question to a station. `value` of `write_coil` is sent as it is: boards give it vendor meanings. */
export type ModbusRequest =
	| { readonly kind: 'read_coils'; readonly start: number; readonly count: number }
	| { readonly kind: 'read_inputs'; readonly start: number; readonly count: number }
	| { readonly kind: 'write_coil'; readonly address: number; readonly value: number };

/** What a station answered: the bits asked for, the echo of a write, or why it refuses. */
export type ModbusReply =
	| { readonly kind: 'bits'; readonly bits: readonly boolean[] }
	| { readonly kind: 'echo' }
	| { readonly kind: 'exception'; readonly code: number };

/** FC05: close the coil, open the coil. */
export const coilOn = 0xff00;
/** @see coilOn */
export const coilOff = 0x0000;

/** The longest frame of Modbus RTU, bytes. */
export const frameBytesMax = 256;

/** Bits that one request may read here; a board has 8 to 64. */
export const bitsMax = 256;

const functionOf = { read_coils: 0x01, read_inputs: 0x02, write_coil: 0x05 } as const;
const exceptionFlag = 0x80;

/** CRC-16/MODBUS: polynomial A001 (reflected 8005), initial FFFF; sent low byte first. */
export function crc16(bytes: Uint8Array): number {
	let crc = 0xffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
	}
	return crc;
}

/** Appends the CRC to an address and PDU. */
export function withCrc(body: readonly number[]): Uint8Array {
	const frame = new Uint8Array(body.length + 2);
	frame.set(body);
	const crc = crc16(frame.subarray(0, body.length));
	frame.set([crc & 0xff, crc >> 8], body.length);
	return frame;
}

/** The bytes of a request to the station `unit` (1–247; some boards use 255). Throws `RangeError` on a bad number. */
export function encodeRequest(unit: number, request: ModbusRequest): Uint8Array {
	check({ unit }, 1, 255);
	const [first, second] = wordsOf(request);
	return withCrc([unit, functionOf[request.kind], first >> 8, first & 0xff, second >> 8, second & 0xff]);
}

function wordsOf(request: ModbusRequest): [number, number] {
	if (request.kind === 'write_coil') {
		return [check({ address: request.address }, 0, 0xffff), check({ value: request.value }, 0, 0xffff)];
	}
	return [check({ start: request.start }, 0, 0xffff), check({ count: request.count }, 1, bitsMax)];
}

/** Takes one named number. */
function check(named: Readonly<Record<string, number>>, min: number, max: number): number {
	const [name, value = Number.NaN] = Object.entries(named)[0] ?? [];
	if (!Number.isInteger(value) || value < min || value > max) {
		throw new RangeError(`${name} ${value} is outside ${min}…${max}`);
	}
	return value;
}

/** Collects the bytes that follow a request until they hold its reply. */
export interface ReplyReader {
	/** Takes more bytes; the reply as soon as it is complete. Noise before, and frames of others, are skipped. */
	push(bytes: Uint8Array): ModbusReply | undefined;
	/** Bytes seen so far: with none the station was silent, with some it spoke, but not an answer. */
	readonly seen: number;
}

/**
 * Reads the reply to `request`. The 3.5 characters of silence that delimit frames cannot be seen through a USB
 * adapter, so the reply is found by its shape and CRC, at any offset.
 */
export function createReplyReader(unit: number, request: ModbusRequest): ReplyReader {
	const sent = encodeRequest(unit, request);
	let buffer = new Uint8Array(0);
	let seen = 0;
	return {
		push: (bytes) => {
			seen += bytes.length;
			buffer = tail(buffer, bytes);
			for (let at = 0; at < buffer.length; at++) {
				const reply = replyAt(buffer.subarray(at), sent, request);
				if (reply !== undefined) return reply;
			}
			return undefined;
		},
		get seen() {
			return seen;
		},
	};
}

/** Keeps the newest bytes: a reply is never longer than a frame, so older noise cannot belong to it. */
function tail(old: Uint8Array, more: Uint8Array): Uint8Array<ArrayBuffer> {
	const all = new Uint8Array(old.length + more.length);
	all.set(old);
	all.set(more, old.length);
	return all.slice(Math.max(0, all.length - frameBytesMax));
}

function replyAt(bytes: Uint8Array, sent: Uint8Array, request: ModbusRequest): ModbusReply | undefined {
	if (bytes[0] !== sent[0]) return undefined;
	if (bytes[1] === functionOf[request.kind] + exceptionFlag) {
		return intact(bytes, 5) ? { kind: 'exception', code: bytes[2] ?? 0 } : undefined;
	}
	if (bytes[1] !== functionOf[request.kind]) return undefined;
	if (request.kind === 'write_coil') {
		return bytes.length >= sent.length && sent.every((byte, i) => byte === bytes[i]) ? { kind: 'echo' } : undefined;
	}
	const byteCount = Math.ceil(request.count / 8);
	if (bytes[2] !== byteCount || !intact(bytes, byteCount + 5)) return undefined;
	return { kind: 'bits', bits: bitsOf(bytes.subarray(3, 3 + byteCount), request.count) };
}

function intact(bytes: Uint8Array, length: number): boolean {
	if (bytes.length < length) return false;
	const crc = crc16(bytes.subarray(0, length - 2));
	return bytes[length - 2] === (crc & 0xff) && bytes[length - 1] === crc >> 8;
}

/** Coils and inputs are packed from the lowest bit of the first byte. */
function bitsOf(bytes: Uint8Array, count: number): boolean[] {
	return Array.from({ length: count }, (_, i) => (((bytes[i >> 3] ?? 0) >> (i & 7)) & 1) === 1);
}

/** How exceptions are called in the field (MODBUS Application Protocol V1.1b3, section 7). */
export function exceptionName(code: number): string {
	const names = ['illegal function', 'illegal data address', 'illegal data value', 'device failure'];
	return names[code - 1] ?? `exception ${code}`;
}
