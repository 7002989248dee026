import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verdict } from './handheld.ts';
import { type Device, evt, linkOf, pin, startWorld, until, type World } from './handheld-world.suite.ts';
import { firstLockMs, wrongPinsMax } from './lockout.ts';

let world: World;
let devices = 0;
beforeAll(async () => {
	world = await startWorld();
	await world.addStaff('chen', 'steward');
	await world.addStaff('li', 'supervisor');
}, 60_000);
afterAll(() => world.close(), 60_000);

function newDevice(): Device {
	devices += 1;
	return world.device(`Handheld ${devices}`);
}

const kindOf = (verdict: Verdict) => (verdict.kind === 'granted' ? verdict.rung : verdict.kind);
const deviceId = async (device: Device) => ((await device.keys.get('identity')) as { device: string }).device;

describe('a handheld without its server', () => {
	it('admits on its own word, and everything arrives once it is back', async () => {
		const device = newDevice();
		const handheld = await device.ready('chen');
		const known = await world.ticket('online');
		device.online = false;
		const { code, idx } = await world.ticket('adult');
		expect(kindOf(await handheld.scan(code))).toBe('local');
		expect(await handheld.scan(known.code)).toMatchObject({ screen: { refusal: { reason: 'offline_refused' } } });
		expect(await handheld.findOrder('A-1')).toMatchObject({ kind: 'not_done' });
		expect(await handheld.history({ evt, idx })).toMatchObject({
			complete: false,
			uses: [{ device: device.name, outcome: 'open', rung: 'local', by: 'chen' }],
		});
		device.online = true;
		await until('all rows at the server', async () => linkOf(handheld)?.waiting === 0);
		const seen = await until('the history of the server', async () => {
			const history = await handheld.history({ evt, idx });
			return history.complete && history.uses.length === 1 && history;
		});
		expect(seen.uses).toMatchObject([{ device: device.name, lane: `handheld-${devices}`, rung: 'local', by: 'chen' }]);
	});

	it('lets staff sign in whom it knows, also after a reload, and sends the others to the server', async () => {
		const device = newDevice();
		const first = await device.ready('chen');
		await first.signOut();
		device.online = false;
		expect(first.state()).toMatchObject({ kind: 'signed_out', known: ['chen'] });
		const page = await device.open();
		expect(await page.signIn('li', pin)).toMatchObject({ problem: { why: 'unknown_here' } });
		expect(await page.signIn('chen', '0000')).toMatchObject({ problem: { why: 'wrong_pin' } });
		expect(await page.signIn('chen', pin)).toMatchObject({ kind: 'done' });
		expect(page.state()).toMatchObject({ kind: 'working', staff: { name: 'chen', role: 'steward', offline: true } });
		expect(await page.lanes()).toMatchObject({ problem: { why: 'needs_server' } });
		const again = await device.open();
		expect(again.state()).toMatchObject({ kind: 'working', staff: { name: 'chen', offline: true } });
		device.online = true;
		await until('the link', () => linkOf(again)?.state === 'online');
		expect(await again.lanes()).toMatchObject({ problem: { why: 'sign_in_again' } });
		await again.signIn('chen', pin);
		expect(await again.lanes()).toMatchObject({ kind: 'done' });
	});

	it('locks a name after five wrong PINs, over a reload, and a clock that was set back shortens nothing', async () => {
		const device = newDevice();
		const page = await device.ready('chen');
		await page.signOut();
		device.online = false;
		for (let guess = 1; guess < wrongPinsMax; guess += 1) {
			expect(await page.signIn('chen', '0000')).toMatchObject({ problem: { why: 'wrong_pin' } });
		}
		expect(await page.signIn('chen', '0000')).toMatchObject({ problem: { why: 'locked' } });
		expect(await page.signIn('chen', pin)).toMatchObject({ problem: { why: 'locked' } });
		await page.close();
		device.aheadMs = -3_600_000;
		const later = await device.open();
		const locked = await later.signIn('chen', pin);
		expect(locked).toMatchObject({ problem: { why: 'locked' } });
		// The clock's bound is the newest row, which is a little older than the lock.
		device.aheadMs += firstLockMs + 20_000;
		expect(await later.signIn('chen', pin)).toMatchObject({ kind: 'done' });
	});

	it('alarms when it has not heard of its server for long', async () => {
		const device = newDevice();
		const handheld = await device.ready('chen');
		expect(linkOf(handheld)).toMatchObject({ alarm: false, rung: 'authority', persisted: true, clockTrusted: true });
		device.online = false;
		device.aheadMs = 11 * 60_000;
		await until('an alarm', () => linkOf(handheld)?.alarm);
		expect(linkOf(handheld)).toMatchObject({ rung: 'local', state: 'offline' });
	});
});

describe('a handheld whose page ended', () => {
	it('goes on with the shift and its counters, and takes what was open for taken', async () => {
		const device = newDevice();
		const first = await device.ready('chen');
		const { code, idx } = await world.ticket('adult');
		expect(kindOf(await first.scan(code))).toBe('authority');
		// Nobody closes a page that crashes.
		const second = await device.open();
		expect(second.state()).toMatchObject({ kind: 'working', undoable: [] });
		const rows = (await device.rows()).filter((row) => 'ticket' in row && row.ticket === `${evt}/${idx}`);
		expect(rows).toMatchObject([{ kind: 'granted' }, { kind: 'settled', outcome: 'taken_assumed', taken: 1 }]);
		expect(await second.scan(code)).toMatchObject({ screen: { refusal: { reason: 'already_redeemed' } } });
		expect(second.state()).toMatchObject({ counters: { admitted: 1, refused: 1 } });
	});
});

describe('what the venue takes away', () => {
	it('signs somebody out whom an administrator has disabled, and forgets the PIN', async () => {
		await world.addStaff('wang', 'steward');
		const device = newDevice();
		const handheld = await device.ready('wang');
		expect(await world.office('PUT', '/staff/wang/status', { status: 'disabled' })).toMatchObject({ status: 200 });
		expect(await handheld.lanes()).toMatchObject({ problem: { why: 'sign_in_again' } });
		expect(handheld.state()).toMatchObject({ kind: 'signed_out', known: [] });
		device.online = false;
		expect(await handheld.signIn('wang', pin)).toMatchObject({ problem: { why: 'unknown_here' } });
	});

	it('admits nobody at a device that was disabled, whoever overrides', async () => {
		const device = newDevice();
		const handheld = await device.ready('li');
		const path = `/devices/${await deviceId(device)}/status`;
		expect(await world.office('PUT', path, { status: 'disabled' })).toMatchObject({ status: 200 });
		await until('the news', () => linkOf(handheld)?.problem === 'device_disabled');
		const refused = await until('a refusal', async () => {
			const verdict = await handheld.scan((await world.ticket('adult')).code);
			return verdict.kind === 'refused' && verdict;
		});
		expect(refused.screen.refusal).toEqual({ reason: 'offline_refused' });
		const by = { name: 'li', pin, reason: 'x' };
		const answer = await handheld.override(refused.override ?? 0, by);
		expect(JSON.stringify(answer)).not.toContain('"granted"');
		expect((await handheld.scan((await world.ticket('adult')).code)).kind).toBe('refused');
	});
});
