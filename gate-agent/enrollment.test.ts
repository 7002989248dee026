import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { onlyPublic } from './core/jwk.ts';
import { ed25519Jwk, rootJwk } from './core/test-issuer.suite.ts';
import { type EnrolledGate, enrollmentFiles, readEnrollment, saveEnrollment } from './enrollment.ts';

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-enrollment-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const gate: EnrolledGate = {
	enrollment: {
		...{ url: 'https://10.0.0.5:8443', fingerprint: 'F'.repeat(43), server: 'centre', venue: 'harbor' },
		...{ device: 'D'.repeat(43), rootKey: onlyPublic(rootJwk), timeKeys: [onlyPublic(rootJwk)] },
	},
	key: ed25519Jwk,
};

it('an enrollment comes back as it was kept', async () => {
	expect(await readEnrollment(join(dir, 'nowhere'))).toBeUndefined();
	expect(await readEnrollment(dir)).toBeUndefined();
	await saveEnrollment(dir, gate);
	expect(await readEnrollment(dir)).toEqual(gate);
});

it('a damaged one is told, and its key is in no message', async () => {
	await saveEnrollment(dir, gate);
	await writeFile(join(dir, enrollmentFiles.key), JSON.stringify({ d: 'secret' }));
	const wrongKey = await readEnrollment(dir).catch((error: unknown) => error);
	expect(wrongKey).toMatchObject({ code: 'keys_invalid' });
	expect(String(wrongKey)).not.toContain('secret');
	await rm(join(dir, enrollmentFiles.key));
	await expect(readEnrollment(dir)).rejects.toMatchObject({ code: 'keys_missing' });
	await writeFile(join(dir, enrollmentFiles.enrollment), '{"url":"https://10.0.0.5"}');
	await expect(readEnrollment(dir)).rejects.toMatchObject({ code: 'keys_invalid' });
});
