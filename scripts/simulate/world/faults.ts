import { rowName } from './rows.ts';
import type { Server } from './venue.ts';
import { serverId, venueId } from './venue.ts';
import type { Place, World } from './world.ts';

/** How long a gate stays without power, how long a link is cut, how long a server is down: least and most, milliseconds. */
const darkMs = [300, 15_000] as const;
const cutMs = [800, 30_000] as const;
const downMs = [100, 15_000] as const;

/** Begins everything that goes wrong in a world. It ends when the world closes. */
export function beginFaults(world: World): void {
	const { time } = world;
	time.outside(() => {
		failGatesAtSteps(world);
		for (const place of world.places) {
			cutLinks(world, place);
			markDisks(world, place);
		}
		crashServers(world);
		restoreServers(world);
	});
}

function during(world: World, [least, most]: readonly [number, number], act: () => void): void {
	const chance = world.chance.of('moments');
	world.time.after(chance.between(least, most), () => {
		if (world.isOpen) act();
	});
}

/** A gate's power fails within some milliseconds after a step, so between any two of them. */
function failGatesAtSteps(world: World): void {
	const { faults } = world.plan;
	const chance = world.chance.of('gate-crashes');
	if (faults.crashAtStep === 0) return;
	world.onStep = (place, step) => {
		if (!world.isOpen || !place.gate.isUp || !chance.happens(faults.crashAtStep)) return;
		const afterMs = chance.between(0, 3);
		world.time.outside(() =>
			world.time.after(afterMs, () => {
				if (place.gate.isUp && world.isOpen) failGate(world, place, step);
			}),
		);
	};
}

function failGate(world: World, place: Place, step: string): void {
	const { time, story, plan } = world;
	const { gate } = place;
	const chance = world.chance.of(`${gate.name}-power`);
	story.tell(gate.name, `the power fails after: ${step}`);
	gate.crash();
	place.epochHeard = 0;
	const disk = chance.weighted({
		kept: Math.max(0, 1 - plan.faults.diskLost - plan.faults.diskOld),
		lost: plan.faults.diskLost,
		old: plan.faults.diskOld,
	});
	time.after(chance.between(...darkMs), async () => {
		if (gate.isUp) return;
		if (disk === 'lost') loseDisk(world, place);
		if (disk === 'old') await bringOldDisk(world, place);
		startGate(world, place);
	});
}

/** Gives a gate its power back. */
export function startGate({ story }: World, { gate }: Place): void {
	if (gate.isUp) return;
	story.tell(gate.name, 'the power is back');
	gate.start();
}

function loseDisk(world: World, place: Place): void {
	world.story.tell(place.gate.name, 'its disk is dead, a new one is put in');
	place.diskFaults.lost += 1;
	place.gate.disk.loseAll();
	destroyRows(world);
}

async function bringOldDisk(world: World, place: Place): Promise<void> {
	const { gate } = place;
	const mark = place.oldMark;
	if (mark === undefined || mark >= gate.disk.mark) return;
	world.story.tell(gate.name, `its disk comes back from an old copy, ${gate.disk.mark - mark} writes are missing`);
	place.diskFaults.old += 1;
	await gate.disk.goBack(mark);
	destroyRows(world);
}

/** From time to time somebody makes a copy of a gate's disk. */
function markDisks(world: World, place: Place): void {
	if (world.plan.faults.diskOld === 0) return;
	during(world, [2_000, 25_000], () => {
		place.oldMark = place.gate.disk.mark;
		markDisks(world, place);
	});
}

/** What is on no disk and at no server is lost for good: no program can be blamed for it. */
export function destroyRows({ places, venue, rows }: World): void {
	const left = new Set<string>();
	for (const { gate } of places) for (const row of gate.disk.rows()) left.add(rowName(row));
	for (const server of venue.servers()) for (const name of rowsAt(server, places)) left.add(name);
	rows.destroy(left);
}

interface SegmentRow {
	readonly device: string;
	readonly device_epoch: string;
	readonly from_seq: number;
	readonly to_seq: number;
}

/** The names of the rows that a server has. */
function rowsAt({ disk }: Server, places: readonly Place[]): readonly string[] {
	const segments = disk.read<SegmentRow>('SELECT device, device_epoch, from_seq, to_seq FROM segments');
	return segments.flatMap(({ device, device_epoch: epoch, from_seq: from, to_seq: to }) => {
		const known = places.find(({ gate }) => gate.device === device)?.gate.device ?? device;
		return Array.from({ length: to - from + 1 }, (_, at) => rowName({ device: known, epoch, seq: from + at }));
	});
}

function cutLinks(world: World, place: Place): void {
	const { time, story, plan } = world;
	const every = plan.faults.cutEveryMs;
	if (every === 0) return;
	const chance = world.chance.of(`${place.gate.name}-cuts`);
	during(world, [0, 2 * every], () => {
		const how = chance.weighted({ refused: 35, hang: 50, captive: 15 });
		story.tell(place.gate.name, how === 'captive' ? 'a portal answers everything' : `the link is cut (${how})`);
		place.link.weather = { ...place.link.weather, link: how };
		time.after(chance.between(...cutMs), () => {
			story.tell(place.gate.name, 'the link is back');
			place.link.weather = { ...place.link.weather, link: 'up' };
			cutLinks(world, place);
		});
	});
}

function crashServers(world: World): void {
	const { time, story, plan, venue } = world;
	const chance = world.chance.of('server-crashes');
	for (let round = 0; round < plan.faults.serverCrashes; round += 1) {
		time.after(chance.between(1_000, plan.chaosMs), () => {
			const { machine } = venue.current();
			if (!world.isOpen || !machine.isUp) return;
			story.tell(machine.name, 'the server dies');
			machine.crash();
			time.after(chance.between(...downMs), async () => {
				if (machine.isUp || machine !== venue.current().machine) return;
				story.tell(machine.name, 'the server starts again');
				await machine.start();
			});
		});
	}
}

/** The authority is brought back from an old copy, on its machine or on another one. */
function restoreServers(world: World): void {
	const { time, plan, venue } = world;
	const chance = world.chance.of('restores');
	for (let round = 0; round < plan.faults.restores; round += 1) {
		const atMs = chance.between(5_000, plan.chaosMs);
		const copyMs = chance.between(0, atMs);
		let copy: Buffer | undefined;
		time.after(copyMs, () => {
			copy = venue.current().disk.copy();
		});
		time.after(atMs, () => {
			if (world.isOpen && copy !== undefined) void restore(world, copy, `centre-${round + 2}`);
		});
	}
}

async function restore(world: World, copy: Buffer, name: string): Promise<void> {
	const { venue, story, plan, time } = world;
	const chance = world.chance.of(name);
	const old = venue.current();
	if (!plan.faults.zombie) {
		story.tell(old.machine.name, 'the server dies, and its disk with it');
		venue.scrap(old);
	}
	const next = await venue.build(name, copy);
	const epoch = await next.disk.store.beginEpoch({
		...{ venue: venueId, server: serverId, atMs: world.nowMs(), lost: true },
	});
	venue.appoint(next);
	world.audit.newLineage();
	destroyRows(world);
	await next.machine.start();
	story.tell(name, `runs from an old copy, in epoch ${epoch}${plan.faults.zombie ? '; the old server goes on' : ''}`);
	for (const place of world.places) {
		// Names take a while to point to the new machine, and may point back for a moment.
		const move = () => {
			if (venue.current() === next) place.link.host = next.machine;
		};
		time.after(plan.faults.zombie ? chance.between(0, 8_000) : 0, move);
		if (!plan.faults.zombie) continue;
		time.after(chance.between(8_000, 20_000), () => {
			if (!world.isOpen || venue.current() !== next) return;
			story.tell(place.gate.name, `its calls reach ${old.machine.name} again`);
			place.link.host = old.machine;
			const forMs = chance.between(3_000, 12_000);
			void rush(world, `rush-${name}-${place.gate.name}`, forMs);
			time.after(forMs, move);
		});
	}
}

/**
 * A ticket that was sold a moment ago is shown everywhere at once, while one gate reaches the authority of before and the
 * others its successor: both would grant it.
 */
async function rush(world: World, order: string, forMs: number): Promise<void> {
	const [ticket] = await world.venue.sell({ order, cls: 'strict', count: 1, use: 1 });
	if (ticket === undefined) return;
	world.tickets.push(ticket);
	world.rush = { ticket, untilMs: world.time.nowMs() + forMs };
}
