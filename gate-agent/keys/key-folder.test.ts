import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signClockReset } from '../core/clock-reset.ts';
import { issueTicket } from '../core/issue.ts';
import { kidOf } from '../core/jwk.ts';
import { ticketIdxMax } from '../core/ticket.ts';
import { verify } from '../core/verify.ts';
import { nextIdx, rememberIssued } from './issued-numbers.ts';
import { initKeys, loadClockReset, loadIssuer, loadTrust, rotateKeys } from './key-folder.ts';

const evt = 'lantern-2026';
const nowMs = 1_790_000_000_000;
const window = { nbf: 1_790_000_000, exp: 1_790_086_400 };

let dir: string;

beforeEach(async () => {
	dir = join(await mkdtemp(join(tmpdir(), 'stileward-keys-')), 'keys');
});

afterEach(() => rm(join(dir, '..'), { recursive: true, force: true }));

async function signed(idx: number): Promise<string> {
	const { keyFor } = await loadIssuer(dir);
	return issueTicket({ evt, idx, cls: 'adult', ...window }, keyFor(evt, idx), 'compact');
}

async function judged(code: string): Promise<string> {
	const verified = await verify(code, (await loadTrust(dir)).keyset);
	return verified.kind === 'ticket' ? verified.ticket.id : verified.refusal.reason;
}

async function modeOf(file: string): Promise<number> {
	return (await stat(join(dir, file))).mode & 0o777;
}

describe('a new key folder', () => {
	test('signs tickets that its own manifest proves', async () => {
		const { kid, manifest } = await initKeys({ dir, nowMs });
		expect(manifest).toMatchObject({ version: 1, issuedAt: nowMs / 1000, revoked: [] });
		expect(manifest.keys).toEqual([{ kid, alg: 'Ed25519', jwk: expect.anything(), from: 0, to: ticketIdxMax }]);
		expect(await judged(await signed(4711))).toBe('lantern-2026/4711');
	});

	test('keeps private keys from other users, and publishes no private member', async () => {
		const { kid } = await initKeys({ dir, nowMs });
		const issuer = `issuer-${kid}.private.jwk`;
		expect((await readdir(dir)).sort()).toEqual(
			[issuer, 'issued.json', 'issued.lock', 'manifest.jws', 'root.private.jwk', 'root.public.jwk'].sort(),
		);
		expect(await modeOf('root.private.jwk')).toBe(0o600);
		expect(await modeOf(issuer)).toBe(0o600);
		const { d } = JSON.parse(await readFile(join(dir, 'root.private.jwk'), 'utf8'));
		expect(d).toMatch(/^[\w-]{43}$/);
		expect(JSON.parse(await readFile(join(dir, 'root.public.jwk'), 'utf8'))).not.toHaveProperty('d');
		const published = (await readFile(join(dir, 'manifest.jws'), 'utf8')).split('.')[1] ?? '';
		expect(Buffer.from(published, 'base64url').toString()).not.toContain('"d"');
	});

	test('names its issuer key after the key itself', async () => {
		const { kid } = await initKeys({ dir, nowMs });
		expect(await kidOf(JSON.parse(await readFile(join(dir, `issuer-${kid}.private.jwk`), 'utf8')))).toBe(kid);
	});

	test('is refused where any key file lies, and that file is left as it was', async () => {
		const first = await initKeys({ dir, nowMs });
		const before = await readFile(join(dir, 'manifest.jws'), 'utf8');
		await expect(initKeys({ dir, nowMs })).rejects.toMatchObject({ code: 'keys_exist' });
		await rm(join(dir, 'manifest.jws'));
		await rm(join(dir, 'root.public.jwk'));
		await expect(initKeys({ dir, nowMs })).rejects.toMatchObject({ code: 'keys_exist' });
		await writeFile(join(dir, 'manifest.jws'), before);
		expect(await readdir(dir)).toContain(`issuer-${first.kid}.private.jwk`);
	});

	test('is made once by two programs that start together', async () => {
		const made = await Promise.allSettled([initKeys({ dir, nowMs }), initKeys({ dir, nowMs })]);
		expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
		expect(await judged(await signed(1))).toBe('lantern-2026/1');
	});

	test('is made with the folders above it, and a file in the way or a place without names is told', async () => {
		const deep = join(dir, 'a', 'b', 'keys');
		await expect(initKeys({ dir: deep, nowMs })).resolves.toMatchObject({ manifest: { version: 1 } });
		for (const dir of [join(deep, 'manifest.jws'), '/proc/nowhere/keys']) {
			await expect(initKeys({ dir, nowMs })).rejects.toMatchObject({ code: 'output_failed' });
		}
	});

	test('says so where the folder cannot be made or written', async () => {
		await writeFile(join(dir, '..', 'file'), '');
		await expect(initKeys({ dir: join(dir, '..', 'file', 'keys'), nowMs })).rejects.toMatchObject({
			code: 'output_failed',
		});
	});

	test('leaves nothing behind for an event that cannot be', async () => {
		await expect(initKeys({ dir, nowMs, evt: 'Lantern 2026' })).rejects.toMatchObject({ code: 'manifest_invalid' });
		expect(await readdir(dir)).toEqual(['issued.lock']);
		expect((await initKeys({ dir, nowMs, evt })).manifest.keys[0]?.evt).toBe(evt);
		const { keyFor } = await loadIssuer(dir);
		expect(() => keyFor('other-2026', 1)).toThrow(expect.objectContaining({ code: 'keys_missing' }));
	});
});

describe('what a gate trusts', () => {
	test('is the manifest and the root public key alone, and nothing is written', async () => {
		await initKeys({ dir, nowMs });
		const code = await signed(7);
		const gate = await mkdtemp(join(dir, '..', 'gate-'));
		for (const file of ['manifest.jws', 'root.public.jwk']) await copyFile(join(dir, file), join(gate, file));
		const { keyset, manifest, warnings } = await loadTrust(gate);
		expect(warnings).toEqual([]);
		expect(manifest.version).toBe(1);
		expect(await verify(code, keyset)).toMatchObject({ kind: 'ticket', ticket: { idx: 7 } });
		expect((await readdir(gate)).sort()).toEqual(['manifest.jws', 'root.public.jwk']);
	});

	test('comes with a warning for every private key beside it', async () => {
		const { kid } = await initKeys({ dir, nowMs });
		const { warnings } = await loadTrust(dir);
		expect(warnings).toHaveLength(2);
		expect(warnings.join()).toContain(`issuer-${kid}.private.jwk`);
		expect(warnings.join()).toContain('root.private.jwk');
	});

	test('is refused with its reason where a file is missing, damaged or of another root', async () => {
		await expect(loadTrust(dir)).rejects.toMatchObject({ code: 'keys_missing' });
		await initKeys({ dir, nowMs });
		const other = await mkdtemp(join(dir, '..', 'other-'));
		await initKeys({ dir: other, nowMs });
		const root = await readFile(join(dir, 'root.public.jwk'), 'utf8');
		await copyFile(join(other, 'root.public.jwk'), join(dir, 'root.public.jwk'));
		await expect(loadTrust(dir)).rejects.toMatchObject({ code: 'manifest_invalid' });
		await writeFile(join(dir, 'root.public.jwk'), root.slice(0, 20));
		await expect(loadTrust(dir)).rejects.toMatchObject({ code: 'keys_invalid' });
		await writeFile(join(dir, 'root.public.jwk'), root);
		await writeFile(join(dir, 'manifest.jws'), 'torn');
		await expect(loadTrust(dir)).rejects.toMatchObject({ code: 'manifest_invalid' });
	});

	test('includes a clock reset that its root signed', async () => {
		await initKeys({ dir, nowMs });
		expect(await loadClockReset(dir)).toBeUndefined();
		const root = JSON.parse(await readFile(join(dir, 'root.private.jwk'), 'utf8'));
		await writeFile(join(dir, 'clock-reset.jws'), await signClockReset({ epoch: 2, floorMs: nowMs }, root));
		expect(await loadClockReset(dir)).toEqual({ epoch: 2, floorMs: nowMs });
		await writeFile(join(dir, 'clock-reset.jws'), await readFile(join(dir, 'manifest.jws')));
		await expect(loadClockReset(dir)).rejects.toMatchObject({ code: 'clock_reset_invalid' });
	});
});

describe('a rotation', () => {
	test('gives the numbers above the highest issued to a new key, and old tickets stay valid', async () => {
		const first = await initKeys({ dir, nowMs });
		await rememberIssued(dir, { evt, count: 100 });
		await rememberIssued(dir, { evt: 'other-2026', count: 250 });
		const old = await signed(99);
		const second = await rotateKeys({ dir, nowMs });
		expect(second.manifest).toMatchObject({ version: 2, revoked: [] });
		expect(second.manifest.keys).toMatchObject([
			{ kid: first.kid, from: 0, to: 249 },
			{ kid: second.kid, from: 250, to: ticketIdxMax },
		]);
		expect(await judged(old)).toBe('lantern-2026/99');
		expect(await judged(await signed(250))).toBe('lantern-2026/250');
		const { keyFor } = await loadIssuer(dir);
		expect(keyFor(evt, 249).kid).toBe(first.kid);
		expect(keyFor(evt, 250).kid).toBe(second.kid);
	});

	test('that revokes a key refuses its tickets and signs none with it', async () => {
		const first = await initKeys({ dir, nowMs });
		await rememberIssued(dir, { evt, count: 10 });
		const old = await signed(3);
		const second = await rotateKeys({ dir, nowMs, revoke: [first.kid] });
		expect(second.manifest.revoked).toEqual([first.kid]);
		expect(await judged(old)).toBe('unknown_key');
		expect(await judged(await signed(10))).toBe('lantern-2026/10');
		const { keyFor } = await loadIssuer(dir);
		expect(() => keyFor(evt, 3)).toThrow(expect.objectContaining({ code: 'keys_missing' }));
	});

	test('can be made again and again, also before any ticket', async () => {
		await initKeys({ dir, nowMs, evt });
		for (let version = 2; version <= 4; version++) {
			const { manifest } = await rotateKeys({ dir, nowMs });
			expect(manifest.version).toBe(version);
			expect(manifest.keys).toHaveLength(version);
			expect(manifest.keys.every((key) => key.evt === evt && key.from <= key.to)).toBe(true);
		}
		expect(await judged(await signed(2))).toBe('lantern-2026/2');
	});

	test('is refused without the root key, for a kid that is not listed and without numbers left', async () => {
		await expect(rotateKeys({ dir, nowMs })).rejects.toMatchObject({ code: 'keys_missing' });
		await initKeys({ dir, nowMs });
		await expect(rotateKeys({ dir, nowMs, revoke: ['AAAAAAAA'] })).rejects.toMatchObject({ code: 'manifest_invalid' });
		await rememberIssued(dir, { evt, count: 1, firstIdx: ticketIdxMax });
		await expect(rotateKeys({ dir, nowMs })).rejects.toMatchObject({ code: 'ticket_invalid' });
		await rm(join(dir, 'root.private.jwk'));
		await expect(rotateKeys({ dir, nowMs })).rejects.toMatchObject({ code: 'keys_missing' });
		expect((await loadTrust(dir)).manifest.version).toBe(1);
	});

	test('by two programs at once gives two versions, one after the other', async () => {
		await initKeys({ dir, nowMs });
		await Promise.all([rotateKeys({ dir, nowMs }), rotateKeys({ dir, nowMs })]);
		const { manifest } = await loadTrust(dir);
		expect(manifest.version).toBe(3);
		expect(manifest.keys).toHaveLength(3);
	});
});

describe('an issuer', () => {
	test('is warned of a private key that others can read', async () => {
		await initKeys({ dir, nowMs });
		expect((await loadIssuer(dir)).warnings).toEqual([]);
		await chmod(join(dir, 'root.private.jwk'), 0o644);
		expect((await loadIssuer(dir)).warnings).toEqual([expect.stringContaining('root.private.jwk')]);
	});

	test('refuses a damaged private key without quoting it', async () => {
		const { kid } = await initKeys({ dir, nowMs });
		const file = join(dir, `issuer-${kid}.private.jwk`);
		const text = await readFile(file, 'utf8');
		const { d } = JSON.parse(text);
		await writeFile(file, text.replace('{', '{{'));
		const error = await loadIssuer(dir).catch((caught: unknown) => caught);
		expect(error).toMatchObject({ code: 'keys_invalid' });
		expect(JSON.stringify([error, String(error), (error as Error).cause ?? null])).not.toContain(d.slice(0, 6));
	});

	test('continues after the highest number of the event', async () => {
		await initKeys({ dir, nowMs });
		expect(await nextIdx(dir, evt)).toBe(0);
		expect(await rememberIssued(dir, { evt, count: 3 })).toBe(0);
		expect(await rememberIssued(dir, { evt, count: 1 })).toBe(3);
		expect(await rememberIssued(dir, { evt, count: 5, firstIdx: 1000 })).toBe(1000);
		expect(await rememberIssued(dir, { evt, count: 5, firstIdx: 10 })).toBe(10);
		expect(await nextIdx(dir, evt)).toBe(1005);
		expect(await nextIdx(dir, 'constructor')).toBe(0);
		expect(await rememberIssued(dir, { evt: 'constructor', count: 2 })).toBe(0);
		expect(await nextIdx(dir, 'constructor')).toBe(2);
	});

	test('never runs past the last number, and a refusal takes none', async () => {
		await initKeys({ dir, nowMs });
		expect(await rememberIssued(dir, { evt, count: 1, firstIdx: ticketIdxMax - 1 })).toBe(ticketIdxMax - 1);
		for (const [count, first] of [[2], [0], [1, -1], [1, 0.5], [1.5], [1, ticketIdxMax + 1]] as const) {
			await expect(
				rememberIssued(dir, { evt, count, ...(first !== undefined && { firstIdx: first }) }),
			).rejects.toMatchObject({
				code: 'ticket_invalid',
			});
		}
		expect(await rememberIssued(dir, { evt, count: 1 })).toBe(ticketIdxMax);
	});

	test('never continues from a damaged or lost record', async () => {
		await initKeys({ dir, nowMs });
		await writeFile(join(dir, 'issued.json'), '{"lantern-2026": "many"}');
		await expect(rememberIssued(dir, { evt, count: 1 })).rejects.toMatchObject({ code: 'keys_invalid' });
		await rm(join(dir, 'issued.json'));
		await expect(rememberIssued(dir, { evt, count: 1 })).rejects.toMatchObject({ code: 'keys_missing' });
	});
});
