import { expect, it } from 'vitest';
import { type RunningGate, until } from './gate.suite.ts';
import { setUpTurnstile, type TurnstileBench } from './turnstile-bench.suite.ts';

/** A lane is ready again within this time once everything is back. */
const backWithinMs = 5_000;

async function opensFor(bench: TurnstileBench, gate: RunningGate, code: string): Promise<void> {
	const logged = gate.lines.length;
	await Promise.all([bench.present(code), bench.pass()]);
	await gate.line('settled', { outcome: 'taken' }, logged);
}

/** Puts something back and waits until the lane is ready; fails where that takes too long. */
async function back(gate: RunningGate, put: () => void | Promise<void>): Promise<void> {
	const logged = gate.lines.length;
	const startMs = performance.now();
	await put();
	await gate.line('ready', {}, logged);
	expect(performance.now() - startMs).toBeLessThan(backWithinMs);
	expect(await gate.lane()).toMatchObject({ missing: [], phase: 'idle' });
}

it('counts a passage as taken that was open when the agent was killed', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue();
	let gate = await bench.start();
	await bench.present(ticket);
	await until('the gate opens', () => bench.turnstile.isOpen('entry'));
	await gate.kill();
	await until('the board ends the pulse by itself', () => !bench.board.isClosed(1));
	gate = await bench.start();
	await bench.present(ticket);
	expect((await gate.line('denied')).reason).toBe('already_redeemed');
	expect(await bench.rows('settled')).toMatchObject([{ outcome: 'taken_assumed', ticket: 'lantern-2026/0', back: 0 }]);
	expect(bench.pulses()).toBe(1);
});

it('goes out of service when the board loses its power in the middle of a pulse, and admits again after', async () => {
	const bench = await setUpTurnstile();
	const [ticket = '', next = ''] = await bench.issue('--count', '2');
	const gate = await bench.start('lanes.0.relay.pulseMs=1000');
	await bench.present(ticket);
	await until('the coil closes', () => bench.board.isClosed(1));
	bench.board.setPower(false);
	expect(bench.board.isClosed(1)).toBe(false);
	await gate.line('device', { device: 'lane-1.inputs', state: 'absent' });
	expect(await gate.lane()).toMatchObject({ screen: 'out_of_service' });
	const { outcome } = await gate.line('settled');
	expect(['taken_assumed', 'not_taken']).toContain(outcome);
	await back(gate, () => bench.board.setPower(true));
	const pulses = bench.pulses();
	await opensFor(bench, gate, next);
	expect([bench.pulses(), bench.turnstile.passages('entry')]).toEqual([pulses + 1, 1]);
});

it('goes out of service while the shared port of relays and inputs is unplugged, and admits again after', async () => {
	const bench = await setUpTurnstile();
	const [ticket = '', next = ''] = await bench.issue('--count', '2');
	const gate = await bench.start();
	await opensFor(bench, gate, ticket);
	await until('the first visitor is through', () => !bench.turnstile.contacts().passage);
	await bench.board.unplug();
	await gate.line('device', { device: 'lane-1.relay', state: 'absent' });
	await gate.line('device', { device: 'lane-1.inputs', state: 'absent' });
	expect(await gate.health()).toMatchObject({ ok: false });
	expect((await gate.screen()).kind).toBe('out_of_service');
	const logged = gate.lines.length;
	await bench.present(next);
	expect((await gate.line('denied', {}, logged)).reason).toBe('lane_closed');

	await back(gate, () => bench.board.replug());
	expect(await gate.health()).toMatchObject({ ok: true });
	await opensFor(bench, gate, next);
	expect([bench.pulses(), bench.turnstile.passages('entry')]).toEqual([2, 2]);
});

it('assumes a passage that went unseen because the port was unplugged meanwhile', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue();
	const gate = await bench.start();
	await bench.present(ticket);
	await until('the gate opens', () => bench.turnstile.isOpen('entry'));
	await bench.board.unplug();
	await gate.line('device', { device: 'lane-1.inputs', state: 'absent' });
	expect(bench.turnstile.walkThrough('entry')).toBe(true);
	await gate.line('settled', { outcome: 'taken_assumed' });
	await back(gate, () => bench.board.replug());
	await bench.present(ticket);
	expect((await gate.line('denied')).reason).toBe('already_redeemed');
	expect([bench.pulses(), bench.turnstile.passages('entry')]).toEqual([1, 1]);
});
