/** What a host may ask of a module (GM65 and GM812 manuals, appendix "zone bits"). */
const commandTypes = { read: 0x07, write: 0x08, save: 0x09, heartbeat: 0x0a } as const;

/** The longest data of a reply that the driver asks for; what claims more is no reply. */
export const replyDataBytesMax = 16;

const replyMarks = [0x02, 0x03];
/** Mark, two zeros and the length. */
const headerBytes = 4;
const crcBytes = 2;

/** CRC-16/XMODEM: polynomial 0x1021, start 0, most significant bit first. */
export function crc16Xmodem(bytes: Uint8Array): number {
	let crc = 0;
	for (const byte of bytes) {
		crc ^= byte << 8;
		for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
	}
	return crc;
}

/**
 * A command: `7E 00`, type, length, address (high byte first), data, CRC over all but the mark. `save` and `heartbeat`
 * are sent to zone 0 with one byte 0; a read carries how many bytes it wants.
 */
export function encodeCommand(
	type: keyof typeof commandTypes,
	zone = 0,
	data: Uint8Array = Uint8Array.of(0),
): Uint8Array {
	const body = Uint8Array.of(commandTypes[type], data.length, zone >> 8, zone & 0xff, ...data);
	const crc = crc16Xmodem(body);
	return Uint8Array.of(0x7e, 0x00, ...body, crc >> 8, crc & 0xff);
}

/** What a piece of the stream held: the bytes of codes, the data of replies, and a tail that may become a reply. */
export interface SplitStream {
	readonly text: Uint8Array;
	readonly replies: readonly Uint8Array[];
	readonly held: Uint8Array;
}

/**
 * Parts the replies of a module from the codes that it sends on the same line. A reply is `02` or `03`, two zeros, a
 * length, data and a CRC that matches; everything else belongs to codes, in its order. A tail that a reply may begin
 * with is held, never more than one reply.
 */
export function splitReplies(bytes: Uint8Array): SplitStream {
	const text: Uint8Array[] = [];
	const replies: Uint8Array[] = [];
	let textAt = 0;
	let at = 0;
	while (at < bytes.length) {
		const found = replyAt(bytes, at);
		if (found === 'partial') break;
		if (found === 'none') {
			at += 1;
			continue;
		}
		text.push(bytes.subarray(textAt, at));
		replies.push(found);
		at += headerBytes + found.length + crcBytes;
		textAt = at;
	}
	text.push(bytes.subarray(textAt, at));
	return { text: text.length === 1 ? bytes.subarray(0, at) : Buffer.concat(text), replies, held: bytes.slice(at) };
}

function replyAt(bytes: Uint8Array, at: number): 'none' | 'partial' | Uint8Array {
	if (!replyMarks.includes(bytes[at] ?? 0)) return 'none';
	const [first = 0, second = 0, length = 1] = bytes.subarray(at + 1, at + headerBytes);
	if (first !== 0 || second !== 0 || length === 0 || length > replyDataBytesMax) return 'none';
	const crcAt = at + headerBytes + length;
	if (at + headerBytes > bytes.length || crcAt + crcBytes > bytes.length) return 'partial';
	const crc = crc16Xmodem(bytes.subarray(at + 2, crcAt));
	return bytes[crcAt] === crc >> 8 && bytes[crcAt + 1] === (crc & 0xff) ? bytes.slice(at + headerBytes, crcAt) : 'none';
}
