import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpsClient } from '../../node/https-client.ts';
import { evt } from '../testing/device-journal.ts';
import { type HubWorld, startHubWorld } from './hub-world.suite.ts';
import { patience } from './outage.suite.ts';

const slow = 120_000;
const person = { name: 'li.na', pin: '482913' };

let world: HubWorld;
beforeEach(async () => {
	world = await startHubWorld();
	expect((await world.office('POST', '/staff', { ...person, role: 'supervisor' })).status).toBe(200);
}, 60_000);
afterEach(() => world.close(), 60_000);

describe('staff at a device of a hub', () => {
	it('sign in and ask through it, and are told when the centre is out of reach', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const phone = await world.addDevice(hub);
		const ask = async (call: string, request: object) => (await phone.call('POST', `/v1/staff/${call}`, request)).body;
		const { token, role } = await ask('sign-in', person);
		expect(role).toBe('supervisor');
		expect(await ask('status', { token })).toMatchObject({ name: 'li.na', pinVersion: 1 });
		expect(await ask('ticket', { token, evt, idx: 1 })).toEqual({ evt, idx: 1, revoked: false, uses: [] });
		expect(await ask('order', { token, number: 'A-1' })).toMatchObject({ code: 'not_found' });
		expect(await ask('lanes', { token })).toEqual({ lanes: [] });
		const order = { token, device: phone.id, lane: 'lane-1', order: 'confirm' };
		expect(await ask('lane-order', order)).toMatchObject({ expiresMs: world.clock.nowMs + 5_000 });
		// The session holds at the device, whatever server it speaks to, and at no other device.
		const other = await world.addDevice(hub);
		expect((await other.call('POST', '/v1/staff/status', { token })).body.code).toBe('staff_refused');
		phone.moveTo(world.centre);
		expect(await ask('status', { token })).toMatchObject({ name: 'li.na' });
		phone.moveTo(hub);
		for (let guess = 0; guess < 5; guess += 1) {
			expect(await ask('sign-in', { ...person, pin: '0000' })).toMatchObject({ code: 'staff_refused' });
		}
		expect(await ask('sign-in', person)).toMatchObject({ code: 'rate_limited', retryAfterMs: 30_000 });
		await world.centre.stop();
		for (const [call, request] of [
			['sign-in', person],
			['lanes', { token }],
		] as const) {
			expect(await ask(call, request)).toMatchObject({ status: 503, code: 'no_staff_here' });
		}
		expect(world.log.join('')).not.toContain(person.pin);
	});
});

describe('a handheld that came from one server of a venue', () => {
	it('may call the others: the hub knows its centre, and the centre each hub that has called', {
		timeout: slow,
	}, async () => {
		const hub = await world.addHub('hub-1');
		const allowedAt = async (at: typeof hub | typeof world.centre, origin: string) => {
			const { url, fingerprint } = at.running();
			const client = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
			const { headers } = await client.send({ method: 'GET', path: '/v1/nonce', headers: { origin } });
			client.close();
			return headers['access-control-allow-origin'];
		};
		const [there, here] = [world.centre.running().url, hub.running().url];
		expect(await allowedAt(hub, there)).toBe(there);
		await expect.poll(() => allowedAt(world.centre, here), patience).toBe(here);
		expect(await allowedAt(world.centre, 'https://evil.example')).toBeUndefined();
		// Only the token of a hub makes its word count.
		const { url, fingerprint } = world.centre.running();
		const client = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
		const headers = { 'stileward-origins': 'https://evil.example', authorization: 'Bearer AAAAAAAAAAAAAAAAAAAA' };
		await client.send({ method: 'POST', path: '/v1/hub/report', body: {}, headers });
		client.close();
		expect(await allowedAt(world.centre, 'https://evil.example')).toBeUndefined();
	});
});
