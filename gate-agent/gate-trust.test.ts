import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StilewardError } from './core/errors.ts';
import type { Ledger } from './core/ledger.ts';
import { createMemoryLedger } from './core/memory-ledger.ts';
import { loadGateTrust } from './gate-trust.ts';
import { initKeys, rotateKeys } from './keys/key-folder.ts';

const nowMs = Date.UTC(2026, 10, 22, 10);

let base: string;
let ledger: Ledger;
beforeEach(async () => {
	base = await mkdtemp(join(tmpdir(), 'stileward-trust-'));
	ledger = createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' });
});
afterEach(() => rm(base, { recursive: true, force: true }));

/** A new installation, and the folder of a gate that has its public files. */
async function installation(name: string) {
	const office = join(base, name);
	const gate = join(base, `${name}-gate`);
	const { kid } = await initKeys({ dir: office, nowMs });
	await mkdir(gate);
	const deliver = async (to = gate) => {
		for (const file of ['manifest.jws', 'root.public.jwk']) await copyFile(join(office, file), join(to, file));
	};
	await deliver();
	return { office, gate, kid, deliver };
}

describe('what a gate trusts while it runs', () => {
	it('no longer holds a key that the newest manifest revokes', async () => {
		const { office, gate, kid, deliver } = await installation('venue');
		const { keyset, refresh } = await loadGateTrust(gate, ledger);
		expect(keyset().keys.has(kid)).toBe(true);
		expect(await refresh()).toBe('same');
		const { kid: next } = await rotateKeys({ dir: office, nowMs, revoke: [kid] });
		await deliver();
		expect(await refresh()).toBe('newer');
		expect([...keyset().keys.keys()]).toEqual([next]);
	});

	it('stays as it is when the folder brings an older manifest or another root key', async () => {
		const { office, gate, deliver } = await installation('venue');
		const other = await installation('other');
		await mkdir(join(base, 'old'));
		await deliver(join(base, 'old'));
		await rotateKeys({ dir: office, nowMs });
		await deliver();
		const { keyset, refresh } = await loadGateTrust(gate, ledger);
		const before = keyset();
		await copyFile(join(base, 'old', 'manifest.jws'), join(gate, 'manifest.jws'));
		await expect(refresh()).rejects.toMatchObject({ code: 'manifest_rollback' });
		await rotateKeys({ dir: other.office, nowMs });
		await rotateKeys({ dir: other.office, nowMs });
		await other.deliver(gate);
		await expect(refresh()).rejects.toMatchObject({ code: 'manifest_invalid' });
		expect(keyset()).toBe(before);
	});
});

describe('what a gate trusts after a restart', () => {
	it('is never an older manifest than it has used, nor another root key', async () => {
		const { office, gate, deliver } = await installation('venue');
		const other = await installation('other');
		await mkdir(join(base, 'old'));
		await deliver(join(base, 'old'));
		await rotateKeys({ dir: office, nowMs });
		await deliver();
		await loadGateTrust(gate, ledger);
		await expect(loadGateTrust(join(base, 'old'), ledger)).rejects.toMatchObject({ code: 'manifest_rollback' });
		await expect(loadGateTrust(other.gate, ledger)).rejects.toMatchObject({ code: 'manifest_invalid' });
		expect((await loadGateTrust(gate, ledger)).keyset().version).toBe(2);
	});

	it('is known on a full disk, because nothing needs to be written again', async () => {
		const { gate } = await installation('venue');
		await loadGateTrust(gate, ledger);
		ledger.remember = () => Promise.reject(new StilewardError('ledger_full', 'no space'));
		expect((await loadGateTrust(gate, ledger)).keyset().version).toBe(1);
	});
});
