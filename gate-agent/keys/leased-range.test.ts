import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueTicket } from '../core/issue.ts';
import { ticketIdxMax } from '../core/ticket.ts';
import { verify } from '../core/verify.ts';
import { rememberIssued } from './issued-numbers.ts';
import { initKeys, loadIssuer, loadTrust, rotateKeys } from './key-folder.ts';
import { leaseRange, makeIssuerKey } from './leased-range.ts';

const evt = 'lantern-2026';
const nowMs = 1_790_000_000_000;
const window = { nbf: 1_790_000_000, exp: 1_790_086_400 };

let root: string;
let dir: string;
let key: JWK;
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), 'stileward-lease-'));
	dir = join(root, 'keys');
	await initKeys({ dir, nowMs });
	const kid = await makeIssuerKey(join(root, 'window'));
	key = JSON.parse(await readFile(join(root, 'window', `issuer-${kid}.public.jwk`), 'utf8'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const lease = (over: object = {}) => leaseRange({ dir, evt, from: 1_000, to: 1_099, key, nowMs, ...over });

/** Who may sign a number by the manifest as it is now, and whether a gate takes what an issuer signs. */
async function signer(folder: string, idx: number, of = evt): Promise<string> {
	const { keyFor } = await loadIssuer(folder);
	try {
		const { kid, privateKey } = keyFor(of, idx);
		const code = await issueTicket({ evt: of, idx, cls: 'adult', ...window }, { kid, privateKey }, 'compact');
		const verified = await verify(code, (await loadTrust(dir)).keyset);
		return verified.kind === 'ticket' ? 'taken' : verified.refusal.reason;
	} catch {
		return 'none';
	}
}

test('a window signs its leased numbers and no others, and whoever leased them signs all others', async () => {
	await rememberIssued(dir, { evt, count: 1, firstIdx: 7 });
	const { manifest } = await lease();
	expect(manifest.version).toBe(2);
	for (const file of ['manifest.jws', 'root.public.jwk']) await copyFile(join(dir, file), join(root, 'window', file));
	const numbers = [7, 999, 1_000, 1_099, 1_100, ticketIdxMax];
	const own = await Promise.all(numbers.map((idx) => signer(dir, idx)));
	expect(own).toEqual(['taken', 'taken', 'none', 'none', 'taken', 'taken']);
	const windows = await Promise.all(numbers.map((idx) => signer(join(root, 'window'), idx)));
	expect(windows).toEqual(['none', 'none', 'taken', 'taken', 'none', 'none']);
	expect(await signer(join(root, 'window'), 1_000, 'other')).toBe('none');
	expect((await readdir(join(root, 'window'))).filter((name) => name.includes('root.private'))).toEqual([]);
});

test('a second lease lies above the first, and a rotation above both', async () => {
	await lease();
	const other = JSON.parse(
		await readFile(join(root, 'other', `issuer-${await makeIssuerKey(join(root, 'other'))}.public.jwk`), 'utf8'),
	);
	await expect(lease({ key: other })).rejects.toMatchObject({ code: 'manifest_invalid' });
	await lease({ key: other, from: 2_000, to: 2_000, evt: 'other' });
	await rotateKeys({ dir, nowMs });
	const numbers = [0, 999, 1_100, 1_999, 2_001, 2_002, ticketIdxMax];
	expect(await Promise.all(numbers.map((idx) => signer(dir, idx)))).toEqual(numbers.map(() => 'taken'));
});

test('nothing is leased that was issued, nor twice to one key, nor to what is no key', async () => {
	await rememberIssued(dir, { evt, count: 1, firstIdx: 1_050 });
	await expect(lease()).rejects.toThrow(/1050 is issued already/);
	await expect(lease({ from: 0, to: 5 })).rejects.toMatchObject({ code: 'manifest_invalid' });
	await expect(lease({ from: 1_051, to: ticketIdxMax })).rejects.toMatchObject({ code: 'manifest_invalid' });
	await expect(lease({ from: 1_200, to: 1_100 })).rejects.toMatchObject({ code: 'manifest_invalid' });
	await expect(lease({ from: 1_051, to: 1_060, key: { kty: 'OKP' } })).rejects.toMatchObject({ code: 'keys_invalid' });
	await lease({ from: 1_051, to: 1_060 });
	await expect(lease({ from: 1_070, to: 1_080 })).rejects.toThrow(/listed twice/);
	await expect(makeIssuerKey(join(root, 'window'))).rejects.toMatchObject({ code: 'keys_exist' });
});
