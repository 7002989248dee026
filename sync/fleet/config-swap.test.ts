import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patienceMs } from '../acceptance/venue.suite.ts';
import { admitted, lanesOf, pushText, swapped, untilReported, untilRuns } from './config-push.suite.ts';
import { type Fleet, openFleet, untilInStep, verdictOn } from './fleet.suite.ts';
import { openHub } from './hub.suite.ts';

const timeout = 300_000;

let fleet: Fleet;
beforeAll(async () => {
	fleet = await openFleet();
}, timeout);
afterAll(() => fleet[Symbol.asyncDispose](), timeout);

describe('a spare box in the place of a broken one', () => {
	it('needs the code alone: it begins with what the broken one had proven, in a journal of its own', {
		timeout,
	}, async () => {
		const broken = await fleet.gate('east');
		await broken.start();
		await untilInStep(broken);
		const [used, next, last] = await fleet.sell('adult', 3);
		if (!used || !next || !last) throw new Error('three tickets were sold');
		await pushText(fleet, broken, `agent: east\n${lanesOf(broken)}venue: { claimMs: 1000, startMs: 30000 }\n`);
		await untilRuns(broken, { state: 'confirmed', version: 1 });
		await admitted(broken, used);
		await untilInStep(broken);
		await untilReported(fleet, broken, { state: 'confirmed', version: 1 });
		await pushText(fleet, broken, 'lanes: []');
		await untilReported(fleet, broken, {
			state: 'confirmed',
			version: 1,
			refused: { version: 2, why: expect.any(String) },
		});
		await broken.running().kill();

		const spare = await swapped(fleet, broken);
		await spare.start();
		await untilRuns(spare, { state: 'confirmed', version: 1 });
		await untilInStep(spare);
		expect(await verdictOn(spare, used)).toMatchObject({ event: 'denied', reason: 'already_redeemed' });
		await admitted(spare, next);
		// What the venue pushed last is judged here as well.
		await untilReported(fleet, spare, {
			state: 'confirmed',
			version: 1,
			refused: { version: 2, why: expect.any(String) },
		});
		const devices = (await fleet.devices()).filter(({ name }) => name === 'east');
		expect(devices.map(({ device, status }) => [device, status])).toEqual(
			expect.arrayContaining([
				[broken.device, 'disabled'],
				[spare.device, 'successor'],
			]),
		);
		const [old, own] = [broken.device, spare.device].map(
			(id) => devices.find(({ device }) => device === id)?.deviceEpoch,
		);
		expect(own).not.toBe(old);
		expect((await spare.rows('started'))[0]).toMatchObject({ seq: 1, agent: 'east' });
		// It needs no server to begin with it again.
		expect(await spare.running().stop()).toBe(0);
		spare.cable.cut();
		await spare.start();
		expect((await verdictOn(spare, last)).event).toBe('granted');
		await expect.poll(() => broken.opened(), { timeout: patienceMs }).toBe(3);
	});
});

describe('a gate behind a hub', () => {
	it('is given its configuration through the hub', { timeout }, async () => {
		const gate = await fleet.gate('west', 1, await openHub(fleet.venue, 'hub-1'));
		await gate.start();
		await untilInStep(gate);
		const version = await pushText(fleet, gate, lanesOf(gate));
		await untilRuns(gate, { state: 'confirmed', version });
		await untilReported(fleet, gate, { state: 'confirmed', version });
		const [ticket] = await fleet.sell('adult', 1);
		if (ticket) await admitted(gate, ticket);
		await expect.poll(() => gate.opened(), { timeout: patienceMs }).toBe(1);
	});
});
