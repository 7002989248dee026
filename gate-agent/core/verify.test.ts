import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { type CryptoKey, compactVerify, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { decodeBase45, encodeBase45 } from './base45.ts';
import { issuedFormats, issueTicket } from './issue.ts';
import { algOf, importPublicKey, kidOf } from './jwk.ts';
import { createKeyset } from './keyset.ts';
import { ed25519Jwk, entryFor, issuerOf, keysetOf, manifestWith, p256Jwk, typical } from './test-issuer.suite.ts';
import type { TicketClaims } from './ticket-claims.ts';
import { verify } from './verify.ts';

interface Wycheproof {
	readonly testGroups: readonly {
		readonly publicKeyJwk?: JWK;
		/** The point of a P-256 group, whose key is not always given as a JWK. */
		readonly publicKey: { readonly uncompressed?: string };
		readonly tests: readonly {
			readonly tcId: number;
			readonly comment: string;
			readonly msg: string;
			readonly sig: string;
			readonly result: 'valid' | 'invalid';
		}[];
	}[];
}

function vectors<T>(file: string): T {
	return JSON.parse(readFileSync(new URL(`vectors/${file}`, import.meta.url), 'utf8'));
}

const wycheproof = [
	['Ed25519', 'ed25519_test.json', { name: 'Ed25519' }],
	['P-256', 'ecdsa_secp256r1_sha256_p1363_test.json', { name: 'ECDSA', hash: 'SHA-256' }],
] as const;

describe.each(wycheproof)('Wycheproof vectors for %s', (_, file, algorithm) => {
	const { testGroups } = vectors<Wycheproof>(file);

	// A JWS always signs `header.payload`, so jose cannot be given the vectors' messages.
	test('hold for Web Crypto under the key that verify imports (the primitive below jose)', async () => {
		let checked = 0;
		for (const group of testGroups) {
			const verifyKey = await keyOf(jwkOf(group));
			for (const { tcId, msg, sig, result } of group.tests) {
				const [signature, message] = [Buffer.from(sig, 'hex'), Buffer.from(msg, 'hex')];
				const valid = await crypto.subtle.verify(algorithm, verifyKey as never, signature, message);
				expect(`${tcId} ${valid ? 'valid' : 'invalid'}`).toBe(`${tcId} ${result}`);
				checked++;
			}
		}
		expect(checked).toBeGreaterThan(100);
	});

	test('give no signature that verify takes for a ticket, and none that makes it throw', async () => {
		for (const group of testGroups) {
			const jwk = jwkOf(group);
			const alg = algOf(jwk);
			const keyset = await keysetOf(jwk);
			const head = Buffer.from(JSON.stringify({ alg, kid: await kidOf(jwk) })).toString('base64url');
			const body = Buffer.from(JSON.stringify(typical)).toString('base64url');
			for (const { sig } of group.tests) {
				const signature = Buffer.from(sig, 'hex');
				const verified = await verify(`${head}.${body}.${signature.toString('base64url')}`, keyset);
				const reason = signature.length === 64 ? 'bad_signature' : 'unreadable';
				expect(verified).toMatchObject({ kind: 'refused', refusal: { reason } });
			}
		}
	});
});

function jwkOf({ publicKeyJwk, publicKey: { uncompressed = '' } }: Wycheproof['testGroups'][number]): JWK {
	const coordinate = (from: number) => Buffer.from(uncompressed.slice(from, from + 64), 'hex').toString('base64url');
	return publicKeyJwk ?? { kty: 'EC', crv: 'P-256', x: coordinate(2), y: coordinate(66) };
}

async function keyOf(jwk: JWK): Promise<CryptoKey> {
	const key = (await keysetOf(jwk)).keys.get(await kidOf(jwk));
	if (!key) throw new Error('the keyset has the key');
	return key.verifyKey;
}

describe('the faults of signatures that Wycheproof looks for', () => {
	const ed25519Order = 2n ** 252n + 27742317777372353535851937790883648493n;
	const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
	const little = (bytes: Buffer) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
	const big = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
	const bytesOf = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
	const zero = Buffer.alloc(32);

	const faults: [string, JWK, (r: Buffer, s: Buffer) => [Buffer, Buffer]][] = [
		['s plus the order of Ed25519', ed25519Jwk, (r, s) => [r, bytesOf(little(s) + ed25519Order).reverse()]],
		['s of zero', ed25519Jwk, (r) => [r, zero]],
		['R of zero', ed25519Jwk, (_, s) => [zero, s]],
		['R and s exchanged', ed25519Jwk, (r, s) => [s, r]],
		['the identity as R and s of zero', ed25519Jwk, () => [Buffer.from([1, ...new Uint8Array(31)]), zero]],
		['the sign of R turned', ed25519Jwk, (r, s) => [Buffer.from([...r.subarray(0, 31), (r[31] ?? 0) ^ 0x80]), s]],
		['r and s of zero', p256Jwk, () => [zero, zero]],
		['r of the order', p256Jwk, (_, s) => [bytesOf(p256Order), s]],
		['s of the order', p256Jwk, (r) => [r, bytesOf(p256Order)]],
		['s negated without the order', p256Jwk, (r, s) => [r, bytesOf(2n ** 256n - big(s))]],
		['all bits set', p256Jwk, () => [Buffer.alloc(32, 0xff), Buffer.alloc(32, 0xff)]],
	];

	test.each(faults)('are refused by verify on a real ticket: %s', async (_, jwk, fault) => {
		const keyset = await keysetOf(jwk);
		const code = await issueTicket(typical, await issuerOf(jwk), 'jws');
		expect(await verify(code, keyset)).toMatchObject({ kind: 'ticket' });
		const at = code.lastIndexOf('.') + 1;
		const signature = Buffer.from(code.slice(at), 'base64url');
		const faulty = Buffer.concat(fault(signature.subarray(0, 32), signature.subarray(32)));
		const verified = await verify(code.slice(0, at) + faulty.toString('base64url'), keyset);
		expect(verified).toMatchObject({ kind: 'refused', refusal: { reason: 'bad_signature' } });
	});
});

test('the JWS of RFC 8037 verifies through jose with the key as it is imported here', async () => {
	const { input, output } = vectors<{ input: { key: JWK; payload: string }; output: { compact: string } }>(
		'curve25519-jws.json',
	);
	const { payload } = await compactVerify(output.compact, await importPublicKey(input.key), { algorithms: ['EdDSA'] });
	expect(new TextDecoder().decode(payload)).toBe(input.payload);
});

describe('verify', () => {
	test.each(issuedFormats)('proves what an issuer signed: %s', async (format) => {
		const keyset = await keysetOf(ed25519Jwk);
		const issuer = await issuerOf(ed25519Jwk);
		const name = fc.stringMatching(/^[a-z0-9_-]{1,32}$/);
		const claims = fc.record(
			{
				evt: fc.stringMatching(/^[a-z0-9-]{1,32}$/),
				idx: fc.nat(2 ** 31 - 1),
				cls: name,
				nbf: fc.nat(2 ** 31 - 1),
				exp: fc.integer({ min: 2 ** 31, max: 253_402_300_799 }),
				ses: name,
				zon: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
				use: fc.integer({ min: 2, max: 10_000 }),
				home: name,
				seat: fc.stringMatching(/^[A-Za-z0-9 东看台排座é]{1,40}$/),
			},
			{ requiredKeys: ['evt', 'idx', 'cls', 'nbf', 'exp'] },
		);
		await fc.assert(
			fc.asyncProperty(claims, async (record) => {
				// fast-check types optional members as possibly undefined; it leaves them out.
				const verified = await verify(await issueTicket(record as TicketClaims, issuer, format), keyset);
				const expected = { ...record, ...(record.zon && { zon: [...record.zon].sort() }) };
				expect(verified).toMatchObject({ kind: 'ticket', ticket: expected, kid: issuer.kid, format });
			}),
		);
	});

	test('calls a ticket forged when any of it was changed', async () => {
		const keyset = await keysetOf(ed25519Jwk);
		const code = await issueTicket(typical, await issuerOf(ed25519Jwk), 'compact');
		const bytes = decodeBase45(code.slice(4)) ?? new Uint8Array();
		const verdicts = new Set<string>();
		for (let at = 0; at < bytes.length; at++) {
			const changed = bytes.slice();
			changed[at] = (changed[at] ?? 0) ^ 1;
			const verified = await verify(`SW1:${encodeBase45(changed)}`, keyset);
			verdicts.add(verified.kind === 'ticket' ? `ticket at ${at}` : verified.refusal.reason);
		}
		expect([...verdicts].sort()).toEqual(['bad_signature', 'unknown_key', 'unreadable']);
	});

	test('says which ticket a forgery claims to be', async () => {
		const keyset = await keysetOf(p256Jwk, { kid: await kidOf(p256Jwk) });
		const code = await issueTicket(typical, await issuerOf(ed25519Jwk), 'compact');
		const refused = { kind: 'refused', refusal: { reason: 'unknown_key' }, ticketId: 'lantern-2026/999999' };
		expect(await verify(code, keyset)).toEqual(refused);
	});

	test.each<[string, Parameters<typeof entryFor>[1], Partial<TicketClaims>, string]>([
		['in its range', { from: 100, to: 200 }, { idx: 150 }, 'ticket'],
		['first of its range', { from: 100, to: 200 }, { idx: 100 }, 'ticket'],
		['last of its range', { from: 100, to: 200 }, { idx: 200 }, 'ticket'],
		['before its range', { from: 100, to: 200 }, { idx: 99 }, 'unknown_key'],
		['after its range', { from: 100, to: 200 }, { idx: 201 }, 'unknown_key'],
		['of its event', { evt: 'lantern-2026' }, {}, 'ticket'],
		['of another event', { evt: 'lantern-2026' }, { evt: 'lantern-2027' }, 'unknown_key'],
		['within its validity', { nbf: 1_790_000_000, exp: 1_790_086_400 }, {}, 'ticket'],
		['that begins before it', { nbf: 1_790_000_001 }, {}, 'unknown_key'],
		['that ends after it', { exp: 1_790_086_399 }, {}, 'unknown_key'],
	])('lets a key prove a ticket %s', async (_, entry, claims, outcome) => {
		const code = await issueTicket({ ...typical, ...claims }, await issuerOf(ed25519Jwk), 'compact');
		const verified = await verify(code, await keysetOf(ed25519Jwk, entry));
		expect(verified.kind === 'ticket' ? 'ticket' : verified.refusal.reason).toBe(outcome);
	});

	test('lets a key that ends prove no ticket without an end', async () => {
		const session = { evt: 'lantern-2026', idx: 1, cls: 'adult', ses: 'evening' };
		const code = await issueTicket(session, await issuerOf(ed25519Jwk), 'compact');
		expect((await verify(code, await keysetOf(ed25519Jwk))).kind).toBe('ticket');
		const refused = { kind: 'refused', refusal: { reason: 'unknown_key' } };
		expect(await verify(code, await keysetOf(ed25519Jwk, { exp: 1_890_000_000 }))).toMatchObject(refused);
	});

	test('knows no revoked key', async () => {
		const entry = await entryFor(ed25519Jwk);
		const keyset = await createKeyset(manifestWith([entry], { revoked: [entry.kid] }));
		const code = await issueTicket(typical, await issuerOf(ed25519Jwk), 'compact');
		expect(await verify(code, keyset)).toMatchObject({ refusal: { reason: 'unknown_key' } });
	});

	test.each([
		['134567890123456789', 'payment_code'],
		['https://example.com', 'url'],
		['4711', 'digits'],
		['', 'other'],
	])('calls %j no ticket: %s', async (text, code) => {
		const verified = await verify(text, await keysetOf(ed25519Jwk));
		expect(verified).toEqual({ kind: 'refused', refusal: { reason: 'not_a_ticket', code } });
	});
});
