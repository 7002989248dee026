import { expect, it } from 'vitest';
import type { Direction } from '../core/redemption.ts';
import { plugIn } from './lcus-bench.suite.ts';
import { setUpTurnstile } from './turnstile-bench.suite.ts';

/** A zone where it is about noon, so that no midnight comes between the two halves of a test. */
function noonZone(): string {
	const ahead = 12 - new Date().getUTCHours();
	return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

it('admits an annual pass once on each venue day', async () => {
	const bench = await setUpTurnstile();
	const [annual = ''] = await bench.issue('--class', 'annual');
	// The real clock stands between the starts of two venue days: yesterday still lasts, then today has begun.
	for (const [run, dayStartsAt] of ['13:30', '10:30'].entries()) {
		const gate = await bench.start(`venue.timeZone=${noonZone()}`, `venue.dayStartsAt=${dayStartsAt}`);
		await Promise.all([bench.present(annual), bench.pass()]);
		await gate.line('settled', { outcome: 'taken' });
		await bench.present(annual);
		await gate.line('denied');
		expect([bench.pulses(), bench.turnstile.passages('entry')]).toEqual([run + 1, run + 1]);
		expect(await gate.stop()).toBe(0);
	}
	const days = (await bench.rows('granted')).map(({ allowance }) => allowance);
	expect(new Set(days).size).toBe(2);
});

it('lets an annual pass in again after it has gone out', async () => {
	const bench = await setUpTurnstile();
	const [annual = ''] = await bench.issue('--class', 'annual');
	const exit = await plugIn();
	const gate = await bench.start(
		...[
			'lanes.0.holdOffMs=100',
			'lanes.0.mode=both',
			'lanes.0.exitScanner.driver=serial-line',
			`lanes.0.exitScanner.path=${exit.path}`,
		],
	);
	const go = async (direction: Direction) => {
		const logged = gate.lines.length;
		await (direction === 'entry' ? bench.present(annual) : exit.write(`${annual}\r`));
		await bench.pass(direction);
		if (direction === 'entry') await gate.line('settled', { outcome: 'taken' }, logged);
	};
	await go('entry');
	await bench.present(annual);
	await gate.line('denied');
	await go('exit');
	await go('entry');
	const logged = gate.lines.length;
	await bench.present(annual);
	await gate.line('denied', {}, logged);
	expect([bench.pulses('entry'), bench.pulses('exit')]).toEqual([2, 1]);
	const rows = (await bench.rows('granted', 'exited')).map(({ kind, reentry }) => [kind, reentry ?? false]);
	expect(rows).toEqual([
		['granted', false],
		['exited', false],
		['granted', true],
	]);
});
