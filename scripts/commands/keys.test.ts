import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadClockReset } from '../../gate-agent/keys/key-folder.ts';
import { runCli, temporaryFolder } from './cli.suite.ts';

describe('stileward keys', () => {
	it('makes a folder of keys whose kid is the thumbprint of the public key, and never touches it again', async () => {
		await using folder = await temporaryFolder();
		const dir = join(folder.path, 'keys');
		const made = await runCli(['keys', 'init', '--dir', dir, '--json']);
		expect(made.code).toBe(0);
		const { kid, version, keys } = JSON.parse(made.out);
		expect(kid).toMatch(/^[A-Za-z0-9_-]{8}$/);
		expect({ version, listed: keys.map((key: { kid: string }) => key.kid) }).toEqual({ version: 1, listed: [kid] });

		const before = await contents(dir);
		expect(made.out + made.err).not.toContain(JSON.parse(before[`issuer-${kid}.private.jwk`] ?? '{}').d);
		const again = await runCli(['keys', 'init', '--dir', dir]);
		expect(again).toMatchObject({ code: 1, out: '' });
		expect(again.err).toMatch(/^error: .*exists already\n {2}hint: .*\[keys_exist\]\n$/);
		expect(await contents(dir)).toEqual(before);
	});

	it('rotates to a new key, revokes one, and shows both', async () => {
		await using folder = await temporaryFolder();
		const first = JSON.parse((await runCli(['keys', 'init', '--dir', folder.path, '--json'])).out);
		const rotated = await runCli(['keys', 'rotate', '--dir', folder.path, '--revoke', first.kid, '--json']);
		const second = JSON.parse(rotated.out);
		expect(second.kid).not.toBe(first.kid);
		const shown = await runCli(['keys', 'show', '--dir', folder.path]);
		expect(shown.out).toMatch(/version 2/);
		expect(shown.out).toMatch(new RegExp(`^${first.kid} .*revoked$`, 'm'));
		expect(shown.out).toMatch(new RegExp(`^${second.kid} .*valid$`, 'm'));
	});

	it('signs a clock reset with the next epoch, which a gate with the public key alone can prove', async () => {
		await using folder = await temporaryFolder();
		const dir = join(folder.path, 'keys');
		const gate = join(folder.path, 'gate');
		await runCli(['keys', 'init', '--dir', dir]);
		const first = await runCli(['keys', 'reset-clock', '--dir', dir]);
		expect(first).toMatchObject({ code: 0 });
		expect(first.out).toMatch(/clock epoch +2\n/);
		const second = await runCli(['keys', 'reset-clock', '--dir', dir, '--json']);
		const { epoch, floor } = JSON.parse(second.out);
		expect(epoch).toBe(3);
		expect(Math.abs(Date.parse(floor) - Date.now())).toBeLessThan(60_000);
		await mkdir(gate);
		for (const file of ['clock-reset.jws', 'root.public.jwk']) await copyFile(join(dir, file), join(gate, file));
		expect(await loadClockReset(gate)).toEqual({ epoch: 3, floorMs: Date.parse(floor) });
		const withoutRoot = await runCli(['keys', 'reset-clock', '--dir', gate]);
		expect(withoutRoot).toMatchObject({ code: 1, out: '' });
		expect(withoutRoot.err).toMatch(/root\.private\.jwk.*\n {2}hint: .*\[keys_missing\]/);
	});

	it('names the missing folder, and a folder that cannot be made', async () => {
		await using folder = await temporaryFolder();
		const missing = await runCli(['keys', 'show', '--dir', join(folder.path, 'nowhere')]);
		expect(missing).toMatchObject({ code: 1, out: '' });
		expect(missing.err).toMatch(/nowhere.*\n {2}hint: .*\[keys_missing\]/);
		const impossible = await runCli(['keys', 'init', '--dir', '/dev/null/keys']);
		expect(impossible).toMatchObject({ code: 1, out: '' });
		expect(impossible.err).toMatch(/^error: .*\/dev\/null/);
		expect(impossible.err).not.toMatch(/\n\s+at /);
	});
});

async function contents(dir: string): Promise<Record<string, string>> {
	const names = (await readdir(dir)).filter((name) => !name.endsWith('.lock'));
	return Object.fromEntries(
		await Promise.all(names.map(async (name) => [name, await readFile(join(dir, name), 'utf8')])),
	);
}
