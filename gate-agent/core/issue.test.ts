import { describe, expect, test } from 'vitest';
import { type IssuedFormat, type IssuerKey, issueTicket } from './issue.ts';
import { ed25519Jwk, issuerOf, keysetOf, p256Jwk, typical } from './test-issuer.suite.ts';
import { verify } from './verify.ts';

const issuer = await issuerOf(ed25519Jwk);

describe('issuing a ticket', () => {
	test.each<[string, object, string]>([
		['evt', { evt: 'Lantern' }, 'evt'],
		['idx', { idx: 2 ** 31 }, 'idx'],
		['a fraction of an idx', { idx: 0.5 }, 'idx'],
		['cls', { cls: '' }, 'cls'],
		['nbf in milliseconds', { nbf: 1_790_000_000_000 }, 'nbf'],
		['exp', { exp: Number.NaN }, 'exp'],
		['exp before nbf', { exp: 1 }, 'exp'],
		['no nbf', { nbf: undefined }, 'nbf'],
		['ses', { ses: 'Abend' }, 'ses'],
		['zon', { zon: [] }, 'zon'],
		['zon with one twice', { zon: ['a', 'a'] }, 'zon'],
		['use', { use: 0 }, 'use'],
		['home', { home: 'x'.repeat(33) }, 'home'],
		['seat', { seat: 'A\n1' }, 'seat'],
		['an unknown claim', { zone: 'a' }, 'zone'],
		['a holder in the compact form', { cnf: { jwk: {} } }, 'cnf'],
	])('names the claim that is wrong: %s', async (_, wrong, claim) => {
		const claims = { ...typical, ...wrong } as typeof typical;
		await expect(issueTicket(claims, issuer, 'compact')).rejects.toMatchObject({
			code: 'ticket_invalid',
			message: expect.stringContaining(`\`${claim}\``),
		});
	});

	test('writes equal tickets alike, however their claims are ordered', async () => {
		const ordered = { ...typical, zon: ['a', 'b'], seat: 'A 1' };
		const other = { seat: 'A 1', zon: ['b', 'a'], use: 1, ...typical };
		expect(await issueTicket(other, issuer, 'compact')).toBe(await issueTicket(ordered, issuer, 'compact'));
	});

	test('binds a JSON ticket to its holder', async () => {
		const code = await issueTicket({ ...typical, cnf: { kid: 'holder' } }, issuer, 'jws');
		expect(await verify(code, await keysetOf(ed25519Jwk))).toMatchObject({ ticket: { holderBound: true } });
	});

	test('says that a ticket is too long to be read', async () => {
		const seat = '座'.repeat(64);
		const zon = ['a', 'b', 'c', 'd', 'e'].map((zone) => zone.repeat(32));
		await expect(issueTicket({ ...typical, seat, zon }, issuer, 'compact')).rejects.toMatchObject({
			code: 'ticket_invalid',
			message: expect.stringContaining('at most 512'),
		});
	});

	test('needs the private key of its kid, and Ed25519 for the compact form', async () => {
		const p256 = await issuerOf(p256Jwk);
		const { d: _, ...half } = ed25519Jwk;
		const wrong: [IssuerKey, IssuedFormat][] = [
			[p256, 'compact'],
			[{ ...issuer, kid: p256.kid }, 'jws'],
			[{ ...issuer, privateKey: half }, 'jws'],
			[{ ...issuer, privateKey: { kty: 'oct', k: 'AAAA' } }, 'jws'],
			[{ ...issuer, privateKey: { ...ed25519Jwk, d: 'c2VjcmV0' } }, 'jws'],
		];
		for (const [key, format] of wrong) {
			const error = await issueTicket(typical, key, format).catch((caught: unknown) => caught);
			expect(error).toMatchObject({ code: 'keys_invalid' });
			expect(String(error)).not.toContain('c2VjcmV0');
		}
	});
});
