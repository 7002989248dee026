import { readFileSync } from 'node:fs';
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
	createStatusList,
	deflateStatusList,
	inflateStatusList,
	openStatusList,
	type StatusBits,
	signStatusList,
	statusListBytesMax,
	statusOf,
	withStatus,
	type Zlib,
} from './status-list.ts';
import { ed25519Jwk, issuerOf, jwsOf, keysetOf, p256Jwk, rootJwk } from './test-issuer.suite.ts';
import { verify } from './verify.ts';

interface Vectors {
	readonly vectors: readonly {
		readonly name: string;
		readonly size?: number;
		readonly statusList: { readonly bits: StatusBits; readonly lst: string };
		readonly nonZero?: Readonly<Record<string, number>>;
		readonly rawHex?: string;
	}[];
}

const { vectors }: Vectors = JSON.parse(
	readFileSync(new URL('vectors/token-status-list.json', import.meta.url), 'utf8'),
);

const zlib: Zlib = {
	deflate: (bytes) => deflateSync(bytes, { level: 9 }),
	inflate: (bytes, bytesMax) => inflateSync(bytes, { maxOutputLength: bytesMax }),
};

describe('the examples of the Token Status List draft', () => {
	test.each(vectors)('$name: read as printed', async ({ statusList, nonZero, rawHex, size }) => {
		const list = await inflateStatusList(statusList, zlib);
		if (rawHex !== undefined) expect(Buffer.from(list.bytes).toString('hex')).toBe(rawHex);
		if (size === undefined || nonZero === undefined) return;
		const found: Record<string, number> = {};
		for (let idx = 0; idx < size; idx++) {
			const status = statusOf(list, idx);
			if (status !== 0) found[idx] = status ?? -1;
		}
		expect(found).toEqual(nonZero);
		expect(statusOf(list, size)).toBeUndefined();
	});

	test.each(vectors.filter(({ nonZero }) => nonZero))('$name: written as printed', async (vector) => {
		const { statusList, nonZero = {}, size = 0 } = vector;
		let list = createStatusList(statusList.bits, size);
		for (const [idx, status] of Object.entries(nonZero)) list = withStatus(list, Number(idx), status);
		expect(Buffer.from(list.bytes)).toEqual(Buffer.from((await inflateStatusList(statusList, zlib)).bytes));
	});
});

describe('a status list', () => {
	test('gives back what was written, grows, and knows nothing beyond its end', () => {
		const writes = fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { minLength: 1 });
		fc.assert(
			fc.property(fc.constantFrom<StatusBits>(1, 2, 4, 8), writes, (bits, entries) => {
				let list = createStatusList(bits, 0);
				const expected = new Map<number, number>();
				for (const [idx, value] of entries) {
					const status = value % 2 ** bits;
					list = withStatus(list, idx, status);
					expected.set(idx, status);
				}
				for (const [idx, status] of expected) expect(statusOf(list, idx)).toBe(status);
				const last = Math.max(...expected.keys());
				for (let idx = 0; idx <= last; idx++) if (!expected.has(idx)) expect(statusOf(list, idx)).toBe(0);
				expect(statusOf(list, last + 8)).toBeUndefined();
			}),
		);
	});

	test('refuses a status or an idx that it cannot hold', () => {
		const list = createStatusList(1, 8);
		for (const [idx, status] of [
			[0, 2],
			[0, -1],
			[0, 0.5],
			[-1, 1],
			[0.5, 1],
			[2 ** 31, 1],
		] as const) {
			expect(() => withStatus(list, idx, status)).toThrow(expect.objectContaining({ code: 'status_list_invalid' }));
		}
		expect(() => withStatus(list, 2 ** 31 - 1, 1)).toThrow(/at most/);
	});

	test('is refused damaged, or too large once inflated', async () => {
		const lst = await deflateStatusList(createStatusList(1, 1000), zlib);
		const bomb = deflateSync(Buffer.alloc(statusListBytesMax + 1)).toString('base64url');
		const wrong = [
			{ bits: 3, lst },
			{ bits: 1, lst: `${lst}=` },
			{ bits: 1, lst: 7 },
			{ bits: 1, lst: 'AAAA' },
		];
		for (const members of [...wrong, { bits: 1, lst: bomb }]) {
			await expect(inflateStatusList(members, zlib)).rejects.toMatchObject({ code: 'status_list_invalid' });
		}
	});
});

describe('a status list token', () => {
	const list = withStatus(createStatusList(1, 1_000_000), 4711, 1);
	const token = { sub: 'https://tickets.example/status/lantern-2026', iat: 1_790_000_000, ttl: 300, list };

	test.each([
		['Ed25519', ed25519Jwk],
		['P-256', p256Jwk],
	])('opens with the key that signed it: %s', async (_, jwk) => {
		const jws = await signStatusList(token, await issuerOf(jwk), zlib);
		const opened = await openStatusList(`${jws}\n`, jwk, zlib);
		expect(opened).toMatchObject({ sub: token.sub, iat: token.iat, ttl: 300 });
		expect(opened).not.toHaveProperty('exp');
		expect(statusOf(opened.list, 4711)).toBe(1);
		expect(statusOf(opened.list, 4712)).toBe(0);
	});

	test('is refused under another key, changed, or without its type or members', async () => {
		const issuer = await issuerOf(ed25519Jwk);
		const jws = await signStatusList(token, issuer, zlib);
		const header = { alg: 'Ed25519', kid: issuer.kid, typ: 'statuslist+jwt' };
		const status_list = { bits: 1, lst: await deflateStatusList(list, zlib) };
		const members = { sub: 'x', iat: 1, status_list };
		const signed = (head: object, claims: object) => jwsOf(head, JSON.stringify(claims));
		await expect(openStatusList(jws, rootJwk, zlib)).rejects.toMatchObject({ code: 'status_list_invalid' });
		expect(await openStatusList(signed(header, members), ed25519Jwk, zlib)).toMatchObject({ sub: 'x', iat: 1 });
		const wrong = [
			signed({ ...header, typ: 'JWT' }, members),
			signed(header, { ...members, iat: undefined }),
			signed(header, { ...members, sub: 1 }),
			signed(header, { ...members, ttl: -1 }),
			signed(header, { ...members, exp: '1' }),
			signed(header, { ...members, status_list: undefined }),
			signed(header, { ...members, status_list: { bits: 1 } }),
			jws.replace('.', '.A'),
			'',
		];
		for (const text of wrong) {
			await expect(openStatusList(text, ed25519Jwk, zlib)).rejects.toMatchObject({ code: 'status_list_invalid' });
		}
	});

	test('is no ticket', async () => {
		const jws = await signStatusList(token, await issuerOf(ed25519Jwk), zlib);
		const verified = await verify(jws, await keysetOf(ed25519Jwk));
		expect(verified).toEqual({ kind: 'refused', refusal: { reason: 'unreadable' } });
	});
});
