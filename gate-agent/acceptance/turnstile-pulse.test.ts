import { expect, it } from 'vitest';
import { until } from './gate.suite.ts';
import { plugIn } from './lcus-bench.suite.ts';
import { setUpTurnstile } from './turnstile-bench.suite.ts';

/** A turnstile whose passage outputs and whose fire loop rest closed, wired as the guide turnstile-fire draws it. */
async function setUpPulseMode() {
	const restClosed = ['passage', 'reverse', 'fire'] as const;
	const [bench, exit] = await Promise.all([
		setUpTurnstile({ example: 'turnstile-pulse', restClosed, passageWindowMs: 4_000 }),
		plugIn(),
	]);
	const gate = await bench.start(`lanes.0.exitScanner.path=${exit.path}`);
	return { bench, gate, leave: (code: string) => exit.write(`${code}\r`) };
}

it('opens each way for one visitor whose passage contact opens', async () => {
	const { bench, gate, leave } = await setUpPulseMode();
	const [ticket = ''] = await bench.issue();
	await Promise.all([bench.present(ticket), bench.pass('entry')]);
	await gate.line('settled', { outcome: 'taken' });
	await Promise.all([leave(ticket), bench.pass('exit')]);
	await until('the exit is written down', async () => (await bench.rows('exited')).length === 1);
	expect([bench.pulses('entry'), bench.pulses('exit')]).toEqual([1, 1]);
	expect([bench.turnstile.passages('entry'), bench.turnstile.passages('exit')]).toEqual([1, 1]);
	expect(await bench.rows('alarm')).toEqual([]);
});

it('takes a wire off the fire loop for a fire, touches no relay, and admits after the reset at the lane', async () => {
	const { bench, gate } = await setUpPulseMode();
	const [ticket = ''] = await bench.issue();
	const fireInput = 3;
	bench.board.setInput(fireInput, false);
	await until('the fire is seen', async () => (await gate.lane()).fire === 'active');
	await bench.present(ticket);
	expect((await gate.line('denied')).reason).toBe('lane_closed');
	expect(bench.board.edges.filter(({ closed }) => closed)).toEqual([]);

	bench.board.setInput(fireInput, true);
	await until('the loop is whole', async () => (await gate.lane()).fire === 'clear');
	expect(await gate.lane()).toMatchObject({ emergency: true });
	await bench.press('emergency_reset');
	await until('the emergency ends', async () => (await gate.lane()).emergency === false);
	await Promise.all([bench.present(ticket), bench.pass('entry')]);
	await gate.line('settled', { outcome: 'taken' });
	expect(bench.pulses('entry')).toBe(1);
});
