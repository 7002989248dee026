import { expect, test } from 'vitest';
import { signManifest } from './key-manifest.ts';
import { compareVersions, openRelease, type Release, signRelease } from './release.ts';
import { ed25519Jwk, entryFor, manifestWith, rootJwk } from './test-issuer.suite.ts';

const release: Release = {
	version: '1.12.3',
	arch: 'arm64',
	bytes: 61_000_000,
	sha256: '0f'.repeat(32),
	issuedAt: 1_790_000_000,
};

test('a release says what the root key has signed', async () => {
	expect(await openRelease(`${await signRelease(release, rootJwk)}\n`, rootJwk)).toEqual(release);
});

test('a release of another key, a changed one and anything else that is signed are refused', async () => {
	const jws = await signRelease(release, rootJwk);
	const [head, , tail] = jws.split('.');
	const changed = Buffer.from(JSON.stringify({ ...release, version: '9.0.0' })).toString('base64url');
	const manifest = await signManifest(manifestWith([await entryFor(ed25519Jwk)]), rootJwk);
	const others = [await signRelease(release, ed25519Jwk), `${head}.${changed}.${tail}`, manifest, 'x', ''];
	for (const other of others)
		await expect(openRelease(other, rootJwk)).rejects.toMatchObject({ code: 'release_invalid' });
});

test('nothing is signed that is no release', async () => {
	const wrong = [{ version: '1.2' }, { arch: 'mips' }, { bytes: 0 }, { sha256: 'AB'.repeat(32) }];
	for (const each of wrong) {
		const odd = { ...release, ...each } as Release;
		await expect(signRelease(odd, rootJwk)).rejects.toMatchObject({ code: 'release_invalid' });
	}
});

test.each([
	['1.2.3', '1.2.3', 0],
	['1.2.3', '1.10.0', -1],
	['2.0.0', '1.99.99', 1],
	['1.2.10', '1.2.9', 1],
])('version %s beside %s', (a, b, sign) => {
	expect(Math.sign(compareVersions(a, b))).toBe(sign);
});
