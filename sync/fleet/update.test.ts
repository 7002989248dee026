import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../../gate-agent/acceptance/gate.suite.ts';
import { openRequest, requestFile } from '../../gate-agent/update/update-request.ts';
import { patienceMs, type Venue } from '../acceptance/venue.suite.ts';
import { openFleet, verdictOn } from './fleet.suite.ts';

const timeout = 300_000;
const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
const version = (
	JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Makes a package by Debian's own tool, signs it where the root key is, and keeps it at the server. */
async function offer(venue: Venue, dir: string, of: string): Promise<void> {
	const tree = join(dir, of);
	mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
	const about = [`Version: ${of}`, `Architecture: ${arch}`, 'Maintainer: nobody <nobody@example.org>'].join('\n');
	writeFileSync(join(tree, 'DEBIAN/control'), `Package: stileward\n${about}\nDescription: a version of the test\n`);
	writeFileSync(join(tree, 'program'), 'x'.repeat(300_000));
	const [deb, release] = [`${tree}.deb`, `${tree}.release`];
	execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, deb], { stdio: 'ignore' });
	writeFileSync(release, await venue.done('release', 'sign', '--dir', join(venue.data, 'keys'), '--deb', deb));
	await venue.done('server', 'release', '--data', venue.data, '--deb', deb, '--release', release);
}

it('a gate fetches what its configuration names from its server, and leaves it to the updater', {
	timeout,
}, async () => {
	await using fleet = await openFleet();
	const { venue } = fleet;
	const gate = await fleet.gate('east');
	for (const each of [version, '99.0.0']) await offer(venue, gate.dir, each);
	appendFileSync(gate.config, 'update: { version: 99.0.0, window: "00:00-00:00" }\n');
	await gate.start();
	const updates = join(gate.data, 'updates');
	const wanted = join(updates, requestFile);
	await until(
		() => `request for an update: ${gate.running().printed().slice(-2_000)}`,
		() => existsSync(wanted),
		patienceMs,
	);
	const rootKey = JSON.parse(readFileSync(join(venue.data, 'keys/root.public.jwk'), 'utf8'));
	const facts = { installed: version, newest: version, arch, rootKey } as const;
	const { next, back } = await openRequest(readFileSync(wanted, 'utf8'), facts);
	expect([next.release.version, back.release.version]).toEqual(['99.0.0', version]);
	for (const { file, release } of [next, back]) {
		expect(readFileSync(join(updates, file)).length).toBe(release.bytes);
	}
	await until(
		() => 'device list with the update',
		async () => (await fleet.devices()).some(({ report }) => report?.update?.state === 'asked'),
		patienceMs,
	);
	expect(await venue.done('device', 'list')).toContain(`${version} → 99.0.0 asked`);
	// Whatever comes of it, visitors are let in meanwhile.
	const [ticket] = await fleet.sell('adult', 1);
	if (ticket) expect(await verdictOn(gate, ticket)).toMatchObject({ event: 'granted' });
});
