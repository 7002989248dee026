import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restoreBackup } from '../backup/restore-backup.ts';
import { writeBackup } from '../backup/write-backup.ts';
import type { RunningServer } from '../start.ts';
import { type HubWorld, startHubWorld } from './hub-world.suite.ts';
import { patience, untilGrants, untilPassedOn } from './outage.suite.ts';
import type { RunningHub } from './start-hub.ts';
import type { Restartable, TestDevice } from './test-device.suite.ts';
import { expectGapless, tablesOf } from './venue-tables.suite.ts';

let world: HubWorld;
beforeEach(async () => {
	world = await startHubWorld();
}, 60_000);
afterEach(async ({ task }) => {
	if (task.result?.state === 'fail') console.log(world.log.slice(-60).join(''));
	await world.close();
}, 60_000);

const slow = 180_000;

/** A hub that grants, with two devices that follow it. */
async function grantingHub(): Promise<{
	readonly hub: Restartable<RunningHub>;
	readonly a: TestDevice;
	readonly b: TestDevice;
}> {
	const hub = await world.addHub('hub-1');
	const [a, b] = [await world.addDevice(hub), await world.addDevice(hub)];
	await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
	for (const idx of [1, 2, 3]) expect(await a.admit(idx)).toBe('granted');
	await a.push();
	return { hub, a, b };
}

/** The same hub with the data of another folder: as if its disk had been put back. */
function withData(dir: string): Promise<Restartable<RunningHub>> {
	return world.addHub('hub-1', dir);
}

async function neverGrants(devices: readonly TestDevice[], tickets: readonly number[]): Promise<void> {
	for (const idx of tickets) {
		for (const device of devices) expect(await device.admit(idx)).toMatch(/authority/);
	}
}

/** Moves devices to a server and checks that only what is free is granted there. */
async function grantsAgain(at: Restartable<RunningServer>, devices: readonly TestDevice[], used: readonly number[]) {
	const [first] = devices;
	for (const device of devices) {
		device.moveTo(at);
		device.restart();
		await device.push();
		await device.follow();
	}
	for (const idx of used) expect(await first?.admit(idx)).toBe('already_redeemed');
	expect(await first?.admit(900)).toBe('granted');
}

describe('a hub that was restored from an old backup', () => {
	it('never grants in its old epoch, though nobody is there who could know better', { timeout: slow }, async () => {
		const { hub, a, b } = await grantingHub();
		const to = join(hub.dir, '..', 'hub.backup');
		await writeBackup({ dir: hub.dir, to });
		for (const idx of [4, 5]) expect(await b.admit(idx)).toBe('granted');
		await b.push();
		await hub.stop();
		await world.centre.stop();
		const dir = join(hub.dir, '..', 'restored');
		await restoreBackup({ dir, from: to });
		const restored = await withData(dir);
		for (const device of [a, b]) device.moveTo(restored);
		// Neither the centre nor a cursor shows it anything.
		await neverGrants([a, b], [4, 5, 6]);
		await world.centre.start();
		const isSeen = async () => (await world.office('GET', '/authority')).body.hubs[0].lastSeenMs > 0;
		await expect.poll(isSeen, patience).toBe(true);
		await neverGrants([a, b], [4, 5, 6]);
		const epoch = await world.setAuthority('hub-1');
		await untilGrants(world, 'hub-1', epoch);
		await grantsAgain(restored, [a, b], [1, 2, 3, 4, 5]);
		await a.push();
		const [centre, mine] = [tablesOf(world.centre.dir), tablesOf(dir)];
		await untilPassedOn(world, mine);
		await expectGapless(centre);
		expect(await centre.rows('SELECT sum(taken) AS taken FROM rights')).toEqual([{ taken: 6 }]);
		expect(await mine.rows('SELECT sum(taken) AS taken FROM rights')).toEqual([{ taken: 6 }]);
		await Promise.all([centre.close(), mine.close()]);
	});

	it('is found out by its centre where its folder was copied back', { timeout: slow }, async () => {
		const { hub, a, b } = await grantingHub();
		const dir = join(hub.dir, '..', 'copied');
		await hub.stop();
		await cp(hub.dir, dir, { recursive: true });
		await hub.start();
		// It granted something that nobody has a row of, and the centre has answered it since.
		await expect.poll(async () => (await b.claim({ idx: 7 })).status, patience).toBe(200);
		await untilGrants(world, 'hub-1', 2);
		await hub.stop();
		const copied = await withData(dir);
		for (const device of [a, b]) device.moveTo(copied);
		await neverGrants([a, b], [7, 8]);
		await expect.poll(() => world.log.some((line) => line.includes('"hub_stale"')), patience).toBe(true);
		await neverGrants([a, b], [7, 8]);
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		await grantsAgain(copied, [a, b], [1, 2, 3]);
	});

	it('is found out by its devices where the centre is out of reach', { timeout: slow }, async () => {
		const { hub, a, b } = await grantingHub();
		const dir = join(hub.dir, '..', 'copied');
		await hub.stop();
		await cp(hub.dir, dir, { recursive: true });
		await hub.start();
		await world.centre.stop();
		await b.follow();
		await expect.poll(() => b.admit(4), patience).toBe('granted');
		await b.push();
		await b.follow();
		await hub.stop();
		const copied = await withData(dir);
		for (const device of [a, b]) device.moveTo(copied);
		// A device that shows nothing proves nothing.
		await neverGrants([a], [4, 5]);
		await neverGrants([b], [4, 5]);
		// From now on it is known to everybody, also to a device that has not seen it.
		await a.follow();
		await neverGrants([a, b], [5, 6]);
		// Rows are kept, and take no number that was given out before.
		a.journal.admit({ idx: 8, rung: 'local', taken: 1 });
		expect((await a.push()).status).toBe(200);
		const mine = tablesOf(dir);
		expect(await mine.rows('SELECT max(n) AS n FROM admission_log WHERE epoch = 2')).toEqual([{ n: 6 }]);
		await world.centre.start();
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		await grantsAgain(copied, [a, b], [1, 2, 3, 4, 8]);
		await mine.close();
	});

	it('begins no epoch a second time, also as new hardware under its old name', { timeout: slow }, async () => {
		const { hub, a, b } = await grantingHub();
		expect((await b.claim({ idx: 7 })).body.answers).toMatchObject([{ result: 'granted' }]);
		await hub.stop();
		const fresh = await world.addHub('hub-1');
		for (const device of [a, b]) device.moveTo(fresh);
		await expect.poll(() => world.log.some((line) => line.includes('"authority_refused"')), patience).toBe(true);
		await neverGrants([a, b], [7, 8]);
		await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
		await grantsAgain(fresh, [a, b], [1, 2, 3]);
		// The key of the old hub is nobody's any more.
		await hub.start();
		await expect.poll(() => world.log.some((line) => /centre_lost.*device_unknown/.test(line)), patience).toBe(true);
	});
});

describe('a centre that was restored from an old backup', () => {
	it('gets again from its hub what it has lost', { timeout: slow }, async () => {
		const { hub, a, b } = await grantingHub();
		const to = join(hub.dir, '..', 'centre.backup');
		const first = tablesOf(hub.dir);
		await untilPassedOn(world, first);
		await writeBackup({ dir: world.centre.dir, to });
		for (const idx of [4, 5, 6]) expect(await b.admit(idx)).toBe('granted');
		await b.push();
		await untilPassedOn(world, first);
		await world.putBack(to);
		const epoch = async () => (await world.office('GET', '/authority')).body.now.epoch;
		expect(await epoch()).toBeGreaterThan(2);
		await untilGrants(world, 'hub-1', await epoch());
		for (const idx of [1, 2, 3, 4, 5, 6]) expect(await a.admit(idx)).toBe('already_redeemed');
		expect(await a.admit(7)).toBe('granted');
		await a.push();
		const centre = tablesOf(world.centre.dir);
		await untilPassedOn(world, first);
		expect(await centre.rows('SELECT sum(taken) AS taken FROM rights')).toEqual([{ taken: 7 }]);
		await expectGapless(centre);
		expect(await centre.rows('SELECT idx, used FROM rights ORDER BY idx')).toEqual(
			await first.rows('SELECT idx, used FROM rights ORDER BY idx'),
		);
		expect((await world.office('GET', '/cases')).body.cases).toEqual([]);
		await Promise.all([centre.close(), first.close()]);
	});
});
