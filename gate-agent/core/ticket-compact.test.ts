import { readFileSync } from 'node:fs';
import { base64url } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeBase45 } from './base45.ts';
import { issueTicket } from './issue.ts';
import type { Keyset } from './keyset.ts';
import { compactOf, ed25519Jwk, issuerOf, keysetOf, typical } from './test-issuer.suite.ts';
import type { TicketClaims } from './ticket-claims.ts';
import { compactFormat } from './ticket-compact.ts';
import { verify } from './verify.ts';

interface Golden {
	readonly kid: string;
	readonly tickets: readonly {
		readonly name: string;
		readonly claims: TicketClaims;
		readonly payload: string;
		readonly compact: string;
		readonly jws: string;
	}[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('vectors/tickets.json', import.meta.url), 'utf8'));

let keyset: Keyset;

beforeAll(async () => {
	keyset = await keysetOf(ed25519Jwk);
});

async function verdict(code: string): Promise<string> {
	const verified = await verify(code, keyset);
	return verified.kind === 'ticket' ? 'ticket' : verified.refusal.reason;
}

/** CBOR written by hand (RFC 8949): the head of a data item in its shortest form. */
function head(major: number, value: number): number[] {
	if (value < 24) return [(major << 5) | value];
	if (value < 0x100) return [(major << 5) | 24, value];
	if (value < 0x10000) return [(major << 5) | 25, value >> 8, value & 0xff];
	return [(major << 5) | 26, ...long(value)];
}

function long(value: number): number[] {
	return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

const int = (value: number) => head(0, value);
const text = (value: string) => [...head(3, Buffer.byteLength(value)), ...Buffer.from(value)];
const list = (...items: number[][]) => [...head(4, items.length), ...items.flat()];
const map = (...members: number[][]) => [...head(5, members.length), ...members.flat()];

const evt = [1, ...text('lantern-2026')];
const idx = [2, ...int(5)];
const cls = [3, ...text('adult')];
const nbf = [4, ...int(1_790_000_000)];
const exp = [5, ...int(1_790_086_400)];
const plain = [evt, idx, cls, nbf, exp];

describe('a compact ticket', () => {
	test.each(golden.tickets)('is written to the byte as published: $name', async ({ claims, payload, compact, jws }) => {
		const issuer = await issuerOf(ed25519Jwk);
		expect(issuer.kid).toBe(golden.kid);
		expect(await issueTicket(claims, issuer, 'compact')).toBe(compact);
		expect(await issueTicket(claims, issuer, 'jws')).toBe(jws);
		expect(await compactOf(new Uint8Array(Buffer.from(payload, 'hex')))).toBe(compact);
		const [fromCompact, fromJws] = [await verify(compact, keyset), await verify(jws, keyset)];
		expect(fromCompact).toMatchObject({ kind: 'ticket', ticket: claims, format: 'compact', kid: golden.kid });
		expect(fromJws).toEqual({ ...fromCompact, format: 'jws' });
	});

	test.each([0, 23, 24, 255, 256, 65_535, 65_536, 999_999, 2 ** 31 - 1])(
		'that is typical has at most 178 characters: idx %i',
		async (number) => {
			const code = await issueTicket({ ...typical, idx: number }, await issuerOf(ed25519Jwk), 'compact');
			expect(code.length).toBeLessThanOrEqual(178);
			expect(code).toMatch(/^[0-9A-Z $%*+\-./:]+$/);
		},
	);

	test('carries the JWS header as fixed text', async () => {
		const decoded = compactFormat.decode(await compactOf(Uint8Array.from(map(...plain))));
		const header = decoded?.jws().split('.')[0] ?? '';
		expect(new TextDecoder().decode(base64url.decode(header))).toBe(`{"alg":"Ed25519","kid":"${golden.kid}"}`);
	});
});

describe('a payload that is validly signed', () => {
	const accepted: [string, number[]][] = [
		['plain', map(...plain)],
		['a use of 2', map(...plain, [8, ...int(2)])],
		['sorted zones', map(...plain, [7, ...list(text('a'), text('b'))])],
		['a session instead of a validity', map(evt, idx, cls, [6, ...text('evening')])],
		['a seat in Chinese', map(...plain, [10, ...text('东看台 7座')])],
		['the largest idx', map(evt, [2, ...int(2 ** 31 - 1)], cls, nbf, exp)],
		['24 characters of event', map([1, ...text('e'.repeat(24))], idx, cls, nbf, exp)],
	];

	test.each(accepted)('is accepted: %s', async (_, payload) => {
		expect(await verdict(await compactOf(Uint8Array.from(payload)))).toBe('ticket');
	});

	const refused: [string, number[]][] = [
		['an idx in two bytes', map(evt, [2, 24, 5], cls, nbf, exp)],
		['an idx in five bytes', map(evt, [2, 26, ...long(5)], cls, nbf, exp)],
		['an idx in nine bytes', map(evt, [2, 27, 0, 0, 0, 0, ...long(5)], cls, nbf, exp)],
		['an idx as a half float', map(evt, [2, 0xf9, 0x45, 0x00], cls, nbf, exp)],
		['an idx as a double', map(evt, [2, 0xfb, 0x40, 0x14, 0, 0, 0, 0, 0, 0], cls, nbf, exp)],
		['an idx as a bignum', map(evt, [2, 0xc2, 0x41, 5], cls, nbf, exp)],
		['an idx of 2 to the 31', map(evt, [2, ...int(2 ** 31)], cls, nbf, exp)],
		['a negative idx', map(evt, [2, ...head(1, 0)], cls, nbf, exp)],
		['a tagged time', map(evt, idx, cls, [4, 0xc1, ...int(1_790_000_000)], exp)],
		['a text with a long length', map([1, 0x78, 12, ...Buffer.from('lantern-2026')], idx, cls, nbf, exp)],
		['a text in chunks', map([1, 0x7f, ...text('lantern-'), ...text('2026'), 0xff], idx, cls, nbf, exp)],
		['a text as bytes', map([1, ...head(2, 12), ...Buffer.from('lantern-2026')], idx, cls, nbf, exp)],
		['a map with a long length', [0xb8, 5, ...plain.flat()]],
		['a map without a length', [0xbf, ...plain.flat(), 0xff]],
		['a map with a member missing', [0xa6, ...plain.flat()]],
		['keys out of order', map(idx, evt, cls, nbf, exp)],
		['a key twice', map(evt, idx, idx, cls, nbf, exp)],
		['a key twice with other values', map(evt, idx, [2, ...int(6)], cls, nbf, exp)],
		['a key in two bytes', map([24, 1, ...text('lantern-2026')], idx, cls, nbf, exp)],
		['an unknown key', map(...plain, [11, ...int(1)])],
		['the key 0', map([0, ...int(1)], ...plain)],
		['a negative key', map(...plain, [...head(1, 0), ...int(1)])],
		['a name as a key', map(...plain, [...text('use'), ...int(2)])],
		['a use of 1', map(...plain, [8, ...int(1)])],
		['a use of 0', map(...plain, [8, ...int(0)])],
		['a use of 10,001', map(...plain, [8, ...int(10_001)])],
		['no zones', map(...plain, [7, ...list()])],
		['unsorted zones', map(...plain, [7, ...list(text('b'), text('a'))])],
		['a zone twice', map(...plain, [7, ...list(text('a'), text('a'))])],
		['a list without a length', map(...plain, [7, 0x9f, ...text('a'), 0xff])],
		['17 zones', map(...plain, [7, ...list(...[...'abcdefghijklmnopq'].map(text))])],
		['a null', map(...plain, [9, 0xf6])],
		['an undefined', map(...plain, [9, 0xf7])],
		['a boolean', map(...plain, [9, 0xf5])],
		['a simple value', map(...plain, [9, 0xe0])],
		['a nested map', map(...plain, [9, ...map([1, 1])])],
		['bytes after the map', [...map(...plain), 0]],
		['a second map', [...map(...plain), ...map(...plain)]],
		['a torn map', map(...plain).slice(0, -1)],
		['a tagged map', [0xd9, 0xd9, 0xf7, ...map(...plain)]],
		['an array', list(...plain)],
		['an empty map', [0xa0]],
		['overlong UTF-8', map(...plain, [10, 0x62, 0xc1, 0x81])],
		['torn UTF-8', map(...plain, [10, 0x61, 0xe4])],
		['a surrogate in UTF-8', map(...plain, [10, 0x63, 0xed, 0xa0, 0x80])],
		['a control character in the seat', map(...plain, [10, ...text('A\u0007')])],
		['a text direction mark in the seat', map(...plain, [10, ...text('A\u202e12')])],
		['an empty seat', map(...plain, [10, ...text('')])],
		['a seat of 65 characters', map(...plain, [10, ...text('s'.repeat(65))])],
		['an event in capitals', map([1, ...text('LANTERN')], idx, cls, nbf, exp)],
		['an event of 33 characters', map([1, ...text('e'.repeat(33))], idx, cls, nbf, exp)],
		['no event', map(idx, cls, nbf, exp)],
		['no end and no session', map(evt, idx, cls, nbf)],
		['an end before the start', map(evt, idx, cls, [4, ...int(2000)], [5, ...int(2000)])],
		['a payload of the JSON form', [...Buffer.from(JSON.stringify(typical))]],
	];

	test.each(refused)('is unreadable: %s', async (_, payload) => {
		expect(await verdict(await compactOf(Uint8Array.from(payload)))).toBe('unreadable');
	});
});

describe('a text around a valid ticket', () => {
	const bytesOf = (kid: number[]) => Uint8Array.from([...kid, ...map(...plain), ...new Uint8Array(64)]);

	test('must be the one that its issuer wrote', async () => {
		const code = await compactOf(Uint8Array.from(map(...plain)));
		expect(await verdict(code)).toBe('ticket');
		for (const damaged of [`${code} `, `${code}0`, `${code}000`, code.slice(0, -1), code.slice(0, -3), `${code}\r`]) {
			expect(await verdict(damaged)).toBe('unreadable');
		}
		for (const damaged of [code.toLowerCase(), ` ${code}`, code.slice(1)]) {
			expect(await verdict(damaged)).toBe('not_a_ticket');
		}
	});

	test('has a kid of 8 characters', async () => {
		const kid = [...Buffer.from(golden.kid)];
		expect(await verdict(`SW1:${encodeBase45(bytesOf([8, ...kid]))}`)).toBe('bad_signature');
		expect(await verdict(`SW1:${encodeBase45(bytesOf([8, ...kid.slice(0, 7), 0x2e]))}`)).toBe('unreadable');
		expect(await verdict(`SW1:${encodeBase45(bytesOf([7, ...kid.slice(0, 7)]))}`)).toBe('unreadable');
		expect(await verdict(`SW1:${encodeBase45(bytesOf([9, ...kid, 65]))}`)).toBe('unreadable');
	});

	test('has at most 512 characters', async () => {
		expect(await verdict(`SW1:${'0'.repeat(507)}`)).toBe('unreadable');
		expect(await verdict(`SW1:${'0'.repeat(1_000_000)}`)).toBe('unreadable');
		const zon = Array.from({ length: 16 }, (_, at) => `${'z'.repeat(30)}${at + 10}`);
		await expect(issueTicket({ ...typical, zon }, await issuerOf(ed25519Jwk), 'compact')).rejects.toMatchObject({
			code: 'ticket_invalid',
		});
		expect(await verdict(await issueTicket({ ...typical, zon }, await issuerOf(ed25519Jwk), 'jws'))).toBe('ticket');
	});

	test('is empty, the prefix alone, or too short for a signature', async () => {
		for (const code of ['SW1:', 'SW1:0', 'SW1:00', `SW1:${encodeBase45(new Uint8Array(73).fill(8))}`]) {
			expect(await verdict(code)).toBe('unreadable');
		}
	});
});
