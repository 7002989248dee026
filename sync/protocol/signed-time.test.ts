import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { ed25519Jwk, p256Jwk, rootJwk } from '../../gate-agent/core/test-issuer.suite.ts';
import { openTime, signTime } from './signed-time.ts';

const nonce = 'bm9uY2Utb2YtdGhlLWRldmljZQ';
const time = { nonce, server: 'centre', nowMs: 1_790_000_000_123 };
const keys = [onlyPublic(p256Jwk), onlyPublic(ed25519Jwk)];
const golden: { time: string } = JSON.parse(readFileSync(new URL('./vectors/protocol.json', import.meta.url), 'utf8'));

describe('a signed time', () => {
	test('opens for the nonce that it answers, with either kind of key', async () => {
		expect(await openTime(await signTime(time, ed25519Jwk), { nonce, keys })).toEqual(time);
		expect(await openTime(await signTime(time, p256Jwk), { nonce, keys })).toEqual(time);
		expect(await signTime(time, ed25519Jwk)).toBe(golden.time);
	});

	test('does not open for another nonce, by another key, or where it is something else', async () => {
		const jws = await signTime(time, ed25519Jwk);
		expect(await openTime(jws, { nonce: 'A'.repeat(22), keys })).toBeUndefined();
		expect(await openTime(jws, { nonce, keys: [onlyPublic(rootJwk)] })).toBeUndefined();
		expect(await openTime(jws, { nonce, keys: [] })).toBeUndefined();
		for (const text of ['', '<html>Welcome to our Wi-Fi</html>', jws.slice(1), `${jws}A`, 'a'.repeat(2_000)]) {
			expect(await openTime(text, { nonce, keys })).toBeUndefined();
		}
	});
});
