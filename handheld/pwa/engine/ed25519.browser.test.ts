import { beforeAll, expect, test } from 'vitest';
import { importPublicKey } from '../../../gate-agent/core/jwk.ts';
import { ensureEd25519 } from './ed25519.ts';
import { hideEd25519 } from './testing/hide-ed25519.ts';

/** The part of Wycheproof's file that is used. */
interface Vectors {
	readonly testGroups: readonly {
		readonly publicKeyJwk: Parameters<typeof importPublicKey>[0];
		readonly tests: readonly {
			readonly tcId: number;
			readonly msg: string;
			readonly sig: string;
			readonly result: 'valid' | 'invalid';
		}[];
	}[];
}

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

beforeAll(hideEd25519);

test('a browser without Ed25519 gets one that judges the Wycheproof vectors as they must be', async () => {
	expect(await ensureEd25519()).toBe('ponyfill');
	const answer = await fetch(new URL('../../../gate-agent/core/vectors/ed25519_test.json', import.meta.url));
	const { testGroups }: Vectors = await answer.json();
	let checked = 0;
	for (const { publicKeyJwk, tests } of testGroups) {
		// jose imports it and gives back what the browser did.
		const key = (await importPublicKey(publicKeyJwk)) as CryptoKey;
		for (const { tcId, msg, sig, result } of tests) {
			const isValid = await crypto.subtle
				.verify({ name: 'Ed25519' }, key, bytesOf(sig), bytesOf(msg))
				// A signature of another length is an error to the ponyfill; jose takes it for a refusal.
				.catch(() => false);
			expect(`${tcId} ${isValid ? 'valid' : 'invalid'}`).toBe(`${tcId} ${result}`);
			checked += 1;
		}
	}
	expect(checked).toBeGreaterThan(100);
});

test('keys of the browser stay the browser’s', async () => {
	await ensureEd25519();
	const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
	expect(pair.privateKey).toBeInstanceOf(CryptoKey);
	const hmac = await crypto.subtle.importKey(
		'raw',
		bytesOf('00'.repeat(32)),
		{ name: 'HMAC', hash: 'SHA-256' },
		false,
		['sign'],
	);
	expect(hmac).toBeInstanceOf(CryptoKey);
	expect(Object.hasOwn(hmac, Symbol.toStringTag)).toBe(false);
});
