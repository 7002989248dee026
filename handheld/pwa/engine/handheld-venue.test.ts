import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueTicket } from '../../../gate-agent/core/issue.ts';
import { type Handheld, undoMs, type VenueLane } from './handheld.ts';
import { type Device, evt, startWorld, until, type World } from './handheld-world.suite.ts';

let world: World;
let device: Device;
let handheld: Handheld;
beforeAll(async () => {
	world = await startWorld();
	await world.addStaff('chen', 'steward');
	device = world.device('Handheld 1');
	handheld = await device.ready('chen');
}, 60_000);
afterAll(() => world.close(), 60_000);

describe('staff and their venue', () => {
	it('find the tickets of an order, which ones were used and which were refunded', async () => {
		const claims = { nbf: 0, exp: 4_000_000_000 };
		const sold = { order: 'B-7', evt, cls: 'adult', count: 3, use: 1, claims };
		expect(await world.office('POST', '/orders', sold)).toMatchObject({ status: 200 });
		const fresh = await handheld.findOrder(' B-7 ');
		if (fresh.kind !== 'done') throw new Error(JSON.stringify(fresh));
		const [first = 0, second = 0, third = 0] = fresh.value.map(({ idx }) => idx);
		const bought = { evt, cls: 'adult', use: 1, used: 0, revoked: false };
		expect(fresh.value).toEqual([first, second, third].map((idx) => ({ idx, ...bought })));
		expect(await world.office('POST', '/orders/B-7/refund', { idx: [second] })).toMatchObject({ status: 200 });
		const key = world.venue.issuer.keyFor(evt, first) as Parameters<typeof issueTicket>[1];
		const code = await issueTicket({ evt, idx: first, cls: 'adult', ...claims }, key, 'compact');
		expect(await handheld.scan(code)).toMatchObject({ kind: 'granted', rung: 'authority' });
		const seen = await until('the use at the server', async () => {
			const found = await handheld.findOrder('B-7');
			return found.kind === 'done' && found.value.some(({ used }) => used === 1) && found.value;
		});
		expect(seen).toEqual([
			{ ...bought, idx: first, used: 1 },
			{ ...bought, idx: second, revoked: true },
			{ ...bought, idx: third },
		]);
		expect(await handheld.findOrder('B-8')).toMatchObject({ problem: { why: 'not_found' } });
	});

	it('see the other lanes, and what they order arrives there', async () => {
		const other = world.device('Handheld 2');
		await other.ready('chen');
		const lane = await until('the lane of the other', async () =>
			(await lanesNow()).find(({ name }) => name === other.name),
		);
		expect(lane).toMatchObject({ mode: 'entry', phase: 'idle' });
		const order = { device: lane.device, lane: lane.lane, order: 'confirm' } as const;
		expect(await handheld.orderLane(order)).toEqual({ kind: 'done', value: undefined });
		// A handheld has no lane to open, and says so.
		await until('the order', () => other.log.includes('command_ignored'));
		expect(device.log).not.toContain('command_ignored');
		const nowhere = { ...order, device: 'x'.repeat(43) };
		expect(await handheld.orderLane(nowhere)).toMatchObject({ problem: { why: 'not_found' } });
	});

	async function lanesNow(): Promise<readonly VenueLane[]> {
		const lanes = await handheld.lanes();
		return lanes.kind === 'done' ? lanes.value : [];
	}
});

describe('an admission that nobody undoes', () => {
	it('counts as taken once the time to undo it is over', async () => {
		const idx = 900;
		const { code } = await world.ticket('child', { idx });
		const asked = await handheld.scan(code);
		if (asked.kind !== 'ask') throw new Error(JSON.stringify(asked));
		const verdict = await handheld.admit(asked.ask, 1);
		if (verdict.kind !== 'granted' || verdict.undo === undefined) throw new Error(JSON.stringify(verdict));
		const settled = async () => (await device.rows()).filter((row) => row.kind === 'settled').at(-1);
		expect(await settled()).not.toMatchObject({ ticket: `${evt}/${idx}` });
		device.aheadMs += undoMs;
		const row = await until('its end', async () => {
			const last = await settled();
			return last !== undefined && 'ticket' in last && last.ticket === `${evt}/${idx}` && last;
		});
		expect(row).toMatchObject({ outcome: 'taken_assumed', taken: 1 });
		expect(handheld.state()).toMatchObject({ undoable: [] });
		expect(await handheld.undo(verdict.undo.redemptionId)).toMatchObject({ problem: { why: 'too_late' } });
	});
});
