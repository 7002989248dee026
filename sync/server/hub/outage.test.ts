import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../testing/postgres.ts';
import { type HubWorld, startHubWorld } from './hub-world.suite.ts';
import { expectHourAtCentre, simulateHour, untilGrants } from './outage.suite.ts';
import { postgresTables, tablesOf } from './venue-tables.suite.ts';

let postgres: PostgresServer;
beforeAll(async () => {
	postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.stop(), 60_000);

/** A hub grants for an hour while its centre is down; afterwards the centre has all of it. */
async function hourWithoutCentre(world: HubWorld, store?: string): Promise<void> {
	const hub = await world.addHub('hub-1');
	const gates = [];
	for (let n = 0; n < 12; n += 1) gates.push(await world.addDevice(hub));
	await untilGrants(world, 'hub-1', await world.setAuthority('hub-1'));
	await world.centre.stop();
	const admitted = await simulateHour(world, gates);
	expect(admitted.size).toBeGreaterThan(1_000);
	await world.centre.start();
	const tables = store === undefined ? tablesOf(world.centre.dir) : await postgresTables(store);
	const hubTables = tablesOf(hub.dir);
	try {
		await expectHourAtCentre(world, admitted, { centre: tables, hub: hubTables });
		// A device that follows the centre from now on sees the numbers of the hub.
		const [gate] = gates;
		const epoch = 2;
		const since = { epoch, control: 0, admissions: 0 };
		const isAdmission = ({ log }: { log: string }) => log === 'admissions';
		const atHub = (await gate?.feed({ ...since, control: 999 }))?.filter(isAdmission) ?? [];
		gate?.moveTo(world.centre);
		const atCentre = (await gate?.feed(since))?.filter(isAdmission) ?? [];
		expect(atCentre.length).toBeGreaterThan(2_000);
		expect(atCentre).toEqual(atHub);
	} finally {
		await tables.close();
		await hubTables.close();
	}
}

describe('an hour without the centre', () => {
	for (const name of ['SQLite', 'PostgreSQL'] as const) {
		it(`keeps exactly-once at the hub, and the centre on ${name} has it all afterwards`, async () => {
			const store = name === 'SQLite' ? undefined : await postgres.createDatabase();
			const world = await startHubWorld(store === undefined ? {} : { store });
			try {
				await hourWithoutCentre(world, store);
			} catch (error) {
				console.log(world.log.slice(-40).join(''));
				throw error;
			} finally {
				await world.close();
			}
		}, 180_000);
	}
});
