import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { admit, claimOf, createWorld, evt, p256Jwk } from './test-world.suite.ts';
import { createMemoryOutbox } from './testing/memory-outbox.ts';
import { createMemoryReplica } from './testing/memory-replica.ts';

describe.each([{ streams: false }, { streams: true }])('following a venue (streams: $streams)', ({ streams }) => {
	test('begins with a snapshot and learns a refund within two seconds', async () => {
		const world = createWorld();
		world.venue.tell({ kind: 'revoked', evt, idx: [1, 2] });
		const gate = await world.addGate({ streams });
		await world.clock.advance(3_000);
		expect(await gate.client.loop.status()).toMatchObject({ state: 'online', waiting: 0, journal: 'accepted' });
		expect([gate.replica.isRevoked(evt, 1), gate.replica.isRevoked(evt, 3)]).toEqual([true, false]);
		world.venue.tell({ kind: 'revoked', evt, idx: [3] });
		world.venue.tell({ kind: 'restored', evt, idx: [1] });
		await world.clock.advance(2_000);
		expect([gate.replica.isRevoked(evt, 1), gate.replica.isRevoked(evt, 3)]).toEqual([false, true]);
		expect(gate.replica.loads).toBe(1);
	});

	test('shows the age of its lists while it is cut off, and learns what it missed at once afterwards', async () => {
		const world = createWorld();
		const gate = await world.addGate({ streams });
		await world.clock.advance(5_000);
		gate.weather.link = 'hang';
		world.venue.tell({ kind: 'revoked', evt, idx: [5] });
		await world.clock.advance(3_600_000);
		const away = await gate.client.loop.status();
		expect(away.state).not.toBe('online');
		expect(away.listAgeMs).toBeGreaterThan(3_500_000);
		gate.weather.link = 'up';
		await world.clock.advance(120_000);
		expect(await gate.client.loop.status()).toMatchObject({ state: 'online' });
		expect(gate.replica.isRevoked(evt, 5)).toBe(true);
	});

	test('tells its own rows from those of others', async () => {
		const world = createWorld();
		const [a, b] = [await world.addGate({ streams }), await world.addGate({ streams, key: p256Jwk })];
		await world.clock.advance(3_000);
		admit(a, claimOf(4), 'local');
		await world.clock.advance(3_000);
		expect(b.replica.isRedeemed(evt, 4)).toBe(true);
		expect([a.replica.ownSeen(), b.replica.ownSeen()]).toEqual([2, 0]);
	});

	test('carries out a command once, for this device only, and none that has expired', async () => {
		const world = createWorld();
		const gate = await world.addGate({ streams });
		await world.clock.advance(3_000);
		const command = {
			kind: 'command',
			device: gate.device,
			lane: 'lane-1',
			command: {},
			expiresMs: world.venue.nowMs() + 5_000,
		} as const;
		world.venue.tell({ ...command, id: 'now'.padEnd(22, '_') });
		world.venue.tell({ ...command, id: 'past'.padEnd(22, '_'), expiresMs: world.venue.nowMs() - 1 });
		world.venue.tell({ ...command, id: 'other'.padEnd(22, '_'), device: 'x'.repeat(43) });
		await world.clock.advance(60_000);
		expect(gate.commands).toEqual(['now'.padEnd(22, '_')]);
	});

	test('loads a snapshot and goes on where the feed has a hole or a new epoch begins', async () => {
		const world = createWorld();
		const gate = await world.addGate({ streams });
		await world.clock.advance(3_000);
		world.venue.lies.isLeftOut = (n) => n === 2;
		world.venue.tell({ kind: 'revoked', evt, idx: [6] });
		world.venue.tell({ kind: 'revoked', evt, idx: [7] });
		await world.clock.advance(10_000);
		expect([gate.replica.isRevoked(evt, 6), gate.replica.isRevoked(evt, 7)]).toEqual([true, true]);
		expect(gate.replica.loads).toBe(2);
		world.venue.lies.isLeftOut = () => false;
		world.venue.beginEpoch();
		await world.clock.advance(60_000);
		expect((await gate.replica.cursor())?.epoch).toBe(2);
	});

	test('learns what it missed in seconds after a short loss, not with the next poll', async () => {
		const world = createWorld();
		const gate = await world.addGate({ streams });
		await world.clock.advance(5_000);
		gate.weather.link = 'down';
		await world.clock.advance(45_000);
		gate.weather.link = 'up';
		await world.clock.advance(31_000);
		const { state, listAgeMs = Number.NaN } = await gate.client.loop.status();
		expect(state).toBe('online');
		expect(listAgeMs).toBeLessThan(31_000);
	});

	test('loads no snapshot that is older than what it has', async () => {
		const world = createWorld();
		const gate = await world.addGate({ streams });
		world.venue.tell({ kind: 'revoked', evt, idx: [8] });
		await world.clock.advance(3_000);
		world.venue.control.length = 1;
		// A restored server that has begun an epoch of its own, and forgot what it had told before.
		world.venue.epoch = 2;
		await world.clock.advance(300_000);
		expect(gate.replica.isRevoked(evt, 8)).toBe(true);
		expect(gate.replica.loads).toBe(1);
		expect((await gate.client.loop.status()).problem).toBe('disbelieved');
	});

	test('believes no server that knows less than before', async () => {
		const world = createWorld();
		const gate = await world.addGate({ streams });
		world.venue.tell({ kind: 'revoked', evt, idx: [8] });
		await world.clock.advance(3_000);
		const cursor = await gate.replica.cursor();
		world.venue.control.length = 1;
		world.venue.forgetTokens();
		gate.weather.link = 'down';
		await world.clock.advance(30_000);
		gate.weather.link = 'up';
		await world.clock.advance(300_000);
		expect(await gate.replica.cursor()).toEqual(cursor);
		expect(gate.replica.isRevoked(evt, 8)).toBe(true);
		const status = await gate.client.loop.status();
		expect(status.state).not.toBe('online');
		expect(status.problem).toBe('disbelieved');
	});
});

describe('being online', () => {
	test('is not what a captive portal gives', async () => {
		const world = createWorld();
		const gate = await world.addGate({ weather: { link: 'captive' } });
		await world.clock.advance(600_000);
		expect(await gate.client.loop.status()).toMatchObject({ state: 'offline', problem: 'captive_portal' });
		expect(gate.floors).toEqual([]);
	});

	test('is not what a time by another key, or for another question, gives', async () => {
		const world = createWorld();
		const gate = await world.addGate({ weather: { link: 'down' } });
		const text = JSON.stringify({ time: `${'e30'}.e30.${'A'.repeat(86)}` });
		world.venue.lies.instead.time = () => ({ status: 200, contentType: 'application/json', text });
		gate.weather.link = 'up';
		await world.clock.advance(60_000);
		expect(await gate.client.loop.status()).toMatchObject({ state: 'offline', problem: 'bad_answer' });
		expect(gate.floors).toEqual([]);
	});

	test('gives the clock a floor and an offset by the best round trip', async () => {
		const world = createWorld();
		const gate = await world.addGate({ weather: { delayMs: [5, 40] } });
		await world.clock.advance(7_200_000);
		const { clockOffsetMs = 0, roundTripMs = 0 } = await gate.client.loop.status();
		expect(Math.abs(clockOffsetMs - 1_790_000_000_000)).toBeLessThanOrEqual(roundTripMs / 2 + 1);
		expect(gate.floors.length).toBeGreaterThan(5);
	});

	test('falls back to polls behind a proxy that holds streams back', async () => {
		const world = createWorld();
		const gate = await world.addGate({ streams: true, weather: { buffersStreams: true } });
		await world.clock.advance(20_000);
		world.venue.tell({ kind: 'revoked', evt, idx: [9] });
		await world.clock.advance(2_000);
		expect(gate.replica.isRevoked(evt, 9)).toBe(true);
		expect((await gate.client.loop.status()).state).toBe('online');
	});

	test('ends for a disabled device, and comes back when it is enabled', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(3_000);
		const device = world.venue.devices.get(gate.device);
		if (device) device.disabled = true;
		await world.clock.advance(60_000);
		expect(await gate.client.loop.status()).toMatchObject({ state: 'offline', problem: 'device_disabled' });
		if (device) device.disabled = false;
		await world.clock.advance(120_000);
		expect((await gate.client.loop.status()).state).toBe('online');
	});

	test('asks for one token at a time, renews it before it ends, and leaves no sleeper behind', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(3_600_000);
		// A token lives 300 s and is renewed after 240 s.
		expect(world.venue.calls.get('token')).toBeGreaterThanOrEqual(12);
		expect(world.venue.calls.get('token')).toBeLessThanOrEqual(16);
		world.venue.forgetTokens();
		await world.clock.advance(60_000);
		expect((await gate.client.loop.status()).state).toBe('online');
		expect(world.clock.sleepers()).toBeLessThan(10);
		gate.stop();
		await world.clock.advance(60_000);
		await gate.running;
		expect(world.clock.sleepers()).toBe(0);
	});
});

describe('in bad weather', () => {
	test('every row reaches the server exactly once and every gate learns of it', async () => {
		const weather = fc.record({
			lossBefore: fc.double({ min: 0, max: 0.3, noNaN: true }),
			lossAfter: fc.double({ min: 0, max: 0.3, noNaN: true }),
			duplicate: fc.double({ min: 0, max: 0.3, noNaN: true }),
			delayMs: fc.constantFrom<readonly [number, number]>([1, 5], [1, 200], [50, 400]),
		});
		await fc.assert(
			fc.asyncProperty(fc.nat(), weather, fc.boolean(), async (seed, sky, streams) => {
				const world = createWorld(seed);
				const gates = [
					await world.addGate({ weather: { ...sky }, streams }),
					await world.addGate({ weather: { ...sky }, streams, key: p256Jwk }),
				];
				for (let idx = 0; idx < 12; idx++) {
					await Promise.all(
						gates.map(async (gate) => {
							const claim = claimOf(idx);
							const asked = gate.client.claimer.claim(claim);
							void asked.then((result) => {
								if (result.kind === 'granted') admit(gate, claim, 'authority');
								else gate.client.claimer.done(claim.redemption);
							});
						}),
					);
					await world.clock.advance(world.random() * 3_000);
				}
				for (const gate of gates)
					Object.assign(gate.weather, { lossBefore: 0, lossAfter: 0, duplicate: 0, delayMs: [1, 1] });
				await world.clock.advance(600_000);
				for (const gate of gates) {
					const rows = gate.outbox.rows.map(({ text }) => text);
					expect(world.venue.journals.get(gate.device)?.rows ?? []).toEqual(rows);
					expect(await gate.client.loop.status()).toMatchObject({ state: 'online', waiting: 0 });
				}
				for (let idx = 0; idx < 12; idx++) {
					const { used, held } = world.venue.rights.count(evt, idx, 'ticket');
					expect({ idx, held, isOver: used > 1 }).toEqual({ idx, held: 0, isOver: false });
					for (const { replica } of gates) expect(replica.counted(evt, idx, 'ticket')?.used ?? 0).toBe(used);
				}
				for (const gate of gates) gate.stop();
			}),
			{ numRuns: 25 },
		);
	});
});

describe('a ledger that fails', () => {
	test('keeps the sync from nothing once it works again', async () => {
		const world = createWorld();
		const replica = createMemoryReplica();
		const outbox = createMemoryOutbox({ device: 'D'.repeat(43), epoch: 'e1' });
		let isFull = true;
		const failing = <T extends unknown[], R>(work: (...args: T) => Promise<R>) => {
			return (...args: T): Promise<R> => {
				if (isFull) return Promise.reject(new StilewardError('ledger_full', 'the disk is full'));
				return work(...args);
			};
		};
		replica.load = failing(replica.load.bind(replica));
		outbox.head = failing(outbox.head.bind(outbox));
		const gate = await world.addGate({ replica, outbox });
		await world.clock.advance(30_000);
		isFull = false;
		expect(await gate.client.loop.status()).toMatchObject({ state: 'offline', problem: 'ledger_full' });
		await world.clock.advance(90_000);
		expect(await gate.client.loop.status()).toMatchObject({ state: 'online', waiting: 0 });
		expect(replica.loads).toBe(1);
	});
});
