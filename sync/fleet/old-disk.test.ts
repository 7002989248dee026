import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { LedgerRow } from '../../gate-agent/acceptance/gate.suite.ts';
import { openFleet, untilInStep, verdictOn } from './fleet.suite.ts';

it('begins its journal anew when an old disk comes back, before it admits: no number twice, no used ticket again', {
	timeout: 300_000,
}, async () => {
	await using fleet = await openFleet();
	const gate = await fleet.gate('east');
	const [early, later, ...others] = await fleet.sell('adult', 8);
	if (!early || !later) throw new Error('tickets were sold');
	await gate.start();
	await untilInStep(gate);
	expect(await verdictOn(gate, early)).toMatchObject({ event: 'granted' });
	await untilInStep(gate);
	await gate.running().stop();
	const copy = join(gate.dir, 'copy');
	cpSync(gate.data, copy, { recursive: true });

	await gate.start();
	expect(await verdictOn(gate, later)).toMatchObject({ event: 'granted' });
	for (const ticket of others.slice(0, 3)) expect(await verdictOn(gate, ticket)).toMatchObject({ event: 'granted' });
	await untilInStep(gate);
	await gate.running().stop();
	const before = await gate.rows();
	rmSync(gate.data, { recursive: true });
	cpSync(copy, gate.data, { recursive: true });

	// It does not ask the authority, so that what it knows itself must tell.
	await gate.start({ claimMs: 0 });
	for (const ticket of [early, later, ...others.slice(0, 3)]) {
		expect(await verdictOn(gate, ticket)).toMatchObject({ event: 'denied', reason: 'already_redeemed' });
	}
	await gate.running().stop();
	await gate.start();
	for (const ticket of others.slice(3)) {
		expect(await verdictOn(gate, ticket)).toMatchObject({ event: 'granted', rung: 'authority' });
	}
	await untilInStep(gate);
	const after = await gate.rows();
	// Whatever number was used before the copy was brought back stands for the same row still.
	const names = ({ epoch, seq }: LedgerRow) => `${epoch}/${seq}`;
	const known = new Map(before.map((row) => [names(row), row]));
	for (const row of after) expect(row).toEqual(known.get(names(row)) ?? row);
	const [device] = await fleet.devices();
	expect(device).toMatchObject({ status: 'active', deviceEpoch: after[0]?.epoch, acceptedThrough: after.at(-1)?.seq });
	expect([gate.opened(), await fleet.cases()]).toEqual([8, []]);
});
