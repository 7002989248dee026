import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRelease } from '../../gate-agent/core/release.ts';
import { measurePackage } from '../../sync/node/package-file.ts';
import { runCli, temporaryFolder } from './cli.suite.ts';

function packageOf(dir: string, name: string): string {
	const tree = join(dir, name);
	mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
	const control = `Package: ${name}\nVersion: 1.2.0\nArchitecture: arm64\nMaintainer: nobody <nobody@example.org>\n`;
	writeFileSync(join(tree, 'DEBIAN/control'), `${control}Description: a package of the test\n`);
	const file = join(dir, `${name}.deb`);
	execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, file], { stdio: 'ignore' });
	return file;
}

test('a package is signed with the root key, byte for byte', async () => {
	await using folder = await temporaryFolder();
	const keys = join(folder.path, 'keys');
	expect((await runCli(['keys', 'init', '--dir', keys])).code).toBe(0);
	const deb = packageOf(folder.path, 'stileward');
	const signed = await runCli(['release', 'sign', '--dir', keys, '--deb', deb]);
	expect(signed.code).toBe(0);
	const rootKey = JSON.parse(await readFile(join(keys, 'root.public.jwk'), 'utf8'));
	const facts = await measurePackage(deb);
	expect(await openRelease(signed.out, rootKey)).toMatchObject({ version: '1.2.0', arch: 'arm64', ...facts });
});

test('another package, and a file that is none, are not signed', async () => {
	await using folder = await temporaryFolder();
	const keys = join(folder.path, 'keys');
	expect((await runCli(['keys', 'init', '--dir', keys])).code).toBe(0);
	for (const deb of [packageOf(folder.path, 'hello'), join(keys, 'manifest.jws'), join(folder.path, 'none.deb')]) {
		const { code, err, out } = await runCli(['release', 'sign', '--dir', keys, '--deb', deb]);
		expect([code, out]).toEqual([1, '']);
		expect(err).toContain('[package_invalid]');
	}
});

test('the updater says that a gate must be trusted first, and that a gate without a venue cannot be', async () => {
	await using folder = await temporaryFolder();
	const place = (name: string) => join(folder.path, name);
	const own = ['--data', place('gate'), '--root-key', place('root.jwk')];
	const trust = await runCli(['update', 'trust', ...own]);
	expect([trust.code, trust.err]).toEqual([1, expect.stringContaining('is not enrolled')]);
	const apply = await runCli(['update', 'apply', ...own, '--state', place('state')]);
	expect([apply.code, apply.err]).toEqual([1, expect.stringContaining('[keys_missing]')]);
});
