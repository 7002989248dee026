import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../gate-agent/acceptance/gate.suite.ts';
import { patienceMs } from '../acceptance/venue.suite.ts';
import {
	type Fleet,
	type FleetGate,
	numberOf,
	openFleet,
	openingsAt,
	type Sold,
	untilInStep,
	verdictOn,
} from './fleet.suite.ts';

const timeout = 300_000;

/** A refund is at every connected gate after this time. */
const knownWithinMs = 2_000;

let fleet: Fleet;
let gate: FleetGate;

beforeAll(async () => {
	fleet = await openFleet();
	gate = await fleet.gate('east');
}, timeout);

afterAll(() => fleet[Symbol.asyncDispose](), timeout);

function two(tickets: readonly Sold[]): readonly [Sold, Sold] {
	const [one, other] = tickets;
	if (!one || !other) throw new Error('two tickets were sold');
	return [one, other];
}

it('refuses a refunded ticket at a connected gate two seconds later, although it cannot ask then', {
	timeout,
}, async () => {
	const openings = openingsAt(gate);
	const [refunded, other] = two(await fleet.sell('adult', 2));
	await gate.start();
	await untilInStep(gate);
	await fleet.change('refund', [refunded]);
	await sleep(knownWithinMs);
	gate.cable.cut();
	expect(await verdictOn(gate, refunded)).toMatchObject({ event: 'denied', reason: 'revoked' });
	expect(await verdictOn(gate, other)).toMatchObject({ event: 'granted', rung: 'local' });
	expect(openings()).toEqual([1]);
});

it('refuses what was refunded while the gate was off from its first visitor on', { timeout }, async () => {
	const openings = openingsAt(gate);
	const [refunded, other] = two(await fleet.sell('adult', 2));
	await gate.start();
	await untilInStep(gate);
	await gate.running().stop();
	await fleet.change('refund', [refunded]);
	// It does not ask the authority, so that what it knows itself must tell.
	await gate.start({ claimMs: 0 });
	expect(await verdictOn(gate, refunded)).toMatchObject({ event: 'denied', reason: 'revoked' });
	expect(await verdictOn(gate, other)).toMatchObject({ event: 'granted', rung: 'local' });
	expect(openings()).toEqual([1]);
});

it('learns of a refund as soon as it is back, and shows an entry that came after it as a case', {
	timeout,
}, async () => {
	const openings = openingsAt(gate);
	const [entered, stayed] = two(await fleet.sell('adult', 2));
	await gate.start();
	await untilInStep(gate);
	gate.cable.cut();
	expect(await fleet.change('refund', [entered, stayed])).toMatchObject({ pending: true });
	expect(await verdictOn(gate, entered)).toMatchObject({ event: 'granted', rung: 'local' });

	gate.cable.heal();
	await untilInStep(gate);
	expect(await verdictOn(gate, stayed)).toMatchObject({ event: 'denied', reason: 'revoked' });
	expect(await fleet.cases()).toMatchObject([
		{ kind: 'refunded_after_entry', idx: numberOf(entered), redemptions: [{ device: gate.device, rung: 'local' }] },
	]);
	await until(
		'a refund that waits for nobody',
		async () => {
			const { pending } = await fleet.change('refund', [stayed]);
			return pending === false;
		},
		patienceMs,
	);
	expect(openings()).toEqual([1]);
});
