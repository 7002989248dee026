import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { base64url } from 'jose';
import { describe, expect, test } from 'vitest';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { ed25519Jwk, jwsOf, p256Jwk } from '../../gate-agent/core/test-issuer.suite.ts';
import { type AssertionCheck, signDeviceAssertion, verifyDeviceAssertion } from './device-assertion.ts';
import { deviceIdOf } from './enroll.ts';

const nowMs = 1_790_000_000_000;
const device = await deviceIdOf(onlyPublic(ed25519Jwk));
const nonce = 'bm9uY2Utb2YtdGhlLXNlcnZlcg';
const jti = 'AAAAAAAAAAAAAAAAAAAAAA';
const request = { device, venue: 'lantern-park', server: 'centre', nonce, jti, nowMs };
const golden: { assertion: string } = JSON.parse(
	readFileSync(new URL('./vectors/protocol.json', import.meta.url), 'utf8'),
);

/** A server that knows one device and one nonce. */
function serverThat(changes: Partial<AssertionCheck> = {}): AssertionCheck {
	const used = new Set<string>();
	return {
		server: 'centre',
		nowMs,
		device: async (id) =>
			id === device ? { kind: 'enrolled', venue: 'lantern-park', key: onlyPublic(ed25519Jwk) } : { kind: 'unknown' },
		useUp: async (use) => {
			if (use.nonce !== nonce) return 'unknown';
			if (used.has(use.nonce) || used.has(use.jti)) return 'replayed';
			used.add(use.nonce).add(use.jti);
			return 'fresh';
		},
		...changes,
	};
}

const header = { alg: 'Ed25519', typ: 'stileward-device-assertion+jwt', kid: device };
const claims = {
	iss: device,
	sub: device,
	aud: 'centre',
	venue: 'lantern-park',
	nonce,
	jti,
	iat: 1_790_000_000,
	exp: 1_790_000_060,
};

describe('a device assertion', () => {
	test('is verified once, and a second time it is a replay', async () => {
		const server = serverThat();
		const jws = await signDeviceAssertion(request, ed25519Jwk);
		expect(await verifyDeviceAssertion(jws, server)).toEqual({ kind: 'verified', device, venue: 'lantern-park' });
		expect(await verifyDeviceAssertion(jws, server)).toEqual({ kind: 'refused', code: 'assertion_replayed' });
	});

	test('is the golden vector, byte for byte', async () => {
		expect(await signDeviceAssertion(request, ed25519Jwk)).toBe(golden.assertion);
	});

	test('may be signed with a P-256 key', async () => {
		const id = await deviceIdOf(onlyPublic(p256Jwk));
		const jws = await signDeviceAssertion({ ...request, device: id }, p256Jwk);
		const known = { kind: 'enrolled', venue: 'lantern-park', key: onlyPublic(p256Jwk) } as const;
		const server = serverThat({ device: async () => known });
		expect(await verifyDeviceAssertion(jws, server)).toMatchObject({ kind: 'verified', device: id });
	});

	test.each([
		['another server', { aud: 'hub' }, 'wrong_audience'],
		['several servers', { aud: ['centre'] }, 'assertion_invalid'],
		['another venue', { venue: 'other' }, 'wrong_venue'],
		['another device', { sub: 'x'.repeat(43) }, 'assertion_invalid'],
		['another issuer', { iss: 'x'.repeat(43) }, 'assertion_invalid'],
		['too long a time', { exp: claims.iat + 61 }, 'assertion_expired'],
		['no time', { exp: claims.iat }, 'assertion_expired'],
		['a past time', { iat: claims.iat - 60, exp: claims.iat }, 'assertion_expired'],
		['a time to come', { iat: claims.iat + 6, exp: claims.iat + 30 }, 'assertion_expired'],
		['a fraction of a time', { exp: claims.iat + 0.5 }, 'assertion_invalid'],
		['a nonce of its own', { nonce: 'A'.repeat(22) }, 'nonce_unknown'],
		['a short jti', { jti: 'A' }, 'assertion_invalid'],
		['a member more', { admin: true }, 'assertion_invalid'],
	])('for %s is refused by its own code', async (_, changes, code) => {
		const jws = jwsOf(header, JSON.stringify({ ...claims, ...changes }), ed25519Jwk);
		expect(await verifyDeviceAssertion(jws, serverThat())).toEqual({ kind: 'refused', code });
	});

	test.each([
		['no typ', { alg: 'Ed25519', kid: device }],
		['the typ of a token', { ...header, typ: 'JWT' }],
		['a segment’s typ', { ...header, typ: 'stileward-segment' }],
		['a key inside', { ...header, jwk: onlyPublic(ed25519Jwk) }],
	])('with %s in its header is refused', async (_, head) => {
		const jws = jwsOf(head, JSON.stringify(claims), ed25519Jwk);
		expect(await verifyDeviceAssertion(jws, serverThat())).toEqual({ kind: 'refused', code: 'assertion_invalid' });
	});

	test('of an unknown, a disabled or a copied id is refused, and uses no nonce up', async () => {
		const jws = await signDeviceAssertion(request, ed25519Jwk);
		let asked = 0;
		const useUp = async () => {
			asked += 1;
			return 'fresh' as const;
		};
		const unknown = serverThat({ useUp, device: async () => ({ kind: 'unknown' }) });
		expect(await verifyDeviceAssertion(jws, unknown)).toMatchObject({ code: 'device_unknown' });
		const disabled = serverThat({ useUp, device: async () => ({ kind: 'disabled' }) });
		expect(await verifyDeviceAssertion(jws, disabled)).toMatchObject({ code: 'device_disabled' });
		const byOther = jwsOf({ ...header, alg: 'ES256' }, JSON.stringify(claims), p256Jwk);
		expect(await verifyDeviceAssertion(byOther, serverThat({ useUp }))).toMatchObject({ code: 'assertion_invalid' });
		expect(asked).toBe(0);
	});

	test('is refused after any change to any character', async () => {
		const jws = await signDeviceAssertion(request, ed25519Jwk);
		const change = fc.record({ at: fc.nat(jws.length - 1), to: fc.constantFrom(...'AZaz09-_.= ') });
		await fc.assert(
			fc.asyncProperty(change, async ({ at, to }) => {
				const changed = jws.slice(0, at) + to + jws.slice(at + 1);
				const result = await verifyDeviceAssertion(changed, serverThat());
				expect(result.kind).toBe(changed === jws ? 'verified' : 'refused');
			}),
			{ numRuns: 200 },
		);
	});

	test('never throws for noise', async () => {
		const noise = fc.oneof(
			fc.string(),
			fc.string().map((text) => `${base64url.encode(text)}.e30.${'A'.repeat(86)}`),
		);
		await fc.assert(
			fc.asyncProperty(noise, async (text) => {
				expect(await verifyDeviceAssertion(text, serverThat())).toMatchObject({ kind: 'refused' });
			}),
			{ numRuns: 200 },
		);
	});
});
