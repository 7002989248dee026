import { expect, it } from 'vitest';
import { type RunningGate, until } from './gate.suite.ts';
import { setUpTurnstile, type TurnstileBench } from './turnstile-bench.suite.ts';

/** Presents a code and waits for the end of its passage. */
async function settled(bench: TurnstileBench, gate: RunningGate, code: string): Promise<unknown> {
	const logged = gate.lines.length;
	await bench.present(code);
	return (await gate.line('settled', {}, logged)).outcome;
}

/** Presents a code and waits for its refusal. */
async function refused(bench: TurnstileBench, gate: RunningGate, code: string): Promise<unknown> {
	const logged = gate.lines.length;
	await bench.present(code);
	return (await gate.line('denied', {}, logged)).reason;
}

async function rowOf(bench: TurnstileBench, kind: string, index = 0) {
	return until(`row ${index} ${kind}`, async () => (await bench.rows(kind))[index]);
}

it('takes the use of a visitor who passes', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue();
	const gate = await bench.start();
	const [outcome] = await Promise.all([settled(bench, gate, ticket), bench.pass()]);
	expect(outcome).toBe('taken');
	expect(await rowOf(bench, 'settled')).toMatchObject({ ticket: 'lantern-2026/0', outcome: 'taken', taken: 1, of: 1 });
	expect(await refused(bench, gate, ticket)).toBe('already_redeemed');
	expect([bench.pulses(), bench.turnstile.passages('entry')]).toEqual([1, 1]);
	expect(bench.turnstile.isOpen('entry')).toBe(false);
});

it('gives the use back twice to a visitor who does not pass, and keeps it the third time', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue();
	const gate = await bench.start();
	for (const _ of [1, 2, 3]) expect(await settled(bench, gate, ticket)).toBe('not_taken');
	expect(await refused(bench, gate, ticket)).toBe('already_redeemed');
	expect((await bench.rows('settled')).map(({ outcome, back }) => [outcome, back])).toEqual([
		['not_taken', 1],
		['not_taken', 1],
		['not_taken', 0],
	]);
	expect([bench.pulses(), bench.turnstile.passages('entry')]).toEqual([3, 0]);
});

it('takes a returned use again when the visitor passes late', async () => {
	const bench = await setUpTurnstile({ passageWindowMs: 4_000 });
	const [ticket = ''] = await bench.issue();
	const gate = await bench.start();
	expect(await settled(bench, gate, ticket)).toBe('not_taken');
	await bench.pass();
	await gate.line('settled', { outcome: 'taken' });
	expect(await rowOf(bench, 'settled', 1)).toMatchObject({ ticket: 'lantern-2026/0', outcome: 'taken', late: true });
	expect(await refused(bench, gate, ticket)).toBe('already_redeemed');
	expect(await bench.rows('alarm')).toEqual([]);
});

it('opens once for each of a group', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue('--class', 'group', '--use', '3');
	const gate = await bench.start();
	const done = settled(bench, gate, ticket);
	for (const nth of [1, 2, 3]) {
		await bench.pass();
		expect(bench.pulses()).toBe(nth);
	}
	expect(await done).toBe('taken');
	expect(await rowOf(bench, 'settled')).toMatchObject({ taken: 3, of: 3 });
	expect(bench.turnstile.walkThrough('entry')).toBe(false);
	expect(['already_redeemed', 'no_uses_left']).toContain(await refused(bench, gate, ticket));
	expect([bench.pulses(), bench.turnstile.passages('entry')]).toEqual([3, 3]);
});

it('redeems nothing for a senior before staff confirm', async () => {
	const bench = await setUpTurnstile();
	const [ticket = ''] = await bench.issue('--class', 'senior');
	const gate = await bench.start('lanes.0.confirmTimeoutMs=2000');
	expect(await refused(bench, gate, ticket)).toBe('staff_needed');
	expect([bench.pulses(), await bench.rows('granted')]).toEqual([0, []]);

	await bench.present(ticket);
	await until('the lane waits for staff', async () => (await gate.lane()).phase === 'confirming');
	expect((await gate.screen()).kind).toBe('wait_staff');
	expect([bench.pulses(), await bench.rows('granted')]).toEqual([0, []]);
	await Promise.all([bench.press('staff_button'), bench.pass()]);
	await gate.line('settled', { outcome: 'taken' });
	expect(bench.pulses()).toBe(1);
});

it('lights the lamp of the cue for a child', async () => {
	const bench = await setUpTurnstile();
	const [child = ''] = await bench.issue('--class', 'child');
	const gate = await bench.start();
	const blinks = () => bench.board.edges.filter(({ channel, closed }) => channel === 3 && closed).length;
	expect(blinks()).toBe(0);
	await bench.present(child);
	await until('the lamp blinks', () => blinks() >= 2);
	expect(await gate.screen()).toMatchObject({ kind: 'granted', cue: 'check_height' });
	await gate.line('settled', { outcome: 'not_taken' });
	await until('the lamp is dark', () => !bench.board.isClosed(3));
});

it('tells a passage that nobody paid for, and a case that is opened', async () => {
	const bench = await setUpTurnstile();
	const gate = await bench.start();
	bench.turnstile.forceThrough('entry');
	expect(await rowOf(bench, 'alarm')).toMatchObject({ alarm: 'forced_open', on: true, lane: 'lane-1' });
	bench.turnstile.setContact('tamper', true);
	expect(await rowOf(bench, 'alarm', 1)).toMatchObject({ alarm: 'tamper', on: true });
	expect(await gate.lane()).toMatchObject({ alarms: ['forced_open', 'tamper'] });
	expect(await gate.metrics()).toContain('stileward_alarm{lane="lane-1",alarm="tamper"} 1');
	await bench.press('staff_button');
	expect(await rowOf(bench, 'alarm', 2)).toMatchObject({ alarm: 'forced_open', on: false });
	bench.turnstile.setContact('tamper', false);
	expect(await rowOf(bench, 'alarm', 3)).toMatchObject({ alarm: 'tamper', on: false });
	expect(bench.pulses()).toBe(0);
});
