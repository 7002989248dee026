import { destroyRows, startGate } from './faults.ts';
import type { GateHealth } from './gate.ts';
import { clearWeather } from './network.ts';
import { venueId } from './venue.ts';
import type { World } from './world.ts';

/** A world that is not at rest after this much quiet never will be: every backoff has ended twice. */
const restWithinMs = 480_000;

/** How often it is looked whether a world is at rest. */
const lookMs = 5_000;

/** How often staff release the claims of disks that are gone: not before every device has had its say. */
const staffEveryMs = 70_000;

/** Ends everything that goes wrong, and lets the world come to rest. */
export async function heal(world: World): Promise<void> {
	const { time, story, venue, places } = world;
	story.tell('world', 'the doors close, everything works again');
	world.isOpen = false;
	world.onStep = () => {};
	for (const server of [...venue.servers()]) {
		if (server !== venue.current()) venue.scrap(server);
	}
	destroyRows(world);
	const { machine } = venue.current();
	if (!machine.isUp) await machine.start();
	for (const place of places) {
		place.link.host = machine;
		place.link.weather = { ...clearWeather };
		startGate(world, place);
	}
	time.outside(() => time.after(1_000, () => void liftQuarantines(world)));
	time.outside(() => time.after(staffEveryMs, () => void releaseLostClaims(world)));
}

/** Lets time pass until nothing happens any more. */
export async function comeToRest(world: World): Promise<void> {
	const { time, watch, audit } = world;
	const untilMs = time.nowMs() + restWithinMs;
	// What staff do comes first: before that claims of lost disks are held.
	await time.runUntil(time.nowMs() + staffEveryMs + lookMs);
	let unrest = await unrestOf(world);
	while (unrest.length > 0 && time.nowMs() < untilMs) {
		await time.runUntil(time.nowMs() + lookMs);
		unrest = await unrestOf(world);
	}
	audit.look();
	for (const why of unrest) watch.found('rest', why);
}

/** Why a world is not at rest. */
async function unrestOf({ places, venue }: World): Promise<readonly string[]> {
	const { disk } = venue.current();
	const [head] = disk.read<{ epoch: number; control: number; admissions: number }>('SELECT * FROM heads');
	const open = disk.read<{ device: string; redemption: string }>(
		"SELECT device, redemption FROM redemptions WHERE state = 'claimed'",
	);
	const found = open.map(({ device, redemption }) => {
		const name = places.find(({ gate }) => gate.device === device)?.gate.name;
		return `the authority still holds a use for claim ${redemption} of ${name}`;
	});
	for (const { gate, diskFaults } of places) {
		const status = await gate.health();
		if (status === undefined) {
			found.push(`${gate.name} does not run`);
			continue;
		}
		found.push(...unrestOfGate(gate.name, status, diskFaults.old > 0));
		const { cursor } = status;
		const isCurrent =
			cursor?.epoch === head?.epoch && cursor?.control === head?.control && cursor?.admissions === head?.admissions;
		if (!isCurrent)
			found.push(`${gate.name} stands at ${JSON.stringify(cursor)}, the venue at ${JSON.stringify(head)}`);
		if ((await gate.ledger()?.openGrants())?.length !== 0) found.push(`${gate.name} has open grants`);
		for (const site of gate.sites) if (site.isBusy) found.push(`somebody still stands at ${gate.name}/${site.id}`);
	}
	return found;
}

function unrestOfGate(name: string, { state, problem, waiting, journal }: GateHealth, hadOldDisk: boolean): string[] {
	const found: string[] = [];
	if (state !== 'online') found.push(`${name} is ${state}: ${problem ?? 'without a reason'}`);
	// A journal that forked is for a person to look at; the rows stay where they are.
	if (hadOldDisk && journal === 'quarantined') return found;
	if (waiting > 0) found.push(`${name} has ${waiting} rows that the server does not have`);
	if (journal !== 'accepted') found.push(`the journal of ${name} is ${journal}`);
	return found;
}

async function liftQuarantines({ venue, places, nowMs }: World): Promise<void> {
	const { disk, machine } = venue.current();
	for (const { gate, diskFaults } of places) {
		const device = await disk.store.device(venueId, gate.device);
		if (device?.status !== 'quarantined' || diskFaults.old > 0) continue;
		await disk.store.setDeviceStatus({ venue: venueId, device: gate.device, status: 'active', atMs: nowMs() });
	}
	machine.parts()?.feed.wake(venueId);
}

async function releaseLostClaims(world: World): Promise<void> {
	const { venue, places, story, nowMs, time } = world;
	time.outside(() => time.after(staffEveryMs, () => void releaseLostClaims(world)));
	const { disk, machine } = venue.current();
	for (const { gate, diskFaults } of places) {
		const open = await disk.store.openClaims(venueId, gate.device);
		// A journal that forked answers for nothing any more; people have looked by now.
		const isForked = diskFaults.old > 0 && (await gate.health())?.journal === 'quarantined';
		const isLost = (journal: string) => isForked || journal !== gate.ledger()?.epoch;
		const lost = open.filter(({ journal }) => isLost(journal)).map(({ redemption }) => redemption);
		if (lost.length === 0) continue;
		story.tell('office', `releases ${lost.length} claims of lost disks of ${gate.name}`);
		await disk.store.releaseClaims({
			...{ venue: venueId, device: gate.device, redemptions: lost, by: 'staff', atMs: nowMs() },
		});
	}
	machine.parts()?.feed.wake(venueId);
}
