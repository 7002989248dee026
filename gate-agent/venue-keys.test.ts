import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { onlyPublic } from './core/jwk.ts';
import { openVenueKeys } from './core/venue-keys.ts';
import { initKeys, rotateKeys } from './keys/key-folder.ts';

const nowMs = Date.UTC(2026, 10, 22, 10);
let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-venue-keys-'));
	await initKeys({ dir, nowMs });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const manifest = async () => (await readFile(join(dir, 'manifest.jws'), 'utf8')).trim();
const root = async () => onlyPublic(JSON.parse(await readFile(join(dir, 'root.public.jwk'), 'utf8')) as JWK);

it('a gate takes newer manifests of its root key, and refuses one that was rolled back', async () => {
	const first = await manifest();
	await rotateKeys({ dir, nowMs });
	const second = await manifest();
	const keys = await openVenueKeys(await root(), first);
	expect(keys.keyset().version).toBe(1);
	expect(await keys.accept(second)).toBe(true);
	expect(keys.keyset().version).toBe(2);
	expect(await keys.accept(first)).toBe(false);
	expect(keys.keyset().version).toBe(2);
	expect(keys.problem()).toMatch(/older than 2/);
	expect(await keys.accept(second)).toBe(true);
	expect(keys.problem()).toBeUndefined();
});

it('a gate takes no manifest of another root key and nothing that is none, and then knows no key', async () => {
	const other = await mkdtemp(join(tmpdir(), 'stileward-venue-keys-'));
	await initKeys({ dir: other, nowMs });
	const strange = onlyPublic(JSON.parse(await readFile(join(other, 'root.public.jwk'), 'utf8')) as JWK);
	await rm(other, { recursive: true });
	for (const text of [await manifest(), 'no manifest', '']) {
		const keys = await openVenueKeys(strange, text);
		expect(keys.keyset().keys.size).toBe(0);
		expect(keys.problem()).toBeDefined();
	}
	expect((await openVenueKeys(strange, undefined)).keyset().keys.size).toBe(0);
});
