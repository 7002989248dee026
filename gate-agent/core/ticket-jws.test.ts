import { createHmac } from 'node:crypto';
import { base64url, CompactSign, importJWK } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { issueTicket } from './issue.ts';
import { createKeyset, type Keyset } from './keyset.ts';
import {
	ed25519Jwk,
	entryFor,
	issuerOf,
	jwsOf,
	jwsOfParts,
	manifestWith,
	p256Jwk,
	typical,
} from './test-issuer.suite.ts';
import { verify } from './verify.ts';

let keyset: Keyset;
let kid: string;
let p256Kid: string;

beforeAll(async () => {
	const half = 1_000_000;
	const ed25519 = await entryFor(ed25519Jwk, { to: half });
	const p256 = await entryFor(p256Jwk, { from: half + 1 });
	keyset = await createKeyset(manifestWith([ed25519, p256]));
	kid = ed25519.kid;
	p256Kid = p256.kid;
});

async function verdict(code: string): Promise<string> {
	const verified = await verify(code, keyset);
	return verified.kind === 'ticket' ? 'ticket' : verified.refusal.reason;
}

const claims = JSON.stringify(typical);
const header = () => ({ alg: 'Ed25519', kid });

describe('a JSON ticket', () => {
	test('of any JOSE library is accepted, under either name of the algorithm', async () => {
		for (const alg of ['Ed25519', 'EdDSA']) {
			const code = await new CompactSign(new TextEncoder().encode(claims))
				.setProtectedHeader({ typ: 'JWT', kid, alg })
				.sign(await importJWK(ed25519Jwk, alg));
			expect(await verdict(code)).toBe('ticket');
		}
	});

	test('signed with P-256 is accepted, and its mirrored signature names the same ticket', async () => {
		const ticket = { ...typical, idx: 2_000_000 };
		const code = await issueTicket(ticket, await issuerOf(p256Jwk), 'jws');
		expect(await verify(code, keyset)).toMatchObject({ kind: 'ticket', kid: p256Kid, ticket });
		const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
		const [head, body, tail = ''] = code.split('.');
		const signature = Buffer.from(tail, 'base64url');
		const s = order - BigInt(`0x${signature.subarray(32).toString('hex')}`);
		const mirrored = Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
		const other = await verify(`${head}.${body}.${mirrored.toString('base64url')}`, keyset);
		expect(other).toMatchObject({ kind: 'ticket', ticket: { id: 'lantern-2026/2000000' } });
	});

	const accepted: [string, string][] = [
		['as it is', claims],
		['with whitespace', JSON.stringify(typical, undefined, 2)],
		['in another order', JSON.stringify(Object.fromEntries(Object.entries(typical).reverse()))],
		['with an escape', claims.replace('"evt"', '"\\u0065vt"')],
		['with further claims', JSON.stringify({ ...typical, iss: 'https://a.example', iat: 1, jti: 'x', aud: ['y'] })],
		['with a use of 1', JSON.stringify({ ...typical, use: 1 })],
		['with zones in any order', JSON.stringify({ ...typical, zon: ['b', 'a'] })],
		['with a seat in Chinese', JSON.stringify({ ...typical, seat: '东看台' })],
		['with a name of every object', claims.replace('{', '{"__proto__":{"use":2},"constructor":1,')],
	];

	test.each(accepted)('is accepted %s', async (_, payload) => {
		expect(await verdict(jwsOf(header(), payload))).toBe('ticket');
	});

	test('that is bound to a holder says so', async () => {
		const cnf = { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' } };
		const verified = await verify(jwsOf(header(), JSON.stringify({ ...typical, cnf })), keyset);
		expect(verified).toMatchObject({ kind: 'ticket', ticket: { holderBound: true } });
	});

	const refused: [string, string | Uint8Array][] = [
		['a name twice', claims.replace('{', '{"idx":1,')],
		['a name twice, once escaped', claims.replace('{', '{"\\u0069dx":1,')],
		['a fraction', claims.replace('999999', '999999.0')],
		['an exponent', claims.replace('999999', '1e3')],
		['a negative zero', claims.replace('999999', '-0')],
		['a number as a string', claims.replace('999999', '"999999"')],
		['an idx that is too large', claims.replace('999999', '2147483648')],
		['deep nesting', JSON.stringify({ ...typical, x: [[[[[[[[1]]]]]]]] })],
		['a lone surrogate', claims.replace('{', '{"seat":"\\ud800",')],
		['a byte order mark', `\ufeff${claims}`],
		['broken UTF-8', Uint8Array.from([...Buffer.from(claims.slice(0, -1)), 0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
		['an array', `[${claims}]`],
		['a tail', `${claims} 1`],
		['no event', JSON.stringify({ ...typical, evt: undefined })],
		['no end', JSON.stringify({ ...typical, exp: undefined })],
		['a null', JSON.stringify({ ...typical, ses: null })],
		['an empty confirmation', JSON.stringify({ ...typical, cnf: {} })],
		['no zones', JSON.stringify({ ...typical, zon: [] })],
		['a zone twice', JSON.stringify({ ...typical, zon: ['a', 'a'] })],
		['the payload of the compact form', Uint8Array.from([0xa1, 0x01, 0x61, 0x61])],
	];

	test.each(refused)('is unreadable with %s, though validly signed', async (_, payload) => {
		expect(await verdict(jwsOf(header(), payload))).toBe('unreadable');
	});

	test.each<[string, object | string]>([
		['crit and b64', { crit: ['b64'], b64: false }],
		['its own key', { jwk: ed25519Jwk }],
		['a key address', { jku: 'https://evil.example/jwks' }],
		['a certificate', { x5c: ['MIIB'] }],
		['a certificate address', { x5u: 'https://evil.example/' }],
		['a content type', { cty: 'JWT' }],
		['an unknown member', { x: 1 }],
		['the type of a key manifest', { typ: 'stileward-key-manifest' }],
		['the type of a status list', { typ: 'statuslist+jwt' }],
		['no signature', { alg: 'none' }],
		['a shared secret', { alg: 'HS256' }],
		['another curve', { alg: 'Ed448' }],
		['an algorithm in other capitals', { alg: 'eddsa' }],
		['no algorithm', { alg: undefined }],
		['no kid', { kid: undefined }],
		['a number as kid', { kid: 4711 }],
		['a long kid', { kid: 'k'.repeat(65) }],
	])('is unreadable with %s in its header', async (_, member) => {
		expect(await verdict(jwsOf({ ...header(), ...(member as object) }, claims))).toBe('unreadable');
	});

	test('is unreadable with a header member twice, and readable with a header in any order', async () => {
		expect(await verdict(jwsOf(`{"alg":"none","alg":"Ed25519","kid":"${kid}"}`, claims))).toBe('unreadable');
		expect(await verdict(jwsOf(`{ "kid" : "${kid}" , "typ" : "jwt", "alg" : "EdDSA" }`, claims))).toBe('ticket');
		expect(await verdict(jwsOf(`{\n"kid":"${kid}","alg":"EdDSA"}`, claims))).toBe('ticket');
	});

	test('is a forgery where the algorithm is not of its key', async () => {
		expect(await verdict(jwsOf({ ...header(), alg: 'ES256' }, claims))).toBe('bad_signature');
		const confused = JSON.stringify({ ...typical, idx: 2_000_000 });
		expect(await verdict(jwsOf({ alg: 'Ed25519', kid: p256Kid }, confused, ed25519Jwk))).toBe('bad_signature');
		const input = `${base64url.encode(JSON.stringify(header()))}.${base64url.encode(claims)}`;
		const mac = createHmac('sha512', String(ed25519Jwk.x)).update(input).digest('base64url');
		expect(await verdict(`${input}.${mac}`)).toBe('bad_signature');
	});

	test('has one writing in base64url, though the others are validly signed', async () => {
		const head = base64url.encode(JSON.stringify(header()));
		// One byte more, so that the last character of the payload has unused bits.
		const body = [claims, `${claims} `, `${claims}  `]
			.map((text) => base64url.encode(text))
			.find((b) => b.length % 4 > 0);
		const [last = '', rest = ''] = [body?.at(-1), body?.slice(0, -1)];
		const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
		const stray = alphabet[alphabet.indexOf(last) + 1];
		expect(await verdict(jwsOfParts(head, `${rest}${last}`))).toBe('ticket');
		expect(await verdict(jwsOfParts(head, `${rest}${stray}`))).toBe('unreadable');
		expect(await verdict(jwsOfParts(head, `${rest}${last}=`))).toBe('unreadable');
		expect(await verdict(jwsOfParts(head, `${rest}\n${last}`))).toBe('unreadable');
		const code = jwsOfParts(head, base64url.encode(claims));
		const tail = alphabet[alphabet.indexOf(code.at(-1) ?? '') + 1];
		expect(await verdict(code)).toBe('ticket');
		expect(await verdict(code.slice(0, -1) + tail)).toBe('unreadable');
	});

	test('has three parts and at most 2,048 characters', async () => {
		const code = jwsOf(header(), claims);
		for (const damaged of [
			`${code}.`,
			`${code}.AA`,
			code.slice(0, code.lastIndexOf('.')),
			code.slice(0, 40),
			`${code} `,
		]) {
			expect(await verdict(damaged)).toBe('unreadable');
		}
		const padded = (spaces: number) => jwsOf(header(), claims + ' '.repeat(spaces));
		const spaces = [...Array(1500).keys()].findLast((count) => padded(count).length <= 2048) ?? 0;
		expect(await verdict(padded(spaces))).toBe('ticket');
		expect(await verdict(padded(spaces + 2))).toBe('unreadable');
	});
});
