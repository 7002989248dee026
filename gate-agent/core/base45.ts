const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

/** The value of each ASCII character in the alphabet, 255 for those outside it. */
const values = Uint8Array.from({ length: 128 }, (_, code) => {
	const value = alphabet.indexOf(String.fromCharCode(code));
	return value < 0 ? 255 : value;
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
	if (text.length % 3 === 1) return undefined;
	const bytes = new Uint8Array(Math.floor(text.length / 3) * 2 + (text.length % 3 === 2 ? 1 : 0));
	let at = 0;
	for (let i = 0; i < text.length; i += 3) {
		const value = readGroup(text, i);
		const pair = i + 2 >= text.length;
		if (value > (pair ? 0xff : 0xffff)) return undefined;
		if (!pair) bytes[at++] = value >> 8;
		bytes[at++] = value & 0xff;
	}
	return bytes;
}

function digit(value: number): string {
	return alphabet.charAt(Math.floor(value) % 45);
}

/** The value of the two or three characters at `i`; a character outside the alphabet makes it too large. */
function readGroup(text: string, i: number): number {
	const third = i + 2 < text.length ? valueAt(text, i + 2) * 2025 : 0;
	return valueAt(text, i) + valueAt(text, i + 1) * 45 + third;
}

function valueAt(text: string, i: number): number {
	const value = values[text.charCodeAt(i)] ?? 255;
	return value === 255 ? 0x10000 : value;
}
