import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase45, encodeBase45 } from './base45.ts';

interface Rfc9285 {
	readonly encode: readonly { readonly utf8?: string; readonly hex?: string; readonly base45: string }[];
	readonly invalidDecode: readonly { readonly base45: string; readonly why: string }[];
}

const vectors: Rfc9285 = JSON.parse(readFileSync(new URL('vectors/rfc9285.json', import.meta.url), 'utf8'));

describe('base45 of RFC 9285', () => {
	test.each(vectors.encode)('writes and reads $base45', ({ utf8, hex, base45 }) => {
		const bytes = new Uint8Array(utf8 === undefined ? Buffer.from(hex ?? '', 'hex') : Buffer.from(utf8));
		expect(encodeBase45(bytes)).toBe(base45);
		expect(decodeBase45(base45)).toEqual(bytes);
	});

	test.each(vectors.invalidDecode)('refuses $base45: $why', ({ base45 }) => {
		expect(decodeBase45(base45)).toBeUndefined();
	});

	test('gives every byte string one text, and every other text nothing', () => {
		const anyText = fc.oneof(
			fc.string({ unit: fc.constantFrom(...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'), maxLength: 12 }),
			fc.array(fc.nat(0xffff), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
		);
		fc.assert(
			fc.property(anyText, (text) => {
				const bytes = decodeBase45(text);
				expect(bytes === undefined ? text : encodeBase45(bytes)).toBe(text);
			}),
		);
		fc.assert(
			fc.property(fc.uint8Array(), (bytes) => {
				expect(decodeBase45(encodeBase45(bytes))).toEqual(bytes);
			}),
		);
	});

	test('tells the largest pair and triple from those just above', () => {
		expect(decodeBase45('U5')).toEqual(Uint8Array.of(255));
		expect(decodeBase45('V5')).toBeUndefined();
		expect(decodeBase45('FGW')).toEqual(Uint8Array.of(255, 255));
		expect(decodeBase45('GGW')).toBeUndefined();
	});
});
