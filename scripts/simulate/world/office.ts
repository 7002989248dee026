import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { ClassName } from './tickets.ts';

import { venueId } from './venue.ts';
import type { World } from './world.ts';

/** What people at the office do while the doors are open. */
export function beginOffice(world: World): void {
	const { time, plan, chance } = world;
	const own = chance.of('office');
	time.outside(() => {
		for (let act = 0; act < plan.faults.officeActs; act += 1) {
			time.after(own.between(2_000, plan.chaosMs), () => attempt(world, act));
		}
		for (let round = 0; round < plan.faults.quarantines; round += 1) {
			time.after(own.between(5_000, plan.chaosMs), () => quarantine(world));
		}
	});
}

function attempt(world: World, act: number): void {
	if (!world.isOpen || !world.venue.current().machine.isUp) return;
	const kind = world.chance.of('office').weighted({ refund: 50, restore: 25, exchange: 25 });
	const work = { refund, restore, exchange }[kind];
	work(world, act).catch((error: unknown) => {
		// The office is told why, e.g. that a ticket is used; anything else is a bug.
		if (!(error instanceof StilewardError)) throw error;
		world.story.tell('office', `${kind} is refused: ${error.code}`);
	});
}

async function refund(world: World): Promise<void> {
	const order = pickOrder(world);
	const { refunded, alreadyUsed, pending } = await storeOf(world).refundOrder({
		...{ venue: venueId, order, atMs: world.nowMs() },
	});
	wake(world);
	const used = alreadyUsed.length > 0 ? `, used already: ${alreadyUsed.join(', ')}` : '';
	world.story.tell('office', `refunds ${order}: ${refunded.join(', ') || 'none'}${used}${pending ? ', pending' : ''}`);
}

async function restore(world: World): Promise<void> {
	const order = pickOrder(world);
	await storeOf(world).restoreOrder({ venue: venueId, order, atMs: world.nowMs() });
	wake(world);
	world.story.tell('office', `takes the refund of ${order} back`);
}

async function exchange(world: World, act: number): Promise<void> {
	const from = pickOrder(world);
	const { venue, plan } = world;
	const cls: ClassName = plan.orders.find(({ order }) => order === from)?.cls ?? 'adult';
	const home = cls === 'home' ? plan.gates[0]?.name : undefined;
	const into = venue.requestOf({ order: `exchange-${act + 1}`, cls, count: 1, use: 1 }, home);
	const made = await storeOf(world).exchangeOrder({ venue: venueId, order: from, into });
	wake(world);
	const printed = await venue.print(made);
	world.tickets.push(...printed);
	world.story.tell('office', `exchanges ${from} for ${printed.map(({ name }) => name).join(', ')}`);
}

function quarantine(world: World): void {
	const { chance, places, venue, story, time } = world;
	if (!world.isOpen || !venue.current().machine.isUp) return;
	const { gate } = chance.of('office').pick(places);
	const set = async (status: 'quarantined' | 'active') => {
		const { disk } = venue.current();
		await disk.store.setDeviceStatus({ venue: venueId, device: gate.device, status, atMs: world.nowMs() });
		wake(world);
		story.tell('office', `${gate.name} is ${status}`);
	};
	void set('quarantined');
	time.after(chance.of('office').between(5_000, 30_000), () => void set('active'));
}

function pickOrder({ chance, tickets }: World): string {
	const sold = tickets.flatMap(({ order }) => (order === undefined ? [] : [order]));
	return chance.of('office').pick(sold);
}

function storeOf({ venue }: World) {
	return venue.current().disk.store;
}

function wake({ venue }: World): void {
	venue.current().machine.parts()?.feed.wake(venueId);
}
