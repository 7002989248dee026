import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Allowance, RedemptionId } from '../../../gate-agent/core/redemption.ts';
import { ticketId } from '../../../gate-agent/core/ticket.ts';
import { isResponse } from '../../protocol/paths.ts';
import { staffSessionMs } from '../../protocol/staff.ts';
import { type HubWorld, startHubWorld } from '../hub/hub-world.suite.ts';
import type { TestDevice } from '../hub/test-device.suite.ts';
import { evt, newRedemption } from '../testing/device-journal.ts';

const pin = '482913';

let world: HubWorld;
let phone: TestDevice;
let people = 0;
let name: string;
beforeAll(async () => {
	world = await startHubWorld();
	const claims = { nbf: 0, exp: 4_000_000_000 };
	const order = { order: 'A-1', evt, cls: 'adult', count: 3, claims };
	expect((await world.office('POST', '/orders', order)).status).toBe(200);
}, 60_000);
afterAll(() => world.close(), 60_000);
beforeEach(async () => {
	people += 1;
	name = `li.na-${people}`;
	// A device of its own, because wrong PINs are counted by device, too.
	phone = await world.addDevice(world.centre);
	expect(await world.office('POST', '/staff', { name, role: 'steward', pin })).toMatchObject({ status: 200 });
});

const signIn = (device: TestDevice, over: object = {}) =>
	device.call('POST', '/v1/staff/sign-in', { name, pin, ...over });

async function tokenAt(device: TestDevice): Promise<string> {
	const { status, body } = await signIn(device);
	expect(status, JSON.stringify(body)).toBe(200);
	return body.token;
}

const status = (device: TestDevice, token: string) => device.call('POST', '/v1/staff/status', { token });

async function acts(): Promise<readonly { act: string; operator: string; subject: string }[]> {
	const { body } = await world.office('GET', '/audit');
	return body.rows.filter(({ operator }: { operator: string }) => operator === name).toReversed();
}

describe('somebody of the staff', () => {
	it('signs in at a device with the PIN, for a long day and at this device alone', async () => {
		const signedIn = await signIn(phone);
		expect(isResponse('staffSignIn', signedIn.body)).toBe(true);
		const untilMs = world.clock.nowMs + staffSessionMs;
		expect(signedIn.body).toMatchObject({ name, role: 'steward', pinVersion: 1, untilMs });
		const { token } = signedIn.body;
		expect((await status(phone, token)).body).toEqual({ name, role: 'steward', pinVersion: 1, untilMs });
		const other = await world.addDevice(world.centre);
		expect((await status(other, token)).body.code).toBe('staff_refused');
		world.clock.nowMs += staffSessionMs;
		expect((await status(phone, token)).body.code).toBe('staff_refused');
		// The administrator's session is shorter.
		world.clock.nowMs -= staffSessionMs;
	});

	it('hears the same for a wrong name and a wrong PIN, and waits longer and longer after five', async () => {
		expect((await signIn(phone, { name: 'nobody' })).body).toEqual((await signIn(phone, { pin: '0000' })).body);
		for (let guess = 0; guess < 3; guess += 1) await signIn(phone, { pin: '0000' });
		const locked = await signIn(phone);
		expect(locked).toMatchObject({ status: 429, body: { code: 'rate_limited', retryAfterMs: 30_000 } });
		world.clock.nowMs += 30_000;
		expect((await signIn(phone, { pin: '0000' })).body.code).toBe('staff_refused');
		expect((await signIn(phone)).body).toMatchObject({ code: 'rate_limited', retryAfterMs: 60_000 });
		world.clock.nowMs += 60_000;
		expect((await signIn(phone)).status).toBe(200);
	});

	it('is locked by guesses at that name from many devices', async () => {
		for (let guess = 0; guess < 5; guess += 1) {
			const device = await world.addDevice(world.centre);
			expect((await signIn(device, { pin: '0000' })).body.code).toBe('staff_refused');
		}
		expect((await signIn(phone)).body.code).toBe('rate_limited');
	});

	it('is out at once when disabled, and may come back', async () => {
		const token = await tokenAt(phone);
		await world.office('PUT', `/staff/${name}/status`, { status: 'disabled' });
		expect((await status(phone, token)).body.code).toBe('staff_refused');
		expect((await signIn(phone)).body.code).toBe('staff_refused');
		await world.office('PUT', `/staff/${name}/status`, { status: 'active' });
		expect((await status(phone, token)).body.code).toBe('staff_refused');
		await tokenAt(phone);
	});

	it('has a new PIN, which ends the sessions of the old one', async () => {
		const token = await tokenAt(phone);
		const changed = await world.office('PUT', `/staff/${name}/pin`, { pin: '7777' });
		expect(changed.body).toEqual({ name, pinVersion: 2 });
		expect((await status(phone, token)).body.code).toBe('staff_refused');
		expect((await signIn(phone)).body.code).toBe('staff_refused');
		expect((await signIn(phone, { pin: '7777' })).body).toMatchObject({ pinVersion: 2 });
		const { body } = await world.office('GET', '/staff');
		expect(body.staff).toContainEqual({ name, role: 'steward', status: 'active', pinVersion: 2 });
		expect((await world.office('POST', '/staff', { name, role: 'steward', pin })).body.code).toBe('staff_exists');
		expect((await world.office('PUT', '/staff/nobody/pin', { pin })).body.code).toBe('not_found');
	});

	it('leaves neither PIN nor token in the log', async () => {
		const token = await tokenAt(phone);
		await signIn(phone, { pin: '0000' });
		expect(world.log.join('')).toContain('staff_sign_in');
		expect(world.log.join('')).not.toContain(pin);
		expect(world.log.join('')).not.toContain(token);
	});
});

describe('staff with a session', () => {
	it('see what became of a ticket: where it was used, by whom, and what was given back', async () => {
		const token = await tokenAt(phone);
		const gate = await world.addDevice(world.centre, 'gate-north');
		const history = async () => (await phone.call('POST', '/v1/staff/ticket', { token, evt, idx: 1 })).body;
		const sold = { evt, idx: 1, cls: 'adult', use: 1, order: 'A-1', revoked: false };
		expect(await history()).toEqual({ ...sold, uses: [] });
		const redemption = newRedemption();
		expect((await gate.claim({ redemption, idx: 1 })).body.answers[0].result).toBe('granted');
		expect((await history()).uses).toMatchObject([{ device: 'gate-north', lane: 'lane-1', outcome: 'open', taken: 0 }]);
		gate.journal.admit({ idx: 1, redemption, rung: 'authority' });
		const ended = { by: 'chen' };
		const settled = { outcome: 'not_taken', taken: 0, of: 1, back: 1, lane: 'lane-1' } as const;
		const id = redemption as RedemptionId;
		gate.journal.append({ kind: 'settled', redemption: id, ticket: ticketId(evt, 1), ...settled, ...ended });
		await gate.push();
		expect((await history()).uses).toMatchObject([{ outcome: 'not_taken', taken: 0, by: 'chen' }]);
		const said = { by: 'zhao', reason: '她去了洗手间' };
		const again = newRedemption() as RedemptionId;
		const ticket = { ticket: ticketId(evt, 1), allowance: 'ticket' as Allowance, cls: 'adult', uses: 1 };
		const place = { rung: 'staff', lane: 'lane-1', zone: 'main' } as const;
		gate.journal.append({ kind: 'granted', redemption: again, ...ticket, ...place, ...said });
		gate.journal.settle(again, { idx: 1, taken: 1 });
		await gate.push();
		const after = await history();
		expect(isResponse('staffTicket', after)).toBe(true);
		expect(after.uses).toMatchObject([
			{ outcome: 'taken', taken: 1, rung: 'staff', ...said },
			{ outcome: 'not_taken', rung: 'authority' },
		]);
		expect(await phone.call('POST', '/v1/staff/ticket', { token, evt, idx: 99 })).toMatchObject({
			body: { evt, idx: 99, revoked: false, uses: [] },
		});
	});

	it('find the tickets of an order', async () => {
		const token = await tokenAt(phone);
		const claims = { nbf: 0, exp: 4_000_000_000 };
		await world.office('POST', '/orders', { order: 'B-7', evt, cls: 'child', count: 250, use: 2, claims });
		const [gate, from] = [await world.addDevice(world.centre), 3];
		expect(await gate.admit(from, { use: 2 })).toBe('granted');
		await gate.push();
		await world.office('POST', '/orders/B-7/refund', { idx: [from + 1] });
		const { body } = await phone.call('POST', '/v1/staff/order', { token, number: 'B-7' });
		expect(isResponse('staffOrder', body)).toBe(true);
		expect(body).toMatchObject({ number: 'B-7', more: true });
		expect(body.tickets.slice(0, 3)).toEqual([
			{ evt, idx: from, cls: 'child', use: 2, used: 1, revoked: false },
			{ evt, idx: from + 1, cls: 'child', use: 2, used: 0, revoked: true },
			{ evt, idx: from + 2, cls: 'child', use: 2, used: 0, revoked: false },
		]);
		expect(body.tickets.length).toBe(200);
		expect((await phone.call('POST', '/v1/staff/order', { token, number: 'B-8' })).body.code).toBe('not_found');
	});

	it('see the lanes and answer one that waits: its device hears it by the feed, in their name', async () => {
		const token = await tokenAt(phone);
		const gate = await world.addDevice(world.centre, 'gate-south');
		const lane = { lane: 'lane-1', mode: 'entry', phase: 'confirm', emergency: false, missing: [], alarms: [] };
		const since = await gate.follow();
		await gate.call('POST', '/v1/report', { version: '1', waiting: 0, clockTrusted: true, lanes: [lane] });
		const { body } = await phone.call('POST', '/v1/staff/lanes', { token });
		expect(isResponse('staffLanes', body)).toBe(true);
		const found = { device: gate.id, name: 'gate-south', lane: 'lane-1', mode: 'entry', phase: 'confirm' };
		expect(body.lanes).toContainEqual({ ...found, seenMs: world.clock.nowMs });
		const order = { token, device: gate.id, lane: 'lane-1', order: 'confirm' };
		const sent = await phone.call('POST', '/v1/staff/lane-order', order);
		expect(sent.body).toMatchObject({ expiresMs: world.clock.nowMs + 5_000 });
		const changes = (await gate.feed(since)).map(({ change }) => change);
		const command = { kind: 'confirm', by: name };
		expect(changes).toContainEqual(
			expect.objectContaining({ kind: 'command', id: sent.body.id, device: gate.id, lane: 'lane-1', command }),
		);
		const unknown = await phone.call('POST', '/v1/staff/lane-order', { ...order, device: 'x'.repeat(43) });
		expect(unknown.body.code).toBe('not_found');
	});

	it('leave a row for each act', async () => {
		const token = await tokenAt(phone);
		await phone.call('POST', '/v1/staff/ticket', { token, evt, idx: 2 });
		await phone.call('POST', '/v1/staff/order', { token, number: 'A-1' });
		await phone.call('POST', '/v1/staff/lane-order', { token, device: phone.id, lane: 'lane-9', order: 'reject' });
		expect((await acts()).map(({ act, subject }) => `${act} ${subject}`)).toEqual([
			`staff.sign_in ${phone.id}`,
			`staff.ticket ${evt}/2`,
			'staff.order A-1',
			`staff.lane ${phone.id} lane-9 reject`,
		]);
	});

	it('are nobody without one', async () => {
		const token = 'T'.repeat(43);
		const calls = {
			status: {},
			ticket: { evt, idx: 1 },
			order: { number: 'A-1' },
			lanes: {},
			'lane-order': { device: phone.id, lane: 'lane-1', order: 'confirm' },
		};
		for (const [call, request] of Object.entries(calls)) {
			const { body } = await phone.call('POST', `/v1/staff/${call}`, { token, ...request });
			expect(body.code, call).toBe('staff_refused');
		}
		expect(await acts()).toEqual([]);
	});
});
