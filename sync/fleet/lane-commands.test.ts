import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from '../../gate-agent/acceptance/gate.suite.ts';
import { patienceMs } from '../acceptance/venue.suite.ts';
import { openFleet, soon, untilInStep } from './fleet.suite.ts';

it('opens a lane once for an order from afar, in time or not at all, and resets no emergency', {
	timeout: 300_000,
}, async () => {
	await using fleet = await openFleet();
	const gate = await fleet.gate('east');
	const { lines } = await gate.start();
	await untilInStep(gate);
	const order = (kind: string, ...more: readonly string[]) => {
		const where = ['--device', 'east', '--lane', 'east-1', '--order', kind];
		return fleet.venue.cli(['device', 'command', ...where, ...more]);
	};
	const infant = ['--class', 'infant', '--count', '1', '--reason', 'free'];
	expect(await order('staff_entry', ...infant, '--seconds', '60')).toMatchObject({ code: 0 });
	await until('one opening', () => gate.opened() === 1 && gate.isAtRest(1), patienceMs);
	expect(await gate.rows('staff_entry')).toMatchObject([{ cls: 'infant', count: 1, reason: 'free', rung: 'staff' }]);

	gate.cable.cut();
	expect(await order('staff_entry', ...infant, '--seconds', '1')).toMatchObject({ code: 0 });
	await sleep(1_100);
	gate.cable.heal();
	await untilInStep(gate);

	const from = lines.length;
	const path = `/v1/office/devices/${gate.device}/commands`;
	const body = { lane: 'east-1', command: { kind: 'emergency_reset', by: 'mina' } };
	expect((await fleet.venue.office({ method: 'POST', path, body })).status).toBe(400);
	expect((await order('emergency_reset')).code).not.toBe(0);
	// What comes after them in the feed shows that nothing came of the others.
	expect(await order('emergency_open', '--seconds', '60')).toMatchObject({ code: 0 });
	await soon(gate, from, ({ event, command }) => event === 'command' && command === 'emergency_open');
	expect(lines.filter(({ event }) => event === 'command')).toHaveLength(2);
	expect(await gate.rows('staff_entry')).toHaveLength(1);
	await until(
		'the emergency at the lane',
		async () => (await gate.running().lane('east-1')).emergency === true,
		patienceMs,
	);
});
