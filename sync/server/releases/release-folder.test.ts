import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { signRelease } from '../../../gate-agent/core/release.ts';
import { ed25519Jwk, rootJwk } from '../../../gate-agent/core/test-issuer.suite.ts';
import { addRelease, openReleases } from './release-folder.ts';

function folder(): string {
	const dir = mkdtempSync(join(tmpdir(), 'releases-'));
	onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
	return dir;
}

async function packageIn(dir: string, version: string, key = rootJwk) {
	const bytes = Buffer.from(`package ${version}`.repeat(100));
	const deb = join(dir, `${version}.deb`);
	writeFileSync(deb, bytes);
	const sha256 = createHash('sha256').update(bytes).digest('hex');
	const release = { version, arch: 'arm64', bytes: bytes.length, sha256, issuedAt: 1_790_000_000 } as const;
	return { deb, jws: `${await signRelease(release, key)}\n`, sha256, bytes };
}

test('a package is kept where the root key has signed it, and found by version and machine', async () => {
	const dir = folder();
	const [old, next] = [await packageIn(dir, '1.9.0'), await packageIn(dir, '1.10.0')];
	for (const each of [old, next]) await addRelease(dir, { ...each, rootKey: rootJwk });
	const releases = openReleases(dir, rootJwk);
	expect((await releases.list()).map(({ release }) => release.version)).toEqual(['1.10.0', '1.9.0']);
	expect((await releases.find('1.10.0', 'arm64'))?.jws).toBe(next.jws.trim());
	expect(await releases.find('1.10.0', 'amd64')).toBeUndefined();
	expect(await releases.file(next.sha256)).toMatchObject({ bytes: next.bytes.length });
	expect(await releases.file('0'.repeat(64))).toBeUndefined();
});

test('nothing is kept that the root key has not signed, and nothing of another root key is offered', async () => {
	const dir = folder();
	const forged = await packageIn(dir, '1.0.0', ed25519Jwk);
	await expect(addRelease(dir, { ...forged, rootKey: rootJwk })).rejects.toMatchObject({ code: 'release_invalid' });
	const changed = await packageIn(dir, '1.1.0');
	writeFileSync(changed.deb, 'another');
	await expect(addRelease(dir, { ...changed, rootKey: rootJwk })).rejects.toMatchObject({ code: 'package_invalid' });
	expect(await openReleases(dir, rootJwk).list()).toEqual([]);
	await addRelease(dir, { ...forged, rootKey: ed25519Jwk });
	expect(await openReleases(dir, rootJwk).list()).toEqual([]);
});
