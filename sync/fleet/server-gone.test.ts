import { expect, it } from 'vitest';
import type { LedgerRow } from '../../gate-agent/acceptance/gate.suite.ts';
import { enrollDevice } from '../acceptance/device.suite.ts';
import { readLogs } from '../acceptance/load.suite.ts';
import { evt } from '../acceptance/venue.suite.ts';
import type { AdmissionChange } from '../protocol/feed.ts';
import {
	expectWholeAtServer,
	type Fleet,
	type FleetGate,
	openFleet,
	type Sold,
	signalServer,
	untilInStep,
	verdictOn,
} from './fleet.suite.ts';

const classes = [
	'adult',
	'strict,offline=refuse',
	'counted,unverifiedPerHour=2,unverifiedLimit=refuse',
	'watched,unverifiedPerHour=1',
];

/** Short, so that the first visitor of each outage does not wait long, and longer than a busy machine needs to answer. */
const claimMs = 2_000;

const local = { event: 'granted', rung: 'local' };
const refused = { event: 'denied', reason: 'offline_refused' };

interface World {
	readonly fleet: Fleet;
	readonly east: FleetGate;
	readonly west: FleetGate;
	/** Tickets by class, the next ones first. */
	readonly sold: Readonly<Record<string, IterableIterator<Sold>>>;
	readonly doubles: Sold[];
}

async function openWorld(fleet: Fleet): Promise<World> {
	const [east, west] = await Promise.all([fleet.gate('east'), fleet.gate('west')]);
	const sold: Record<string, IterableIterator<Sold>> = {};
	for (const cls of ['adult', 'strict', 'counted', 'watched']) sold[cls] = (await fleet.sell(cls, 20)).values();
	await Promise.all([east.start({ claimMs }), west.start({ claimMs })]);
	await Promise.all([untilInStep(east), untilInStep(west)]);
	return { fleet, east, west, sold, doubles: [] };
}

function next({ sold }: World, cls: string): Sold {
	const taken = sold[cls]?.next();
	if (!taken || taken.done) throw new Error(`no ticket of ${cls} is left`);
	return taken.value;
}

/** Visitors while nobody can be asked: some come once, some at both gates. */
async function visitUnseen(world: World): Promise<void> {
	const { east, west, doubles } = world;
	for (const gate of [east, west]) {
		expect(await verdictOn(gate, next(world, 'adult'))).toMatchObject(local);
		expect(await verdictOn(gate, next(world, 'strict'))).toMatchObject(refused);
	}
	for (const [first, second] of [
		[east, west],
		[west, east],
	] as const) {
		const ticket = next(world, 'adult');
		doubles.push(ticket);
		expect(await verdictOn(first, ticket)).toMatchObject(local);
		expect(await verdictOn(second, ticket)).toMatchObject(local);
		expect(await verdictOn(first, ticket)).toMatchObject({ event: 'denied', reason: 'already_redeemed' });
	}
}

/** The server must count what the journals say: every row once, every passage once. */
async function expectSameCounts({ fleet, east, west, doubles }: World): Promise<void> {
	const observer = await enrollDevice(fleet.venue);
	const { admissions } = await readLogs(observer);
	observer.close();
	const changes = [...admissions.values()].map((text) => JSON.parse(text) as AdmissionChange);
	const rows: (LedgerRow & { readonly device: string })[] = [];
	for (const gate of [east, west]) for (const row of await gate.rows()) rows.push({ ...row, device: gate.device });

	const ended = rows.filter(({ kind }) => kind === 'granted' || kind === 'settled');
	const names = (each: { readonly device: string; readonly seq: number }) => `${each.device}/${each.seq}`;
	const ofRedemptions = changes.filter(({ redemption }) => ended.some((row) => row.redemption === redemption));
	expect(ofRedemptions.map(names).sort()).toEqual(ended.map(names).sort());
	// Beside them there are claims that were asked too late to count, given back.
	const others = changes.filter((change) => !ofRedemptions.includes(change));
	const released = rows.filter(({ kind }) => kind === 'released').map(names);
	expect(others.map(names).filter((name) => !released.includes(name))).toEqual([]);

	const taken = new Map<string, number>();
	for (const row of ended.filter(({ kind }) => kind === 'settled')) {
		taken.set(`${row.ticket}`, (taken.get(`${row.ticket}`) ?? 0) + Number(row.taken));
	}
	const used = new Map(changes.map((change) => [`${change.evt}/${change.idx}`, change]));
	for (const [ticket, count] of taken) expect(used.get(ticket), ticket).toMatchObject({ used: count, held: 0 });
	for (const { id, redemption } of doubles.map(({ id }) => ({ id, redemption: taken.get(id) }))) {
		expect(redemption, id).toBe(2);
	}
}

async function expectCases({ fleet, east, west, doubles }: World): Promise<void> {
	const cases = await fleet.cases();
	expect(cases.map(({ idx }) => `${evt}/${idx}`).sort()).toEqual(doubles.map(({ id }) => id).sort());
	for (const { kind, over, redemptions } of cases) {
		expect([kind, over]).toEqual(['double_entry', 1]);
		expect(redemptions.map(({ device }) => device).sort()).toEqual([east.device, west.device].sort());
	}
}

it('goes on by the policy of each class while the server stands still and while it is dead, and accounts for all of it afterwards', {
	timeout: 600_000,
}, async () => {
	await using fleet = await openFleet(...classes);
	const world = await openWorld(fleet);
	const { east, west } = world;
	const before = next(world, 'adult');
	expect(await verdictOn(east, before)).toMatchObject({ event: 'granted', rung: 'authority' });
	await untilInStep(east);

	signalServer(fleet.venue, 'SIGSTOP');
	await visitUnseen(world);
	signalServer(fleet.venue, 'SIGCONT');
	await Promise.all([untilInStep(east), untilInStep(west)]);
	await expectCases(world);
	const strict = next(world, 'strict');
	expect(await verdictOn(west, strict)).toMatchObject({ event: 'granted', rung: 'authority' });

	signalServer(fleet.venue, 'SIGSTOP');
	await visitUnseen(world);
	await fleet.venue.end('SIGKILL');
	await visitUnseen(world);
	expect(await verdictOn(west, before)).toMatchObject({ event: 'denied', reason: 'already_redeemed' });
	// Five, so that both hours around a full one are filled.
	for (const _ of [1, 2, 3, 4, 5]) await verdictOn(east, next(world, 'counted'));
	for (const _ of [1, 2]) expect(await verdictOn(west, next(world, 'watched'))).toMatchObject(local);
	expect(east.opened() + west.opened()).toBe((await admitted(east)) + (await admitted(west)));

	await fleet.venue.start();
	await Promise.all([untilInStep(east), untilInStep(west)]);
	await expectLimits(world);
	await expectCases(world);
	await expectSameCounts(world);
	await expectWholeAtServer(fleet, [east, west]);
	expect(await verdictOn(west, next(world, 'strict'))).toMatchObject({ event: 'granted', rung: 'authority' });
});

async function admitted(gate: FleetGate): Promise<number> {
	return (await gate.rows('granted')).length;
}

/** A class that is limited is refused above its limit; one that is watched alarms. */
async function expectLimits({ east, west }: World): Promise<void> {
	const counted = (await east.rows('granted')).filter(({ cls }) => cls === 'counted');
	const byHour = Map.groupBy(counted, ({ at }) => at.slice(0, 'YYYY-MM-DDTHH'.length));
	for (const grants of byHour.values()) expect(grants.length).toBeLessThanOrEqual(2);
	expect(counted.length).toBeGreaterThanOrEqual(2);
	expect(counted.length).toBeLessThan(5);
	expect(await west.rows('alarm')).toContainEqual(expect.objectContaining({ alarm: 'unverified_limit', on: true }));
}
