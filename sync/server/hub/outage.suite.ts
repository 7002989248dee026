import { expect } from 'vitest';
import { randomOf } from '../../client/test-world.suite.ts';
import { evt } from '../testing/device-journal.ts';
import type { HubWorld } from './hub-world.suite.ts';
import type { TestDevice } from './test-device.suite.ts';
import { expectGapless, expectSame, type VenueTables } from './venue-tables.suite.ts';

/** A busy machine may take its time. */
export const patience = { timeout: 60_000, interval: 100 };

/** Waits until the operator's word is done: this server grants. */
export async function untilGrants(world: HubWorld, server: string, epoch: number): Promise<void> {
	const isThere = async () => {
		const { now, hubs } = (await world.office('GET', '/authority')).body;
		if (now.epoch !== epoch || now.server !== server) return false;
		if (server === 'centre') return now.here;
		const hub = hubs.find((each: { server: string }) => each.server === server);
		return hub.report?.grants === true && hub.report.head.epoch === epoch;
	};
	await expect.poll(isThere, patience).toBe(true);
}

/** Waits until the centre has what a hub has. */
export async function untilPassedOn(world: HubWorld, hub: VenueTables): Promise<void> {
	const [{ epoch, admissions } = {}] = await hub.rows('SELECT epoch, admissions FROM heads');
	const now = async () => (await world.office('GET', '/authority')).body.now;
	await expect.poll(now, patience).toMatchObject({ epoch, admissions });
}

const hourMs = 3_600_000;
const ticketsMax = 1_500;
const visits = 3_000;

/**
 * An hour at the gates while the centre is down: many visitors, some with a ticket that somebody else shows too, gates
 * that lose even the hub for a moment and let people in by policy. Gives how often each ticket was admitted by the hub's
 * word, and by policy.
 */
export async function simulateHour(world: HubWorld, gates: readonly TestDevice[]) {
	const random = randomOf(20_261_122);
	const admitted = new Map<number, { authority: number; local: number }>();
	const atOnce = gates.length;
	for (let visit = 0; visit < visits; visit += atOnce) {
		world.clock.nowMs += (hourMs / visits) * atOnce;
		await Promise.all(
			gates.map(async (gate) => {
				const idx = Math.floor(random() * ticketsMax);
				const count = admitted.get(idx) ?? { authority: 0, local: 0 };
				admitted.set(idx, count);
				if (random() < 0.01) {
					gate.journal.admit({ idx, rung: 'local', taken: 1 });
					count.local += 1;
				} else if ((await gate.admit(idx)) === 'granted') count.authority += 1;
			}),
		);
		// Each gate pushes in its own rhythm.
		await Promise.all(gates.filter(() => random() < 0.2).map((gate) => gate.push()));
	}
	await Promise.all(gates.map((gate) => gate.push()));
	return admitted;
}

/** Over each ticket: the authority granted it once at most, and what policy let in beyond that is one case. */
export async function expectHourAtCentre(
	world: HubWorld,
	admitted: Awaited<ReturnType<typeof simulateHour>>,
	{ centre, hub }: { readonly centre: VenueTables; readonly hub: VenueTables },
): Promise<void> {
	for (const [idx, { authority }] of admitted)
		expect({ idx, authority }).toEqual({ idx, authority: Math.min(1, authority) });
	await untilPassedOn(world, hub);
	await expectSame(centre, hub);
	await expectGapless(centre);
	const total = [...admitted.values()].reduce((sum, { authority, local }) => sum + authority + local, 0);
	const taken = await centre.rows('SELECT sum(taken) AS taken FROM rights');
	expect(taken).toEqual([{ taken: total }]);
	const over = [...admitted].flatMap(([idx, { authority, local }]) => {
		return authority + local > 1 ? [{ idx, over: authority + local - 1 }] : [];
	});
	const { cases } = (await world.office('GET', '/cases')).body;
	const double = cases.filter((each: { kind: string }) => each.kind === 'double_entry');
	const found = double.map(({ idx, over: m }: { idx: number; over: number }) => ({ idx, over: m }));
	const byIdx = (a: { idx: number }, b: { idx: number }) => a.idx - b.idx;
	expect(over.length).toBeGreaterThan(0);
	expect(found.sort(byIdx)).toEqual(over.sort(byIdx));
	expect(cases.length).toBe(double.length);
	for (const { redemptions, evt: event } of double) {
		expect(event).toBe(evt);
		expect(redemptions.length).toBeGreaterThan(1);
	}
}
