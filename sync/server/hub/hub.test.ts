import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HubWorld, startHubWorld } from './hub-world.suite.ts';

const patience = { timeout: 30_000, interval: 50 };

let world: HubWorld;
beforeEach(async () => {
	world = await startHubWorld();
}, 60_000);
afterEach(async ({ task }) => {
	if (task.result?.state === 'fail') console.log(world.log.join(''));
	await world.close();
}, 60_000);

/** Waits until the venue's authority is where the operator put it. */
async function authorityAt(server: string) {
	const shown = async () => (await world.office('GET', '/authority')).body;
	await expect.poll(async () => (await shown()).now.server, patience).toBe(server);
	if (server === 'centre') await expect.poll(async () => (await shown()).now.here, patience).toBe(true);
	else await expect.poll(() => world.log.some((line) => line.includes('"authority_begun"')), patience).toBe(true);
}

describe('a hub', () => {
	it('grants at the venue once the operator has moved the authority, and only there', async () => {
		const hub = await world.addHub('hub-1');
		const [a, b] = [await world.addDevice(hub), await world.addDevice(world.centre)];
		expect(await a.admit(1)).toBe('granted');
		expect(await b.admit(1)).toBe('in_progress');
		await world.setAuthority('hub-1');
		await authorityAt('hub-1');
		await expect.poll(() => a.admit(2), patience).toBe('granted');
		expect(await a.admit(1)).toBe('in_progress');
		expect(await b.admit(3)).toBe('no_authority');
	});
});
