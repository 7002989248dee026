import { describe, expect, test } from 'vitest';
import { kidOf, onlyPublic } from './jwk.ts';
import { checkManifest, type KeyManifest, manifestText, openManifest, signManifest } from './key-manifest.ts';
import { advanceKeyset, createKeyset } from './keyset.ts';
import { ed25519Jwk, entryFor, issuerOf, jwsOf, manifestWith, p256Jwk, rootJwk, typical } from './test-issuer.suite.ts';
import { verify } from './verify.ts';

const rootPublic = onlyPublic(rootJwk);
const [a, b] = [await entryFor(ed25519Jwk, { to: 99 }), await entryFor(p256Jwk, { from: 100 })];
const manifest = manifestWith([a, b]);

async function problemOf(value: unknown): Promise<string> {
	return checkManifest(value).then(
		() => 'none',
		(error) => `${error.code}: ${error.message}`,
	);
}

describe('a kid', () => {
	test('is the start of the thumbprint that RFC 8037 gives for its key', async () => {
		expect(await kidOf(ed25519Jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'.slice(0, 8));
		expect(await kidOf(onlyPublic(ed25519Jwk))).toBe(await kidOf({ ...ed25519Jwk, alg: 'EdDSA', use: 'sig' }));
	});
});

describe('a signed manifest', () => {
	test('opens with the root key that signed it', async () => {
		const jws = await signManifest(manifest, rootJwk);
		expect(await openManifest(`${jws}\n`, rootPublic)).toEqual(manifest);
		expect(await openManifest(jws, { ...rootPublic, alg: 'EdDSA' })).toEqual(manifest);
	});

	test('is refused under another root, changed, torn or oversized', async () => {
		const jws = await signManifest(manifest, rootJwk);
		const [head, body, tail] = jws.split('.');
		const higher = Buffer.from(manifestText({ ...manifest, version: 9 })).toString('base64url');
		const flipped = `${head}.${body}.${tail?.startsWith('A') ? 'B' : 'A'}${tail?.slice(1)}`;
		const oversized = jwsOf({ alg: 'Ed25519', kid: await kidOf(rootJwk) }, 'x'.repeat(600_000), rootJwk);
		for (const text of [`${head}.${higher}.${tail}`, flipped, jws.slice(0, -4), '', '{}', oversized]) {
			await expect(openManifest(text, rootPublic)).rejects.toMatchObject({ code: 'manifest_invalid' });
		}
		const other = onlyPublic(ed25519Jwk);
		await expect(openManifest(jws, other)).rejects.toMatchObject({ code: 'manifest_invalid' });
	});

	test('is no ticket, and nothing else that the root signs is a manifest', async () => {
		const everything = { ...manifest, ...typical };
		const keyset = await createKeyset(manifestWith([await entryFor(rootJwk)]));
		const asTicket = await verify(await signManifest(manifest, rootJwk), keyset);
		expect(asTicket).toEqual({ kind: 'refused', refusal: { reason: 'unreadable' } });
		const header = { alg: 'Ed25519', kid: await kidOf(rootJwk) };
		for (const typ of [undefined, 'JWT', 'statuslist+jwt', 'stileward-clock-reset']) {
			const jws = jwsOf({ ...header, typ }, JSON.stringify(manifest), rootJwk);
			await expect(openManifest(jws, rootPublic)).rejects.toMatchObject({ code: 'manifest_invalid' });
		}
		const typed = { ...header, typ: 'stileward-key-manifest' };
		expect(await openManifest(jwsOf(typed, JSON.stringify(manifest), rootJwk), rootPublic)).toEqual(manifest);
		const closed = jwsOf(typed, JSON.stringify(everything), rootJwk);
		await expect(openManifest(closed, rootPublic)).rejects.toMatchObject({ code: 'manifest_invalid' });
	});

	test('never carries a private part, and no error tells one', async () => {
		const leaking = manifestWith([{ ...a, jwk: ed25519Jwk as never }]);
		const problem = await signManifest(leaking, rootJwk).catch((error) => `${error.code} ${error.message}`);
		expect(problem).toMatch(/^manifest_invalid/);
		expect(problem).not.toContain(ed25519Jwk.d);
		for (const root of [rootPublic, { ...rootJwk, d: 'secret' }]) {
			const error = await signManifest(manifest, root).catch((caught: unknown) => caught);
			expect(error).toMatchObject({ code: 'keys_invalid' });
			expect(error).not.toHaveProperty('cause');
			expect(String(error)).not.toContain('secret');
		}
	});
});

describe('the rules of a manifest', () => {
	const twice = { ...manifestWith([a, b]), keys: [a, { ...a, from: 200, to: 300 }] };
	const cases: [string, unknown, RegExp][] = [
		['two ranges side by side', manifest, /^none$/],
		['ranges that share one idx', manifestWith([a, { ...b, from: 99 }]), /overlap/],
		['one range inside another', manifestWith([a, { ...b, from: 10, to: 20 }]), /overlap/],
		[
			'the same range for two events',
			manifestWith([
				{ ...a, evt: 'x' },
				{ ...b, from: 0, evt: 'y' },
			]),
			/^none$/,
		],
		[
			'the same range for one event',
			manifestWith([
				{ ...a, evt: 'x' },
				{ ...b, from: 0, evt: 'x' },
			]),
			/overlap/,
		],
		['any event over one event', manifestWith([a, { ...b, from: 0, evt: 'y' }]), /overlap/],
		['the range of a revoked key', manifestWith([a, { ...b, from: 0 }], { revoked: [a.kid] }), /^none$/],
		['a revoked key that is not listed', manifestWith([a], { revoked: [b.kid] }), /^none$/],
		['a kid listed twice', twice, /listed twice/],
		['a kid of another key', manifestWith([{ ...a, kid: b.kid }]), /kid/],
		['an alg of another key', manifestWith([{ ...a, alg: 'ES256' }]), /alg/],
		['an empty range', manifestWith([{ ...a, from: 100, to: 99 }]), /from/],
		['an end before the start', manifestWith([{ ...a, nbf: 10, exp: 10 }]), /exp/],
		['an idx too large', manifestWith([{ ...a, to: 2 ** 31 }]), /keys\/0\/to/],
		['no keys', manifestWith([]), /keys/],
		['version 0', { ...manifest, version: 0 }, /version/],
		['an unknown member', { ...manifest, note: 'x' }, /manifest_invalid/],
		['no object', 'manifest', /manifest_invalid/],
	];

	test.each(cases)('%s', async (_, value, outcome) => {
		expect(await problemOf(value)).toMatch(outcome);
	});
});

describe('a keyset', () => {
	const at = (version: number, rest: Partial<KeyManifest> = {}) => ({ ...manifest, version, ...rest });

	test('moves to a newer manifest and never back', async () => {
		const first = await advanceKeyset(undefined, at(3));
		const second = await advanceKeyset(first, at(5, { revoked: [a.kid] }));
		expect([...second.keys.keys()]).toEqual([b.kid]);
		await expect(advanceKeyset(second, at(4))).rejects.toMatchObject({ code: 'manifest_rollback' });
		expect(second.version).toBe(5);
	});

	test('stays the same for the same manifest, however its members are ordered', async () => {
		const current = await createKeyset(at(3));
		const { version, ...rest } = at(3);
		expect(await advanceKeyset(current, { ...rest, version })).toBe(current);
		await expect(advanceKeyset(current, at(3, { revoked: [b.kid] }))).rejects.toMatchObject({
			code: 'manifest_rollback',
		});
	});

	test('is not made of a key that is no point of its curve', async () => {
		const x = `${'_'.repeat(42)}8`;
		const jwk = { kty: 'EC', crv: 'P-256', x, y: x } as const;
		const broken = manifestWith([{ ...b, jwk, kid: await kidOf(jwk) }]);
		await expect(createKeyset(broken)).rejects.toMatchObject({ code: 'keys_invalid' });
	});

	test('imports each key once', async () => {
		const { keys } = await createKeyset(manifest);
		const { kid } = await issuerOf(ed25519Jwk);
		expect(keys.get(kid)?.verifyKey).toMatchObject({ type: 'public' });
	});
});
