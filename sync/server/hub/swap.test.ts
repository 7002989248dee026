import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HubWorld, startHubWorld } from './hub-world.suite.ts';
import { patience, untilGrants, untilPassedOn } from './outage.suite.ts';
import type { TestDevice } from './test-device.suite.ts';
import { expectGapless, expectSame, tablesOf } from './venue-tables.suite.ts';

let world: HubWorld;
beforeEach(async () => {
	world = await startHubWorld();
}, 60_000);
afterEach(async ({ task }) => {
	if (task.result?.state === 'fail') console.log(world.log.slice(-60).join(''));
	await world.close();
}, 60_000);

const slow = 180_000;

/** How often each ticket is granted where these devices ask for all of them, in any order. */
async function admitAll(devices: readonly TestDevice[], tickets: readonly number[]): Promise<Map<number, number>> {
	const granted = new Map<number, number>();
	for (const idx of tickets) {
		for (const device of devices) {
			if ((await device.admit(idx)) === 'granted') granted.set(idx, (granted.get(idx) ?? 0) + 1);
		}
	}
	return granted;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

describe('the authority', () => {
	it('moves to the hub and back, and no ticket is granted twice by that', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const [a, b] = [await world.addDevice(hub), await world.addDevice(hub)];
		const moves = ['hub-1', 'centre', 'hub-1', 'hub-1', 'centre'] as const;
		const all = new Map<number, number>();
		const count = (granted: Map<number, number>) => {
			for (const [idx, times] of granted) all.set(idx, (all.get(idx) ?? 0) + times);
		};
		count(await admitAll([a, b], numbers(0, 10)));
		for (const [at, server] of moves.entries()) {
			// Some rows travel before the move, others after it.
			await (at % 2 === 0 ? a : b).push();
			const epoch = await world.setAuthority(server);
			await untilGrants(world, server, epoch);
			count(await admitAll([b, a], numbers(0, 20 + at * 5)));
		}
		await a.push();
		await b.push();
		expect([...all.values()]).toEqual(Array(all.size).fill(1));
		const [centre, mine] = [tablesOf(world.centre.dir), tablesOf(hub.dir)];
		const settled = "SELECT count(*) AS rows FROM redemptions WHERE state = 'settled'";
		await expect.poll(() => mine.rows(settled), patience).toEqual([{ rows: all.size }]);
		await expect.poll(() => centre.rows(settled), patience).toEqual([{ rows: all.size }]);
		await expectSame(centre, mine);
		await expectGapless(centre);
		const epochs = await centre.rows('SELECT DISTINCT epoch FROM admission_log ORDER BY epoch');
		expect(epochs.length).toBeGreaterThan(2);
		expect((await world.office('GET', '/cases')).body.cases).toEqual([]);
		await Promise.all([centre.close(), mine.close()]);
	});

	it('takes claims along that no row has ended', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const [a, b] = [await world.addDevice(hub), await world.addDevice(hub)];
		const redemption = 'R'.repeat(22);
		expect((await a.claim({ idx: 1, redemption })).body.answers).toMatchObject([{ result: 'granted' }]);
		for (const server of ['hub-1', 'centre', 'hub-1'] as const) {
			await untilGrants(world, server, await world.setAuthority(server));
			expect(await b.admit(1)).toBe('in_progress');
			expect((await a.openClaims()).body.claims).toMatchObject([{ redemption, journal: 'epoch-1' }]);
			// Asking again gives the same answer in the new epoch.
			expect((await a.claim({ idx: 1, redemption })).body.answers).toMatchObject([{ result: 'granted' }]);
		}
		a.journal.admit({ idx: 1, redemption, rung: 'authority', taken: 1 });
		await a.push();
		await expect.poll(() => b.admit(1), patience).toBe('already_redeemed');
		const [centre, mine] = [tablesOf(world.centre.dir), tablesOf(hub.dir)];
		await untilPassedOn(world, mine);
		await expectSame(centre, mine);
		await Promise.all([centre.close(), mine.close()]);
	});

	it('moves from one hub to another', { timeout: slow }, async () => {
		const [one, two] = [await world.addHub('hub-1'), await world.addHub('hub-2')];
		const [a, b] = [await world.addDevice(one), await world.addDevice(two)];
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		expect(await a.admit(1)).toBe('granted');
		expect((await a.claim({ idx: 2 })).body.answers).toMatchObject([{ result: 'granted' }]);
		// A hub relays only to its centre, and that one does not grant now.
		expect(await b.admit(3)).toBe('no_authority');
		await a.push();
		await untilGrants(world, 'hub-2', await world.setAuthority('hub-2'));
		expect(await b.admit(1)).toBe('already_redeemed');
		expect(await b.admit(2)).toBe('in_progress');
		expect(await b.admit(3)).toBe('granted');
		expect(await a.admit(4)).toBe('no_authority');
		await b.push();
		const [centre, mine] = [tablesOf(world.centre.dir), tablesOf(one.dir)];
		await expect
			.poll(() => mine.rows('SELECT epoch, admissions FROM heads'), patience)
			.toEqual([{ epoch: 3, admissions: 2 }]);
		await expectSame(centre, mine);
		await Promise.all([centre.close(), mine.close()]);
	});

	it('waits for a hub that does not answer until the operator gives it up', { timeout: slow }, async () => {
		const hub = await world.addHub('hub-1');
		const [a, b] = [await world.addDevice(hub), await world.addDevice(world.centre)];
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		await world.centre.stop();
		expect(await a.admit(1)).toBe('granted');
		await a.push();
		await hub.stop();
		await world.centre.start();
		await world.setAuthority('centre');
		expect(await b.admit(1)).toBe('no_authority');
		const waits = (await world.office('GET', '/authority')).body;
		expect(waits).toMatchObject({ now: { server: 'hub-1', here: false }, next: { server: 'centre' } });
		const epoch = await world.setAuthority('centre', true);
		await untilGrants(world, 'centre', epoch);
		expect(await b.admit(2)).toBe('granted');
		// Nobody at the centre knows of this entry yet: it is the price, and a case tells of it.
		expect(await b.admit(1)).toBe('granted');
		await b.push();
		// A device that is pointed to the centre brings its journal along.
		a.moveTo(world.centre);
		a.restart();
		await a.push();
		expect(await a.admit(2)).toBe('already_redeemed');
		const cases = async () => (await world.office('GET', '/cases')).body.cases;
		await expect.poll(cases, patience).toMatchObject([{ kind: 'double_entry', idx: 1, over: 1 }]);
		// The hub comes back with what it had: everything is at the centre once, and it grants nothing.
		await hub.start();
		const c = await world.addDevice(hub);
		await expect.poll(() => c.admit(1), patience).toBe('already_redeemed');
		const [centre, mine] = [tablesOf(world.centre.dir), tablesOf(hub.dir)];
		const heads = 'SELECT epoch, authority, control FROM heads';
		await expect.poll(() => mine.rows(heads), patience).toEqual(await centre.rows(heads));
		await expectGapless(centre);
		expect(await centre.rows('SELECT sum(taken) AS taken FROM rights')).toEqual([{ taken: 3 }]);
		expect(await cases()).toMatchObject([{ kind: 'double_entry', idx: 1, over: 1 }]);
		expect((await cases())[0].redemptions.length).toBe(2);
		await Promise.all([centre.close(), mine.close()]);
	});
});
