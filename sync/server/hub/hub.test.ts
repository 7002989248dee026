import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { newKey } from '../running-server.suite.ts';
import { evt } from '../testing/device-journal.ts';
import { certificateDays, readCertificates } from '../tls/certificates.ts';
import { renewBeforeMs, tlsFiles } from '../tls/venue-tls.ts';
import { type HubWorld, startHubWorld } from './hub-world.suite.ts';
import { patience, untilGrants, untilPassedOn } from './outage.suite.ts';
import { expectSame, tablesOf } from './venue-tables.suite.ts';

let world: HubWorld;
beforeEach(async () => {
	world = await startHubWorld();
}, 60_000);
afterEach(() => world.close(), 60_000);

const slow = 120_000;

describe('a hub', () => {
	it('asks its centre until the operator lets it grant, and then grants itself', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const [a, b] = [await world.addDevice(hub), await world.addDevice(world.centre)];
		expect(await a.admit(1)).toBe('granted');
		expect(await b.admit(1)).toBe('in_progress');
		expect((await a.openClaims()).body.claims.length).toBe(1);
		await a.push();
		await expect.poll(async () => (await a.openClaims()).body.claims, patience).toEqual([]);
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		expect(await a.admit(2)).toBe('granted');
		// What the centre counted before counts.
		expect(await a.admit(1)).toBe('already_redeemed');
		expect(await b.admit(3)).toBe('no_authority');
		expect((await b.openClaims()).body.code).toBe('no_authority');
	});

	it('has for its devices what the centre counts and tells, with the same numbers', { timeout: slow }, async () => {
		const early = await world.addDevice(world.centre);
		for (const idx of [1, 2, 3]) expect(await early.admit(idx)).toBe('granted');
		await early.push();
		const hub = await world.addHub('hub-1');
		const a = await world.addDevice(hub);
		const start = await a.follow();
		expect(start).toMatchObject({ epoch: 1, admissions: 6 });
		await early.admit(4);
		await early.push();
		await a.admit(5);
		await a.push();
		const order = { order: 'A-1', evt, cls: 'adult', count: 10, claims: { nbf: 0, exp: 4_000_000_000 } };
		expect((await world.office('POST', '/orders', order)).status).toBe(200);
		expect((await world.office('POST', '/orders/A-1/refund', {})).status).toBe(200);
		const heard = async () => (await a.feed(start)).map(({ log, n }) => `${log} ${n}`);
		const log = [7, 8, 9, 10].map((n) => `admissions ${n}`);
		await expect.poll(async () => (await heard()).filter((text) => text.startsWith('adm')), patience).toEqual(log);
		await expect.poll(async () => (await heard()).includes(`control ${start.control + 1}`), patience).toBe(true);
		const [centre, mine] = [tablesOf(world.centre.dir), tablesOf(hub.dir)];
		const revoked = 'SELECT evt, page, hex(bits) AS bits FROM revoked_pages';
		await expect.poll(() => mine.rows(revoked), patience).toEqual(await centre.rows(revoked));
		expect(await mine.rows('SELECT n, change FROM admission_log')).toEqual(
			await centre.rows('SELECT n, change FROM admission_log WHERE n > 6'),
		);
		await Promise.all([centre.close(), mine.close()]);
	});

	it('enrolls devices through its centre, and says clearly that it cannot without it', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const { code } = (await world.office('POST', '/codes', { name: 'gate-9' })).body;
		const body = { code, key: onlyPublic(await newKey()), name: 'gate-9', version: '0.1.0' };
		const enroll = () => world.ask(hub, { method: 'POST', path: '/v1/enroll', body });
		await world.centre.stop();
		expect((await enroll()).body).toMatchObject({
			code: 'overloaded',
			detail: expect.stringMatching(/centre.*only it/),
		});
		await world.centre.start();
		await expect.poll(async () => (await enroll()).status, patience).toBe(200);
		// A code is good once, also where it is shown to the hub.
		expect((await enroll()).body).toMatchObject({ code: 'code_invalid' });
		const { devices } = (await world.office('GET', '/devices')).body;
		expect(devices.map(({ name }: { name: string }) => name)).toEqual(['gate-9']);
	});

	it('passes on pushes and asks its centre for their texts, now or later', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const a = await world.addDevice(hub, 'gate-1');
		const since = await a.follow();
		const text = 'lanes: [{ id: lane-1 }]';
		const { version, sha256 } = (await world.office('POST', '/configs/gate-1', { text })).body;
		const told = async () => (await a.feed(since)).map(({ change }) => change);
		await expect.poll(told, patience).toContainEqual({ kind: 'config', device: a.id, version, sha256 });
		const ask = async () => (await a.call('GET', '/v1/config')).body;
		expect(await ask()).toEqual({ gate: 'gate-1', newest: { version, sha256, text } });
		expect((await a.call('GET', `/v1/config?heard=${version}.${sha256}`)).body).toEqual({ gate: 'gate-1' });
		await world.centre.stop();
		expect(await ask()).toMatchObject({ code: 'overloaded', retryAfterMs: expect.any(Number) });
		await world.centre.start();
		await expect.poll(ask, patience).toMatchObject({ newest: { version } });
	});

	it('is made by the code of a hub alone, which makes no device', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const { code } = (await world.office('POST', '/codes', { name: 'hub-2', hub: true })).body;
		const key = onlyPublic(await newKey());
		const device = { code, key, name: 'x', version: '1' };
		expect((await world.ask(world.centre, { method: 'POST', path: '/v1/enroll', body: device })).body).toMatchObject({
			code: 'code_invalid',
		});
		const { code: ordinary } = (await world.office('POST', '/codes', { name: 'gate-1' })).body;
		const join = { code: ordinary, key, certificateRequest: '-----BEGIN CERTIFICATE REQUEST-----' };
		const joined = await world.ask(world.centre, { method: 'POST', path: '/v1/hub/join', body: join });
		expect(joined.body).toMatchObject({ code: 'malformed' });
		expect((await world.office('POST', '/codes', { name: 'centre', hub: true })).body.code).toBe('malformed');
		expect((await world.office('POST', '/codes', { name: 'Not a name', hub: true })).body.code).toBe('malformed');
		// Neither the token of a device opens a call of hubs, nor does anything without one.
		const a = await world.addDevice(world.centre);
		expect((await a.call('POST', '/v1/hub/begin', { epoch: 1, instance: 'A'.repeat(22) })).body.code).toBe(
			'token_invalid',
		);
		expect((await world.ask(world.centre, { method: 'GET', path: '/v1/hub/state' })).body.code).toBe('token_invalid');
		expect((await world.office('POST', '/authority', { server: 'hub-9' })).body.code).toBe('not_found');
		expect(hub.running().fingerprint).toBe(world.centre.running().fingerprint);
	});

	it('has no office, and names its centre', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const login = { method: 'POST', path: '/v1/office/login', body: { name: 'mina', password: 'x' } } as const;
		const refused = await world.ask(hub, login);
		expect(refused).toMatchObject({ status: 421, body: { code: 'wrong_server' } });
		expect(refused.body.detail).toContain(world.centre.running().url);
		const health = async () => (await world.ask(hub, { method: 'GET', path: '/healthz' })).status;
		await expect.poll(health, patience).toBe(200);
		const { body } = await world.ask(hub, { method: 'GET', path: '/metrics' });
		expect(body).toMatch(/^stileward_hub_centre_reached [01]$/m);
		expect(body).toMatch(/^stileward_hub_grants 0$/m);
		expect(body).toMatch(/^stileward_hub_segments_waiting 0$/m);
	});

	it('passes on a journal that forked, and both servers put its device into quarantine', {
		timeout: slow,
	}, async () => {
		const hub = await world.addHub('hub-1');
		const a = await world.addDevice(hub);
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		await a.admit(1);
		const copied = a.journal.copy();
		await a.admit(2);
		await a.push();
		copied.admit({ idx: 9, rung: 'local', taken: 1 });
		expect((await a.pushCopy(copied)).body).toMatchObject({ status: 'quarantined' });
		const cases = async () => (await world.office('GET', '/cases')).body.cases;
		await expect.poll(cases, patience).toMatchObject([{ kind: 'cloned_device', device: a.id }]);
		const { devices } = (await world.office('GET', '/devices')).body;
		expect(devices).toMatchObject([{ device: a.id, status: 'quarantined' }]);
	});

	it('gives back what staff release at the centre, and shows what is open there', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const [dead, b] = [await world.addDevice(hub), await world.addDevice(hub)];
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		expect((await dead.claim({ idx: 1 })).body.answers).toMatchObject([{ result: 'granted' }]);
		expect(await b.admit(1)).toBe('in_progress');
		world.clock.nowMs += 300_000;
		const open = async () => (await world.office('GET', `/devices/${dead.id}/claims`)).body.claims;
		await expect.poll(open, patience).toMatchObject([{ evt, idx: 1, uses: 1 }]);
		const released = await world.office('POST', `/devices/${dead.id}/claims/release`, {});
		expect(released.body).toMatchObject({ asked: [expect.any(String)] });
		await expect.poll(() => b.admit(1), patience).toBe('granted');
		await b.push();
		const [centre, mine] = [tablesOf(world.centre.dir), tablesOf(hub.dir)];
		await untilPassedOn(world, mine);
		await expectSame(centre, mine);
		await Promise.all([centre.close(), mine.close()]);
	});

	it('grants a group ticket as often as it says while the centre is down', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const gates = [await world.addDevice(hub), await world.addDevice(hub), await world.addDevice(hub)];
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		await world.centre.stop();
		const group = { use: 20 };
		const answers = await Promise.all(
			Array.from({ length: 60 }, (_, i) => gates[i % gates.length]?.admit(5, { ...group, uses: 1 })),
		);
		expect(answers.filter((answer) => answer === 'granted')).toHaveLength(20);
		for (const gate of gates) await gate.push();
		expect(await gates[0]?.admit(5, group)).toBe('no_uses_left');
		await world.centre.start();
		const [centre, mine] = [tablesOf(world.centre.dir), tablesOf(hub.dir)];
		await untilPassedOn(world, mine);
		await expectSame(centre, mine);
		expect(await centre.rows('SELECT use, used, held, taken FROM rights')).toEqual([
			{ use: 20, used: 20, held: 0, taken: 20 },
		]);
		expect((await world.office('GET', '/cases')).body.cases).toEqual([]);
		await Promise.all([centre.close(), mine.close()]);
	});

	it('serves on with its certificate while the centre is down, and renews it when the centre is there', {
		timeout: slow,
	}, async () => {
		const hub = await world.addHub('hub-1');
		const a = await world.addDevice(hub);
		const pin = hub.running().fingerprint;
		const chain = () => readFile(join(hub.dir, 'tls', tlsFiles.server), 'utf8');
		const first = await chain();
		const answers = async () => (await world.ask(hub, { method: 'GET', path: '/healthz' })).status > 0;
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));

		await a.follow();
		world.clock.nowMs += certificateDays.server * 86_400_000 - renewBeforeMs + 3_600_000;
		await world.centre.stop();
		await hub.stop();
		await hub.start();
		expect(await answers()).toBe(true);
		expect(await chain()).toBe(first);
		await expect.poll(() => a.admit(1), patience).toBe('granted');

		await world.centre.start();
		await hub.stop();
		await hub.start();
		expect(await answers()).toBe(true);
		expect(hub.running().fingerprint).toBe(pin);
		const [renewed, before] = [readCertificates(await chain())[0], readCertificates(first)[0]];
		expect(Date.parse(renewed?.validTo ?? '')).toBeGreaterThan(Date.parse(before?.validTo ?? ''));
		await expect.poll(() => a.admit(2), patience).toBe('granted');
	});
});
