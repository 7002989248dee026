import { describe, expect, test } from 'vitest';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import type { Fact } from '../../gate-agent/core/redemption.ts';
import { ed25519Jwk } from '../../gate-agent/core/test-issuer.suite.ts';
import { deviceIdOf } from '../protocol/enroll.ts';
import { segmentBytesMax } from '../protocol/segments.ts';
import { createPusher } from './pusher.ts';
import type { Session } from './session.ts';
import { admit, claimOf, createWorld, evt, startMs } from './test-world.suite.ts';
import { createMemoryOutbox, type MemoryOutbox } from './testing/memory-outbox.ts';

const device = await deviceIdOf(onlyPublic(ed25519Jwk));

function outboxOf(rows: number, fact: (i: number) => Fact = alarm): MemoryOutbox {
	const outbox = createMemoryOutbox({ device, epoch: 'e1' });
	for (let i = 0; i < rows; i++) outbox.append(fact(i), startMs + i);
	return outbox;
}

function alarm(i: number): Fact {
	return { kind: 'alarm', lane: 'lane-1', alarm: 'tamper', on: i % 2 === 0 };
}

/** The outbox of a ledger that begins a new journal, without rows, as soon as the old one is left. */
function leaving(old: MemoryOutbox, isLeft: () => boolean): MemoryOutbox {
	return {
		...old,
		get epoch() {
			return isLeft() ? 'e2' : old.epoch;
		},
		head: async () => (isLeft() ? 0 : old.head()),
		acceptedThrough: async () => (isLeft() ? 0 : old.acceptedThrough()),
	};
}

describe('the outbox', () => {
	test('of a hundred thousand rows drains in segments, a thousand rows in memory at a time, while the feed goes on', async () => {
		const world = createWorld();
		const outbox = outboxOf(100_000);
		const gate = await world.addGate({ outbox });
		await world.clock.advance(100);
		world.venue.tell({ kind: 'revoked', evt, idx: [1] });
		await world.clock.advance(100);
		expect((await gate.client.loop.status()).waiting).toBeGreaterThan(0);
		expect(gate.replica.isRevoked(evt, 1)).toBe(true);
		await world.clock.advance(10_000);
		expect((await gate.client.loop.status()).waiting).toBe(0);
		expect(outbox.rowsReadMax()).toBe(1_000);
		expect(world.venue.journals.get(device)?.rows).toEqual(outbox.rows.map(({ text }) => text));
	});

	test('keeps a segment of the longest rows below its limit', async () => {
		const by = '"'.repeat(1_900);
		const outbox = outboxOf(1_000, () => ({ kind: 'lane', lane: 'lane-1', mode: 'entry', emergency: false, by }));
		const world = createWorld();
		const gate = await world.addGate({ outbox });
		await world.clock.advance(10_000);
		expect((await gate.client.loop.status()).waiting).toBe(0);
		expect(outbox.rows.reduce((sum, { text }) => sum + text.length, 0)).toBeGreaterThan(2 * segmentBytesMax);
	});

	test('goes back to where a restored server is, and sends the rest again', async () => {
		const world = createWorld();
		const gate = await world.addGate({ outbox: outboxOf(50) });
		await world.clock.advance(5_000);
		const journal = world.venue.journals.get(device);
		journal?.rows.splice(20);
		gate.outbox.append(alarm(0), startMs);
		gate.client.loop.rowsWritten();
		await world.clock.advance(5_000);
		expect(journal?.rows).toHaveLength(51);
		expect((await gate.client.loop.status()).journal).toBe('accepted');
	});

	test('sends again what a restored server lost, though nothing new is written', async () => {
		const world = createWorld();
		const gate = await world.addGate({ outbox: outboxOf(20) });
		await world.clock.advance(5_000);
		expect(world.venue.journals.get(gate.device)?.rows).toHaveLength(20);
		world.venue.journals.get(gate.device)?.rows.splice(7);
		await world.clock.advance(60_000);
		expect(world.venue.journals.get(gate.device)?.rows).toHaveLength(20);
		world.venue.journals.delete(gate.device);
		await world.clock.advance(60_000);
		expect(world.venue.journals.get(gate.device)?.rows).toHaveLength(20);
	});

	test('of an old disk gives no claim back: what it does not have may have let somebody in', async () => {
		const world = createWorld();
		const before = await world.addGate();
		await world.clock.advance(3_000);
		admit(before, claimOf(1), 'local');
		await world.clock.advance(3_000);
		const asked = before.client.claimer.claim(claimOf(2));
		await world.clock.advance(1_000);
		expect(await asked).toMatchObject({ kind: 'granted' });
		before.stop();
		const after = await world.addGate();
		await world.clock.advance(60_000);
		expect(after.behind).not.toEqual([]);
		expect(after.outbox.rows).toEqual([]);
		expect(world.venue.rights.count(evt, 2, 'ticket').held).toBe(1);
	});

	test('of an old disk that has let people in since leaves their rows as evidence before it begins anew', async () => {
		const world = createWorld();
		const before = await world.addGate({ outbox: outboxOf(30) });
		await world.clock.advance(5_000);
		before.stop();
		const old = outboxOf(10);
		await old.rememberAccepted(10);
		const silent = await world.addGate({ outbox: old, weather: { link: 'down' } });
		admit(silent, claimOf(1), 'local');
		silent.weather.link = 'up';
		await world.clock.advance(5_000);
		expect(silent.behind).not.toEqual([]);
		expect(world.venue.branches[0]).toContain('"granted"');
	});

	test('of a disk that was restored says that the server knows more', async () => {
		const world = createWorld();
		const before = await world.addGate({ outbox: outboxOf(30) });
		await world.clock.advance(5_000);
		before.stop();
		const after = await world.addGate({ outbox: outboxOf(10) });
		await world.clock.advance(5_000);
		expect((await after.client.loop.status()).journal).toBe('behind');
		expect(after.behind).toContain('e1');
	});

	test('of a disk that was restored and has nothing to send is told as soon as it comes online', async () => {
		const world = createWorld();
		const before = await world.addGate({ outbox: outboxOf(30) });
		await world.clock.advance(5_000);
		before.stop();
		const restored = outboxOf(10);
		await restored.rememberAccepted(10);
		const after = await world.addGate({ outbox: restored });
		await world.clock.advance(1_000);
		expect(after.behind).toContain('e1');
	});

	test('of a disk that wrote on after it came back is sent before it is left, so that nothing of it is lost', async () => {
		for (const seed of [1, 2, 3, 4, 5, 6]) {
			const world = createWorld(seed);
			const before = await world.addGate({ outbox: outboxOf(30) });
			await world.clock.advance(5_000);
			before.stop();
			const restored = outboxOf(12, (i) => alarm(i < 10 ? i : i + 1));
			await restored.rememberAccepted(10);
			let left: readonly string[] = [];
			const outbox = leaving(restored, () => left.length > 0);
			const after = await world.addGate({ outbox, weather: { link: 'down' } });
			left = after.behind;
			await world.clock.advance(200_000);
			after.weather.link = 'up';
			await world.clock.advance(120_000);
			expect(after.behind).toEqual(['e1']);
			expect(world.venue.journals.get(device)?.status, `seed ${seed}`).toBe('quarantined');
		}
	});

	test('that forked is quarantined, shown, and not sent again and again', async () => {
		const world = createWorld();
		const before = await world.addGate({ outbox: outboxOf(10) });
		await world.clock.advance(5_000);
		before.stop();
		const after = await world.addGate({ outbox: outboxOf(12, (i) => alarm(i + 1)) });
		await world.clock.advance(5_000);
		// It has grown past what the server has, with other rows: it begins anew all the same.
		expect(after.behind).toContain('e1');
		const calls = world.venue.calls.get('segments') ?? 0;
		await world.clock.advance(600_000);
		expect(await after.client.loop.status()).toMatchObject({ state: 'online', journal: 'quarantined', waiting: 2 });
		expect((world.venue.calls.get('segments') ?? 0) - calls).toBeLessThanOrEqual(11);
	});

	test('does not knock at a dead server with every new row', async () => {
		const world = createWorld();
		const gate = await world.addGate();
		await world.clock.advance(3_000);
		const text = '{}';
		world.venue.lies.instead.segments = () => ({ status: 500, contentType: 'text/plain', text });
		const before = world.venue.calls.get('segments') ?? 0;
		for (let i = 0; i < 600; i++) {
			gate.outbox.append(alarm(i), startMs + i);
			gate.client.loop.rowsWritten();
			await world.clock.advance(1_000);
		}
		expect((world.venue.calls.get('segments') ?? 0) - before).toBeLessThan(30);
		world.venue.lies.instead = {};
		await world.clock.advance(60_000);
		expect((await gate.client.loop.status()).waiting).toBe(0);
	});
});

/** A session whose server answers segments by a function of how many came before. */
function sessionThat(answer: (count: number) => unknown): Session {
	let count = 0;
	return {
		token: async () => ({ kind: 'ok', body: 'token' }),
		refused: () => {},
		// The pusher asks for segments only.
		call: async () => answer(count++) as never,
	};
}

describe('one push', () => {
	const ok = (acceptedThrough: number) => ({ kind: 'ok', body: { acceptedThrough, conflicts: [], status: 'active' } });
	const pusherOf = (outbox: MemoryOutbox, sent: number[], answer: (count: number) => unknown) =>
		createPusher({
			session: sessionThat(answer),
			outbox,
			sign: async ({ rows }) => {
				sent.push(rows.length);
				return '';
			},
			onConflicts: () => {},
		});

	test('sends half as many rows each time that a server finds them too many', async () => {
		const sent: number[] = [];
		const tooLarge = { kind: 'refused', code: 'too_large' };
		const pusher = pusherOf(outboxOf(1_000), sent, (count) => (count < 3 ? tooLarge : ok(125)));
		for (let i = 0; i < 4; i++) await pusher.push();
		expect(sent).toEqual([1_000, 500, 250, 125]);
	});

	test('is stuck where three answers in a row take nothing', async () => {
		const pusher = pusherOf(outboxOf(10), [], () => ok(0));
		const kinds = [];
		for (let i = 0; i < 3; i++) kinds.push((await pusher.push()).kind);
		expect(kinds).toEqual(['progress', 'progress', 'stuck']);
	});

	test('says nothing of the journal that began while the rows of the old one were under way', async () => {
		let left = false;
		const remembered: number[] = [];
		const old = outboxOf(10);
		const outbox: MemoryOutbox = {
			...old,
			get epoch() {
				return left ? 'e2' : 'e1';
			},
			head: async () => (left ? 20 : 10),
			rememberAccepted: async (seq) => void remembered.push(seq),
		};
		const pusher = pusherOf(outbox, [], () => {
			left = true;
			return ok(10);
		});
		expect(await pusher.push()).toEqual({ kind: 'progress', waiting: 20 });
		expect(remembered).toEqual([]);
	});
});
