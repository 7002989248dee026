import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { measurePackage } from '../../sync/node/package-file.ts';
import { signRelease } from '../core/release.ts';
import { ed25519Jwk, rootJwk } from '../core/test-issuer.suite.ts';
import type { Machine } from './apply-update.ts';
import { createMachine } from './machine.ts';
import { requestFile, resultFile } from './update-request.ts';
import { runUpdater } from './updater.ts';

/** A machine with Debian's own package manager on a root of its own, and a gate whose program is the package's file. */
async function openBox() {
	const dir = mkdtempSync(join(tmpdir(), 'update-'));
	onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
	const [root, requests, state] = [join(dir, 'root'), join(dir, 'requests'), join(dir, 'state')];
	for (const each of [join(root, 'var/lib/dpkg/info'), join(root, 'var/lib/dpkg/updates'), requests]) {
		mkdirSync(each, { recursive: true });
	}
	writeFileSync(join(root, 'var/lib/dpkg/status'), '');
	const program = join(root, 'usr/lib/stileward-demo/health.json');
	const gate = createServer((_, response) => response.end(readFileSync(program)));
	await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => void gate.close());
	const { port } = gate.address() as AddressInfo;
	const dpkg = ['dpkg', `--root=${root}`, '--force-not-root', '--force-bad-path', '--force-script-chrootless'] as const;
	const real = createMachine({ dpkg: [...dpkg], healthUrl: `http://127.0.0.1:${port}/healthz` });
	let nowMs = 0;
	// A minute that nobody waits for; everything else is real.
	const machine: Machine = {
		...real,
		sleep: async (ms) => {
			nowMs += ms;
		},
		monoMs: () => nowMs,
	};
	const installed = () =>
		execFileSync('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '-W', '-f', `\${Version}`, 'stileward-demo'], {
			encoding: 'utf8',
		});
	const run = () => runUpdater({ requests, state, rootKey: rootJwk, installed: installed(), arch: 'amd64', machine });
	const result = () => JSON.parse(readFileSync(join(state, resultFile), 'utf8'));
	return { dir, requests, state, machine, installed, run, result };
}

/** A package whose gate tells this health. */
function packageOf(dir: string, version: string, missing: readonly string[] = []): string {
	const tree = join(dir, `tree-${version}`);
	mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
	mkdirSync(join(tree, 'usr/lib/stileward-demo'), { recursive: true });
	const control = [`Version: ${version}`, 'Architecture: all', 'Maintainer: nobody <nobody@example.org>'];
	writeFileSync(
		join(tree, 'DEBIAN/control'),
		`Package: stileward-demo\n${control.join('\n')}\nDescription: a gate of the test\n`,
	);
	const lane = { phase: 'idle', emergency: false, fire: 'clear', missing, alarms: [] };
	writeFileSync(
		join(tree, 'usr/lib/stileward-demo/health.json'),
		JSON.stringify({ version, lanes: { 'lane-1': lane } }),
	);
	const file = join(dir, `${version}.deb`);
	execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, file], { stdio: 'ignore' });
	return file;
}

type Box = Awaited<ReturnType<typeof openBox>>;

/** Leaves a request as the gate does. */
async function ask(
	{ requests, key = rootJwk }: Pick<Box, 'requests'> & { readonly key?: JWK },
	next: string,
	back: string,
) {
	const offer = async (deb: string) => {
		const facts = await measurePackage(deb);
		const file = `${facts.sha256}.deb`;
		copyFileSync(deb, join(requests, file));
		const version = /([\d.]+)\.deb$/.exec(deb)?.[1] ?? '';
		return { file, release: await signRelease({ version, arch: 'amd64', ...facts, issuedAt: 1_790_000_000 }, key) };
	};
	const request = { next: await offer(next), back: await offer(back) };
	writeFileSync(join(requests, requestFile), JSON.stringify(request));
}

async function boxWith(version: string) {
	const box = await openBox();
	const first = packageOf(box.dir, version);
	await box.machine.install(first);
	return { ...box, first };
}

test('a signed version is installed by dpkg, and stays where the gate is well', async () => {
	const box = await boxWith('1.0.0');
	expect(await box.run()).toBeUndefined();
	await ask(box, packageOf(box.dir, '1.1.0'), box.first);
	expect(await box.run()).toEqual({ kind: 'installed', version: '1.1.0' });
	expect([box.installed(), box.result().kind]).toEqual(['1.1.0', 'installed']);
	expect(await box.run()).toBeUndefined();
});

test('a version under which a lane does not work goes, and the one before comes back', async () => {
	const box = await boxWith('1.0.0');
	await ask(box, packageOf(box.dir, '1.1.0', ['relay']), box.first);
	expect(await box.run()).toMatchObject({ kind: 'rolled_back', why: 'lane-1 does not work' });
	expect([box.installed(), box.result().kind]).toEqual(['1.0.0', 'rolled_back']);
});

test('an update that was cut off in the middle is taken back by the next start', async () => {
	const box = await boxWith('1.0.0');
	await ask(box, packageOf(box.dir, '1.1.0'), box.first);
	const cut: Machine = {
		...box.machine,
		install: async (file) => {
			await box.machine.install(file);
			throw new Error('the power is gone');
		},
	};
	const options = {
		requests: box.requests,
		state: box.state,
		rootKey: rootJwk,
		installed: '1.0.0',
		arch: 'amd64',
	} as const;
	await expect(runUpdater({ ...options, machine: cut })).rejects.toThrow('the power is gone');
	expect(box.installed()).toBe('1.1.0');
	expect(await box.run()).toEqual({ kind: 'rolled_back', version: '1.1.0', why: 'it was interrupted' });
	expect(box.installed()).toBe('1.0.0');
});

test('what is not signed, changed, older or a link is never installed', async () => {
	const box = await boxWith('1.1.0');
	const next = packageOf(box.dir, '1.2.0');
	const refused = async (code: string, change: () => void | Promise<void> = () => {}) => {
		await change();
		await expect(box.run()).rejects.toMatchObject({ code });
		expect([box.installed(), box.result().kind]).toEqual(['1.1.0', 'refused']);
	};
	await ask({ ...box, key: ed25519Jwk }, next, box.first);
	await refused('release_invalid');
	await ask(box, packageOf(box.dir, '1.0.0'), box.first);
	await refused('update_impossible');
	await ask(box, next, next);
	await refused('update_impossible');
	const { sha256 } = await measurePackage(next);
	const place = join(box.requests, `${sha256}.deb`);
	await ask(box, next, box.first);
	await refused('package_invalid', () => writeFileSync(place, Buffer.concat([readFileSync(next), Buffer.alloc(1)])));
	await ask(box, next, box.first);
	await refused('package_invalid', () => {
		rmSync(place);
		symlinkSync(next, place);
	});
	await refused('update_impossible', () => writeFileSync(join(box.requests, requestFile), '{"next":'));
});
