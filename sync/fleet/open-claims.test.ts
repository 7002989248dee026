import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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
	soon,
	untilInStep,
	verdictOn,
} from './fleet.suite.ts';

const timeout = 300_000;

/** A lane that waits this long gives up in reasonable time, and not before the server has decided. */
const shortMs = 1_500;

interface World {
	readonly fleet: Fleet;
	/** The gate whose claim is in question, with two lanes, and another one. */
	readonly east: FleetGate;
	readonly west: FleetGate;
	/** How often each of them opened since the test began. */
	readonly openings: () => readonly number[];
}

let fleet: Fleet;
let gates: readonly [FleetGate, FleetGate];

beforeAll(async () => {
	fleet = await openFleet('adult', 'strict,offline=refuse');
	gates = await Promise.all([fleet.gate('east', 2), fleet.gate('west')]);
}, timeout);

afterAll(async () => {
	expect(await fleet.cases()).toEqual([]);
	await fleet[Symbol.asyncDispose]();
}, timeout);

/** Starts both gates. */
async function startGates(claimMs?: number): Promise<World> {
	const [east, west] = gates;
	await Promise.all([east.start(claimMs === undefined ? {} : { claimMs }), west.start()]);
	await Promise.all([untilInStep(east), untilInStep(west)]);
	return { fleet, east, west, openings: openingsAt(east, west) };
}

async function sellOne(cls: string): Promise<Sold> {
	const [ticket] = await fleet.sell(cls, 1);
	if (!ticket) throw new Error('a ticket was sold');
	return ticket;
}

/** Presents the ticket at the east gate so that the server grants the claim and the gate does not hear of it. */
async function claimUnheard({ east }: World, ticket: Sold): Promise<void> {
	east.cable.holdAnswers();
	await east.present(ticket);
	await until(
		'the claim at the server',
		async () => (await fleet.openClaims(east)).some(({ idx }) => idx === numberOf(ticket)),
		patienceMs,
	);
}

/** On which rungs the journal of a gate has granted a ticket. */
async function grantsOf(gate: FleetGate, { id }: Sold): Promise<readonly unknown[]> {
	return (await gate.rows('granted')).filter(({ ticket }) => ticket === id).map(({ rung }) => rung);
}

async function untilNothingIsHeld({ east }: World): Promise<void> {
	await until('the end of the claim', async () => (await fleet.openClaims(east)).length === 0, patienceMs);
}

it('gives the right back when the gate dies between claim and commit, once it runs again', { timeout }, async () => {
	const world = await startGates();
	const { east, west, openings } = world;
	const ticket = await sellOne('adult');
	await claimUnheard(world, ticket);
	await east.running().kill();
	east.cable.heal();
	expect(await verdictOn(west, ticket)).toMatchObject({ event: 'denied', reason: 'in_progress' });

	await east.start();
	await untilNothingIsHeld(world);
	expect(await grantsOf(east, ticket)).toEqual([]);
	expect(await verdictOn(west, ticket)).toMatchObject({ event: 'granted', rung: 'authority' });
	expect(openings()).toEqual([0, 1]);
});

it('keeps the right taken when the gate dies after the commit', { timeout }, async () => {
	const world = await startGates();
	const { east, west, openings } = world;
	const ticket = await sellOne('adult');
	await east.present(ticket);
	await until('the gate opens', () => openings()[0] === 1, patienceMs);
	east.cable.cut();
	await east.running().kill();
	expect((await verdictOn(west, ticket)).event).toBe('denied');

	east.cable.heal();
	await east.start();
	await untilInStep(east);
	await untilNothingIsHeld(world);
	expect(await grantsOf(east, ticket)).toEqual(['authority']);
	expect(await verdictOn(west, ticket)).toMatchObject({ event: 'denied', reason: 'already_redeemed' });
	expect(openings()).toEqual([1, 0]);
});

it('leaves the right held when the disk that knew of it is lost, until staff release it', { timeout }, async () => {
	const world = await startGates();
	const { east, west, openings } = world;
	const ticket = await sellOne('adult');
	await claimUnheard(world, ticket);
	await east.running().kill();
	east.cable.heal();
	for (const file of readdirSync(east.data)) {
		if (file.startsWith('ledger.db')) rmSync(join(east.data, file));
	}
	await east.start();
	await untilInStep(east);
	expect(await east.running().health()).toMatchObject({ venue: { lostClaims: 1 } });
	expect(await verdictOn(west, ticket)).toMatchObject({ event: 'denied', reason: 'in_progress' });
	expect((await verdictOn(east, ticket)).event).toBe('denied');

	// For a device that lives nobody speaks but itself, unless they insist.
	expect((await fleet.venue.cli(['claim', 'release', '--device', 'east'])).err).toContain('device_alive');
	expect(await fleet.openClaims(east)).toHaveLength(1);
	await fleet.venue.done('claim', 'release', '--device', 'east', '--force');
	expect(await verdictOn(west, ticket)).toMatchObject({ event: 'granted', rung: 'authority' });
	expect(openings()).toEqual([0, 1]);
});

it('lets the row of a gate that went on without the late answer decide its claim', { timeout }, async () => {
	const world = await startGates(shortMs);
	const { east, west, openings } = world;
	const ticket = await sellOne('adult');
	const from = east.running().lines.length;
	await claimUnheard(world, ticket);
	await soon(east, from, ({ event }) => event === 'settled');
	expect(await grantsOf(east, ticket)).toEqual(['local']);
	east.cable.heal();
	await untilInStep(east);
	await untilNothingIsHeld(world);
	expect(await verdictOn(west, ticket)).toMatchObject({ event: 'denied', reason: 'already_redeemed' });
	expect(openings()).toEqual([1, 0]);
});

it('gives back what was granted too late to a gate that had to refuse', { timeout }, async () => {
	const world = await startGates(shortMs);
	const { east, west, openings } = world;
	const ticket = await sellOne('strict');
	const from = east.running().lines.length;
	await claimUnheard(world, ticket);
	expect(await soon(east, from, ({ event }) => event === 'denied')).toMatchObject({ reason: 'offline_refused' });
	expect(await verdictOn(west, ticket)).toMatchObject({ event: 'denied', reason: 'in_progress' });
	east.cable.heal();
	await untilNothingIsHeld(world);
	expect(await verdictOn(west, ticket)).toMatchObject({ event: 'granted', rung: 'authority' });
	expect(openings()).toEqual([0, 1]);
});

it('gives back what it refuses on second thought: a refund came while the claim was under way', {
	timeout,
}, async () => {
	const world = await startGates();
	const { east, west, openings } = world;
	const ticket = await sellOne('adult');
	const [expired] = await fleet.sell('adult', 1, '--from', '2020-01-01T00:00:00Z', '--until', '2020-02-01T00:00:00Z');
	if (!expired) throw new Error('a ticket was sold');

	const from = east.running().lines.length;
	await claimUnheard(world, ticket);
	await fleet.change('refund', [ticket]);
	await fleet.change('refund', [expired]);
	// What has expired costs no claim, so that it shows how far the gate knows of refunds.
	await until(
		'the refund at the gate',
		async () => (await verdictOn(east, expired, 2)).reason === 'revoked',
		patienceMs,
	);
	east.cable.heal();
	await soon(east, from, ({ event, ticketId }) => event !== 'scan' && ticketId === ticket.id);
	// Refusals are written together, a moment after they were told.
	const denied = expect.objectContaining({ ticket: ticket.id, reason: 'revoked' });
	await expect.poll(() => east.rows('denied'), { timeout: patienceMs }).toContainEqual(denied);
	await untilNothingIsHeld(world);

	await fleet.change('restore', [ticket]);
	await until('the refund taken back', async () => (await verdictOn(west, ticket)).event === 'granted', patienceMs);
	expect(openings()).toEqual([0, 1]);
});
