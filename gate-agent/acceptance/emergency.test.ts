import { expect, it } from 'vitest';
import { type RunningGate, until } from './gate.suite.ts';
import { setUpTurnstile, type TurnstileBench } from './turnstile-bench.suite.ts';

/** The requests that switch or hold a channel of the gate itself: not the lamps, and no reading. */
function gateOrders({ board }: TurnstileBench): readonly string[] {
	const ofGate = /^01(05(00|02|04)(00|01|ff)|0f)/;
	return board.requests.map(({ hex }) => hex).filter((hex) => ofGate.test(hex));
}

async function refusedFor(bench: TurnstileBench, gate: RunningGate, code: string): Promise<unknown> {
	const logged = gate.lines.length;
	await bench.present(code);
	return (await gate.line('denied', {}, logged)).reason;
}

async function opensFor(bench: TurnstileBench, gate: RunningGate, code: string): Promise<void> {
	const logged = gate.lines.length;
	await Promise.all([bench.present(code), bench.pass()]);
	await gate.line('settled', { outcome: 'taken' }, logged);
}

async function tellFire(bench: TurnstileBench, gate: RunningGate, on: boolean): Promise<void> {
	bench.turnstile.setContact('fire', on);
	await until('the fire input', async () => (await gate.lane()).fire === (on ? 'active' : 'clear'));
}

it('holds the gate open when a fire comes in the middle of a passage, until the reset at the lane', async () => {
	const bench = await setUpTurnstile();
	const [ticket = '', other = ''] = await bench.issue('--count', '2');
	const gate = await bench.start();
	await bench.present(ticket);
	await until('the gate opens', () => bench.turnstile.isOpen('entry'));
	await tellFire(bench, gate, true);
	expect(await gate.line('settled')).toMatchObject({ outcome: 'not_taken', taken: 0 });
	await until('both ways are held open', () => bench.board.isClosed(1) && bench.board.isClosed(2));
	expect(await gate.screen()).toEqual({ kind: 'emergency' });
	expect((await bench.rows('settled'))[0]).toMatchObject({ outcome: 'not_taken', back: 1 });

	await bench.press('emergency_reset');
	await tellFire(bench, gate, false);
	const orders = gateOrders(bench).length;
	expect(await refusedFor(bench, gate, other)).toBe('lane_closed');
	expect(await gate.lane()).toMatchObject({ emergency: true, screen: 'emergency' });
	expect([bench.board.isClosed(1), bench.board.isClosed(2), gateOrders(bench).length]).toEqual([true, true, orders]);

	await bench.press('emergency_reset');
	await until('both are released', () => !bench.board.isClosed(1) && !bench.board.isClosed(2));
	await until('the turnstile shuts', () => !bench.turnstile.isOpen('entry'));
	await opensFor(bench, gate, ticket);
});

it('switches nothing while a fire burns that began before the agent', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue();
	bench.turnstile.setContact('fire', true);
	const gate = await bench.start();
	expect(await refusedFor(bench, gate, ticket)).toBe('lane_closed');
	expect(await gate.lane()).toMatchObject({ emergency: true, fire: 'active' });
	expect(gateOrders(bench)).toEqual([]);
	expect(await gate.stop()).toBe(0);
	expect(gateOrders(bench)).toEqual([]);
});

it('keeps an emergency through kill -9 until the reset at the lane', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue();
	let gate = await bench.start();
	await tellFire(bench, gate, true);
	await until('its row', async () => (await bench.rows('lane')).length > 0);
	await gate.kill();
	bench.turnstile.setContact('fire', false);
	const orders = gateOrders(bench).length;
	gate = await bench.start();
	expect(await refusedFor(bench, gate, ticket)).toBe('lane_closed');
	expect(gateOrders(bench)).toHaveLength(orders);
	await bench.press('emergency_reset');
	await until('the emergency ends', async () => (await gate.lane()).emergency === false);
	await opensFor(bench, gate, ticket);
	expect(bench.turnstile.passages('entry')).toBe(1);
});

it('keeps the gate held open through kill -9 in the middle of a fire', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue();
	let gate = await bench.start();
	await bench.present(ticket);
	await until('the gate opens', () => bench.turnstile.isOpen('entry'));
	await tellFire(bench, gate, true);
	const pulsedMs = Number(bench.board.edges.find(({ channel }) => channel === 1)?.atMs);
	// A board's own timer may end the pulse after the order to hold; the driver then orders it again.
	await until(
		'both ways are held open beyond the pulse',
		() => performance.now() > pulsedMs + 1_000 && bench.board.isClosed(1) && bench.board.isClosed(2),
	);
	await gate.kill();
	const edges = bench.board.edges.filter(({ channel }) => channel <= 2).length;
	gate = await bench.start();
	expect(await gate.lane()).toMatchObject({ emergency: true });
	expect([bench.board.isClosed(1), bench.board.isClosed(2)]).toEqual([true, true]);
	expect(bench.board.edges.filter(({ channel }) => channel <= 2)).toHaveLength(edges);
});
