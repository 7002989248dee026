import { describe, expect, test } from 'vitest';
import type { ClaimResult } from './claimer.ts';
import { admit, claimOf, createWorld, p256Jwk } from './test-world.suite.ts';

/** The result of a claim and the virtual time that it took. */
async function timed(world: ReturnType<typeof createWorld>, claim: Promise<ClaimResult>) {
	const fromMs = world.clock.monoMs();
	let took = Number.NaN;
	const done = claim.then((result) => {
		took = world.clock.monoMs() - fromMs;
		return result;
	});
	await world.clock.advance(1_000);
	return { result: await done, took };
}

describe('a claim', () => {
	test('is granted once, and says where it went the second time', async () => {
		const world = createWorld();
		const [a, b] = [await world.addGate(), await world.addGate({ key: p256Jwk })];
		await world.clock.advance(2_000);
		expect((await timed(world, a.client.claimer.claim(claimOf(1)))).result).toEqual({ kind: 'granted', epoch: 1 });
		const second = await timed(world, b.client.claimer.claim(claimOf(1)));
		expect(second.result).toMatchObject({ kind: 'denied', answer: { reason: 'in_progress' } });
	});

	test('has the same answer for the same redemption, also when its answer was lost', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		const claim = claimOf(2);
		gate.weather.lossAfter = 1;
		expect((await timed(world, gate.client.claimer.claim(claim))).result.kind).toBe('out_of_reach');
		gate.weather.lossAfter = 0;
		await world.clock.advance(5_000);
		expect((await timed(world, gate.client.claimer.claim(claim))).result.kind).toBe('granted');
		expect(world.venue.rights.grants.get('lantern-2026/2 ticket')).toBe(1);
	});

	test('of several lanes in one tick travels in one request of at most 64', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		const before = world.venue.calls.get('claims') ?? 0;
		const claims = Array.from({ length: 100 }, (_, idx) => gate.client.claimer.claim(claimOf(idx)));
		await world.clock.advance(100);
		expect((await Promise.all(claims)).every(({ kind }) => kind === 'granted')).toBe(true);
		expect((world.venue.calls.get('claims') ?? 0) - before).toBe(2);
	});

	test('at a server that hangs returns within its budget and 5 ms, and other lanes do not wait in turn', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		gate.weather.link = 'hang';
		const first = await timed(world, gate.client.claimer.claim(claimOf(1)));
		expect(first.result).toEqual({ kind: 'out_of_reach', why: 'timeout' });
		expect(first.took).toBeLessThanOrEqual(155);
		expect(gate.client.claimer.authority()).toBe('out_of_reach');
		for (let idx = 2; idx < 20; idx++) {
			const next = await timed(world, gate.client.claimer.claim(claimOf(idx)));
			expect(next).toEqual({ result: { kind: 'out_of_reach', why: 'resting' }, took: 0 });
		}
	});

	test('waits its budget for one lane at most, each time that a server answers probes and hangs on claims', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		gate.weather.delayMs = [100, 100];
		let waited = 0;
		for (let idx = 0; idx < 120; idx++) {
			if ((await timed(world, gate.client.claimer.claim(claimOf(idx)))).took > 0) waited += 1;
		}
		// Two minutes of claims, one a second: the rests double up to half a minute.
		expect(waited).toBeLessThan(15);
		gate.weather.delayMs = [1, 1];
		await world.clock.advance(60_000);
		expect((await timed(world, gate.client.claimer.claim(claimOf(500)))).result.kind).toBe('granted');
		expect(gate.client.claimer.authority()).toBe('reachable');
	});

	test('begins with a short rest again once the authority has answered', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		for (let loss = 0; loss < 8; loss++) {
			gate.weather.link = 'down';
			await timed(world, gate.client.claimer.claim(claimOf(loss)));
			gate.weather.link = 'up';
			await world.clock.advance(3_000);
			const { result } = await timed(world, gate.client.claimer.claim(claimOf(100 + loss)));
			expect(result).toEqual({ kind: 'granted', epoch: 1 });
		}
	});

	test('says no authority for a server that cannot grant, and refuses an older epoch', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		world.venue.beginEpoch();
		await world.clock.advance(2_000);
		world.venue.epoch = 1;
		const older = await timed(world, gate.client.claimer.claim(claimOf(1)));
		expect(older.result).toEqual({ kind: 'no_authority', why: 'stale_authority' });
		world.venue.lies.instead.claims = ({ body }) => ({
			status: 200,
			contentType: 'application/json',
			// The claimer sends claims; the fake grants what it is asked.
			text: JSON.stringify({
				epoch: 1,
				answers: (body as { claims: { redemption: string }[] }).claims.map(({ redemption }) => ({
					redemption,
					result: 'granted',
				})),
			}),
		});
		const liar = await world.addGate({ key: p256Jwk, replica: gate.replica });
		await world.clock.advance(2_000);
		const lied = await timed(world, liar.client.claimer.claim(claimOf(1)));
		expect(lied.result).toEqual({ kind: 'no_authority', why: 'older_epoch' });
	});

	test('opens no gate with an answer for another claim', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		const text = JSON.stringify({ epoch: 1, answers: [{ redemption: 'x'.repeat(22), result: 'granted' }] });
		world.venue.lies.instead.claims = () => ({ status: 200, contentType: 'application/json', text });
		expect((await timed(world, gate.client.claimer.claim(claimOf(1)))).result.kind).toBe('out_of_reach');
	});

	test('does not grow without end while nobody writes rows', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		gate.weather.link = 'down';
		const results = Array.from({ length: 1_030 }, (_, idx) => gate.client.claimer.claim(claimOf(idx)));
		await world.clock.advance(1_000);
		const tooMany = (await Promise.all(results)).filter(
			(each) => each.kind === 'out_of_reach' && each.why === 'too_many',
		);
		expect(tooMany).toHaveLength(6);
	});
});

describe('an open claim', () => {
	test('whose answer was lost and that was refused here goes back to the visitor', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		gate.weather.lossAfter = 1;
		const claim = claimOf(7);
		await timed(world, gate.client.claimer.claim(claim));
		gate.client.claimer.done(claim.redemption);
		expect(world.venue.rights.count('lantern-2026', 7, 'ticket').held).toBe(1);
		gate.weather.lossAfter = 0;
		await world.clock.advance(120_000);
		expect(world.venue.rights.count('lantern-2026', 7, 'ticket')).toMatchObject({ used: 0, held: 0 });
		expect(gate.outbox.rows.at(-1)?.text).toContain('"released"');
	});

	test('that reached the authority long after its time is given back in a minute, while all is well', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(60_000);
		world.venue.rights.claim(gate.device, claimOf(7));
		await world.clock.advance(60_000);
		expect(world.venue.rights.count('lantern-2026', 7, 'ticket')).toMatchObject({ used: 0, held: 0 });
	});

	test('that was admitted here on its own word is answered by its row', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		gate.weather.lossAfter = 1;
		const claim = claimOf(8);
		await timed(world, gate.client.claimer.claim(claim));
		admit(gate, claim, 'local');
		gate.weather.lossAfter = 0;
		await world.clock.advance(120_000);
		expect(world.venue.rights.count('lantern-2026', 8, 'ticket')).toMatchObject({ used: 1, held: 0 });
		expect(gate.outbox.rows).toHaveLength(2);
	});

	test('is left alone while its row is being written', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(2_000);
		const claim = claimOf(9);
		await timed(world, gate.client.claimer.claim(claim));
		gate.weather.link = 'down';
		await world.clock.advance(60_000);
		gate.weather.link = 'up';
		await world.clock.advance(120_000);
		expect(world.venue.rights.count('lantern-2026', 9, 'ticket').held).toBe(1);
		expect(gate.outbox.rows).toHaveLength(0);
	});

	test('stays held and is shown where the disk that knew its end is gone', async () => {
		const world = createWorld();
		const before = await world.addGate();
		await world.clock.advance(2_000);
		await timed(world, before.client.claimer.claim(claimOf(10)));
		before.stop();
		const after = await world.addGate({ journal: 'e2' });
		await world.clock.advance(5_000);
		expect(await after.client.loop.status()).toMatchObject({ state: 'online', lostClaims: 1 });
		expect(world.venue.rights.count('lantern-2026', 10, 'ticket').held).toBe(1);
	});
});
