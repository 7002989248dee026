import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../gate-agent/acceptance/gate.suite.ts';
import { patienceMs } from '../acceptance/venue.suite.ts';
import { type Fleet, type FleetGate, openFleet, openingsAt, type Sold, untilInStep, verdictOn } from './fleet.suite.ts';

const timeout = 300_000;

const refused = { event: 'denied', reason: 'offline_refused' };

let fleet: Fleet;
let gates: readonly [FleetGate, FleetGate];

beforeAll(async () => {
	fleet = await openFleet();
	gates = await Promise.all([fleet.gate('east'), fleet.gate('west')]);
}, timeout);

afterAll(() => fleet[Symbol.asyncDispose](), timeout);

function ticketsOf(tickets: readonly Sold[]): () => Sold {
	const waiting = tickets.values();
	return () => {
		const { value } = waiting.next();
		if (!value) throw new Error('no ticket is left');
		return value;
	};
}

async function untilStanding(gate: FleetGate, standing: string): Promise<void> {
	await until(
		`${gate.name} to be ${standing}`,
		async () => ((await gate.running().health()).venue as { standing?: string }).standing === standing,
		patienceMs,
	);
}

it('admits nobody at a gate that was disabled, also after a start without network, until it is enabled again', {
	timeout,
}, async () => {
	const [stolen, other] = gates;
	const openings = openingsAt(stolen, other);
	const next = ticketsOf(await fleet.sell('adult', 8));
	await Promise.all([stolen.start(), other.start()]);
	await Promise.all([untilInStep(stolen), untilInStep(other)]);
	expect(await verdictOn(stolen, next())).toMatchObject({ event: 'granted', rung: 'authority' });

	await fleet.venue.done('device', 'disable', '--device', 'east');
	await untilStanding(stolen, 'disabled');
	const ticket = next();
	expect(await verdictOn(stolen, ticket)).toMatchObject(refused);
	stolen.cable.cut();
	expect(await verdictOn(stolen, ticket)).toMatchObject(refused);
	await stolen.running().kill();
	await stolen.start();
	expect(await verdictOn(stolen, ticket)).toMatchObject(refused);
	expect(await verdictOn(other, next())).toMatchObject({ event: 'granted', rung: 'authority' });

	stolen.cable.heal();
	await fleet.venue.done('device', 'enable', '--device', 'east');
	await untilStanding(stolen, 'active');
	await untilInStep(stolen);
	expect(await verdictOn(stolen, ticket)).toMatchObject({ event: 'granted', rung: 'authority' });
	expect([openings(), await fleet.cases()]).toEqual([[2, 1], []]);
});

it('admits on the word of the authority alone at a gate in quarantine', { timeout }, async () => {
	const [gate] = gates;
	const openings = openingsAt(gate);
	const next = ticketsOf(await fleet.sell('adult', 8));
	await gate.start();
	await untilInStep(gate);
	await fleet.venue.done('device', 'quarantine', '--device', 'east');
	await untilStanding(gate, 'quarantined');
	expect(await verdictOn(gate, next())).toMatchObject({ event: 'granted', rung: 'authority' });
	gate.cable.cut();
	const ticket = next();
	expect(await verdictOn(gate, ticket)).toMatchObject(refused);
	await gate.running().kill();
	await gate.start();
	expect(await verdictOn(gate, ticket)).toMatchObject(refused);

	gate.cable.heal();
	await fleet.venue.done('device', 'enable', '--device', 'east');
	await untilStanding(gate, 'active');
	gate.cable.cut();
	expect(await verdictOn(gate, ticket)).toMatchObject({ event: 'granted', rung: 'local' });
	expect(openings()).toEqual([2]);
});
