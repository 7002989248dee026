const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

/** Above the largest value of a group. */
const outside = 0x10000;

/** The value of each ASCII character, `outside` for those that are not in the alphabet. */
const values = Uint32Array.from({ length: 128 }, (_, code) => {
	const value = alphabet.indexOf(String.fromCharCode(code));
	return value < 0 ? outside : value;
});

/** Writes bytes as base45 (RFC 9285): two bytes become three characters of QR's alphanumeric mode, least first. */
export function encodeBase45(bytes: Uint8Array): string {
	let text = '';
	for (let i = 0; i < bytes.length; i += 2) {
		const high = bytes[i] ?? 0;
		const low = bytes[i + 1];
		const value = low === undefined ? high : high * 256 + low;
		text += digit(value) + digit(value / 45);
		if (low !== undefined) text += digit(value / 2025);
	}
	return text;
}

/**
 * Reads base45 (RFC 9285), or gives undefined for a text that the encoder would not write: another character, a
 * length of 1 modulo 3, a triple above 65,535 or a pair above 255. So every byte string has exactly one text.
 */
export function decodeBase45(text: string): Uint8Array<ArrayBuffer> | undefined {
	const tail = text.length % 3;
	if (tail === 1) return undefined;
	const triples = text.length - tail;
	const bytes = new Uint8Array((triples / 3) * 2 + tail / 2);
	let at = 0;
	for (let i = 0; i < triples; i += 3) {
		const value = valueAt(text, i) + valueAt(text, i + 1) * 45 + valueAt(text, i + 2) * 2025;
		if (value > 0xffff) return undefined;
		bytes[at++] = value >> 8;
		bytes[at++] = value & 0xff;
	}
	if (tail === 0) return bytes;
	const value = valueAt(text, triples) + valueAt(text, triples + 1) * 45;
	bytes[at] = value;
	return value > 0xff ? undefined : bytes;
}

function digit(value: number): string {
	return alphabet.charAt(Math.floor(value) % 45);
}

/** The value of a character; one outside the alphabet is worth more than any group may be. */
function valueAt(text: string, i: number): number {
	return values[text.charCodeAt(i)] ?? outside;
}
