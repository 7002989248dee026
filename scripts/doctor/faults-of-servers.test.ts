import { spawnSync } from 'node:child_process';
import { chmod, cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startGate, until } from '../../gate-agent/acceptance/gate.suite.ts';
import { runCli } from '../commands/cli.suite.ts';
import { freePort, lineOf, machineAround, runDoctor, setUpGate } from './gate-bench.suite.ts';
import { newCode, type Stranger, setUpVenue, startStranger, type VenueBench } from './venue-bench.suite.ts';

const patience = { timeout: 300_000 };
const dayMs = 86_400_000;

/** A network namespace needs root. */
const mayLeaveNetwork = spawnSync('unshare', ['--net', 'true']).status === 0;
if (!mayLeaveNetwork) console.warn('A NETWORK THAT IS GONE IS NOT TRIED: this user may not make a network namespace.');

const page = { status: 200, type: 'text/html', body: '<html>Welcome to Free Wi-Fi, please sign in</html>' };
const redirect = { status: 302, type: 'text/html', body: '' };

/** A server in the place of the venue's: `pinned` where it has its key. */
const strangers: readonly (readonly [name: string, code: string, server: Stranger, pinned: boolean])[] = [
	['a server with another key', 'server_pin_wrong', {}, false],
	['a certificate that has ended', 'certificate_expired', { nowMs: Date.now() - 120 * dayMs }, true],
	['a certificate that is not valid yet', 'certificate_not_yet_valid', { nowMs: Date.now() + 30 * dayMs }, true],
	['a certificate that ends within days', 'certificate_ends_soon', { nowMs: Date.now() - 86 * dayMs }, true],
	['a certificate for another host', 'certificate_other_host', { hosts: ['venue.example'] }, true],
	['the login page of a network', 'captive_portal', { answer: page }, false],
	['a network that sends to its login page', 'captive_portal', { answer: redirect }, false],
	['a page in the place of the time, under the right key', 'captive_portal', { answer: page }, true],
];

describe('the doctor follows every step to the server of an enrolled gate, and names', () => {
	it('nothing where all is well, stopped or running', patience, async () => {
		const bench = await setUpVenue();
		const stopped = await bench.doctor('--devices');
		expect(stopped).toMatchObject({ code: 0, faults: [], warnings: ['gate_stopped'] });
		expect(stopped.result.findings.map(({ code }) => code)).toContain('server_ok');
		const gate = await bench.start();
		await lineOf(gate, 'venue', { state: 'online' });
		await until('claims that are answered', async () => JSON.stringify(await gate.health()).includes('"reachable"'));
		const running = await bench.doctor();
		expect(running).toMatchObject({ code: 0, faults: [], warnings: [] });
		expect(running.result.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['server_ok', 'venue_ok']));
	});

	it('each server that is not the pinned one or cannot be trusted', patience, async () => {
		const bench = await setUpVenue();
		for (const [name, code, stranger, pinned] of strangers) {
			const { url, fingerprint } = await startStranger(stranger);
			await bench.point({ url, fingerprint: pinned ? fingerprint : bench.venue.server.fingerprint });
			const { result } = await bench.doctor();
			const ofServer = result.findings.filter(({ check, state }) => check === 'server' && state !== 'skipped');
			expect(ofServer.map((finding) => finding.code)[0], name).toBe(code);
		}
	});

	it('a name that nobody resolves, a port that nobody listens at, a program that speaks no TLS', patience, async () => {
		const bench = await setUpVenue();
		const plain = createServer((socket) => socket.end('hello\n'));
		await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
		onTestFinished(() => void plain.close());
		const { port } = plain.address() as { port: number };
		for (const [url, code] of [
			// RFC 2606: this name never exists.
			['https://gates.venue.invalid:8443', 'dns_failed'],
			[`https://127.0.0.1:${await freePort()}`, 'server_unreachable'],
			[`https://127.0.0.1:${port}`, 'server_no_tls'],
		] as const) {
			await bench.point({ url });
			expect((await bench.doctor()).faults, url).toEqual([code]);
		}
	});

	// A network namespace of its own has no name server, and not even loopback.
	it.skipIf(!mayLeaveNetwork)('a network that is gone, with it its names', patience, async () => {
		const bench = await setUpVenue();
		await bench.point({ url: 'https://gates.example.com:8443' });
		const args = ['--config', bench.configFile, '--root', await machineAround(bench.dir)];
		const { faults, result } = await runDoctor(args, { within: ['unshare', '--net'] });
		expect(faults).toEqual(['dns_failed']);
		expect(result.findings.find(({ code }) => code === 'dns_failed')?.fix?.en).toContain('cable');
	});

	it('a code that another box has used before, until one is taken', patience, async () => {
		const { venue, session, dir } = await setUpVenue();
		const box = await setUpGate();
		await box.configure({ gate: { event: undefined, keys: undefined } });
		const { url, fingerprint } = venue.server;
		const enroll = (code: string, data: string) =>
			runCli(['gate', 'enroll', '--server', url, '--fingerprint', fingerprint, '--code', code, '--data', data]);
		const spent = await newCode(venue, session, 'box-2');
		expect((await enroll(spent, join(dir, 'other'))).code).toBe(0);
		expect((await enroll(spent, box.data)).code).not.toBe(0);
		const { faults, result } = await box.doctor();
		expect(faults).toEqual(['not_enrolled', 'enroll_code_used']);
		expect(result.findings.find(({ code }) => code === 'enroll_code_used')?.fix?.en).toContain('stileward device code');
		expect((await enroll(await newCode(venue, session, 'box-3'), box.data)).code).toBe(0);
		expect((await box.doctor()).faults).toEqual([]);
	});

	it('a gate that the office has disabled', patience, async () => {
		const bench = await setUpVenue();
		await setStatus(bench, 'disabled');
		await until('the server to know it', async () => (await bench.doctor()).faults.includes('device_disabled'), 60_000);
		expect((await bench.doctor()).faults).toEqual(['device_disabled']);
	});

	it('a gate that its server does not know any more', patience, async () => {
		const [bench, other] = [await setUpVenue(), await setUpVenue()];
		// A server that was made anew from a copy of its TLS folder shows the same key.
		const key = join(bench.data, 'device.private.jwk');
		await writeFile(key, await readFile(join(other.data, 'device.private.jwk')));
		await bench.point({ device: await other.device() });
		expect((await bench.doctor()).faults).toEqual(['device_unknown']);
	});

	it('a server that grants nothing any more', patience, async () => {
		const bench = await setUpVenue();
		const { token } = await bench.venue.device(bench.session);
		// Somebody has seen more of the venue than this server has, as after a restored backup.
		await bench.venue.ask({ method: 'GET', path: '/v1/feed?since=1.0.99' }, token);
		expect((await bench.doctor()).faults).toEqual(['hub_not_granting']);
	});

	it(
		'a clock that is minutes away from the signed time, and at once a key that others can read',
		patience,
		async () => {
			let aheadMs = 0;
			const bench = await setUpVenue({ nowMs: () => Date.now() + aheadMs });
			aheadMs = 600_000;
			await chmod(join(bench.data, 'device.private.jwk'), 0o640);
			const { faults, result } = await bench.doctor();
			expect(faults).toEqual(['key_readable', 'clock_wrong']);
			expect(Number(result.findings.find(({ code }) => code === 'clock_wrong')?.evidence.seconds)).toBeLessThan(-500);
		},
	);

	it('a device key that others can read', patience, async () => {
		const bench = await setUpVenue();
		await chmod(join(bench.data, 'device.private.jwk'), 0o644);
		expect((await bench.doctor()).faults).toEqual(['key_readable']);
	});

	it('a clone: the disk of the gate in a second box, and both admit', patience, async () => {
		const bench = await setUpVenue();
		const clone = join(bench.dir, 'clone');
		await cp(bench.data, clone, { recursive: true });
		const gate = await bench.start();
		await lineOf(gate, 'venue', { state: 'online' });
		// The second box has other plugs, and none in them: its first row alone says that the journal went two ways.
		const plugs = ['scanner', 'relay', 'inputs'].map((slot) => `lanes.0.${slot}.path=/dev/nothing`);
		const sets = [`data=${clone}`, ...plugs, `http.port=${await freePort()}`];
		const second = startGate(sets, { config: bench.configFile });
		await lineOf(second, 'started');
		await lineOf(second, 'venue', { state: 'online' });
		const isNamed = async () => {
			// Whoever is left behind shows it with the next row that it writes.
			await bench.scanner.present('a code of somebody else');
			const own = await bench.doctor();
			const others = await runDoctor(['--config', bench.configFile, ...sets.flatMap((set) => ['--set', set])]);
			return [...own.faults, ...others.faults].includes('device_quarantined');
		};
		await until('a quarantined gate', isNamed, 120_000);
	});
});

async function setStatus({ venue, session, device }: VenueBench, status: string): Promise<void> {
	const path = `/v1/office/devices/${await device()}`;
	const answer = await venue.ask({ method: 'PUT', path: `${path}/status`, body: { status } }, session);
	expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}
