import type { Allowance } from '../../../gate-agent/core/redemption.ts';
import { ticketId } from '../../../gate-agent/core/ticket.ts';
import type { HttpCall, HttpReply } from '../../../sync/client/transport.ts';
import type { ResponseOf } from '../../../sync/protocol/paths.ts';
import { routes } from '../../../sync/protocol/paths.ts';
import { type Chance, createChance } from '../runtime/chance.ts';
import type { VirtualTime } from '../runtime/virtual-time.ts';
import { type Audit, createAudit } from './audit.ts';
import { createGate, type Gate } from './gate.ts';
import { laneConfig } from './gate-lane.ts';
import { createLaneSite } from './lane-site.ts';
import { createLedgerDisk } from './ledger-disk.ts';
import { createLinkTransport, type Link } from './network.ts';
import { drawPlan, type GatePlan, type Plan } from './plan.ts';
import { createRowRegistry, type RowRegistry } from './rows.ts';
import { createStory, type Story } from './story.ts';
import { evt, type WorldTicket } from './tickets.ts';
import { createTruth, type Truth } from './truth.ts';
import { openVenue, type Venue } from './venue.ts';
import { createWatch, type Watch } from './watch.ts';

/** A gate with its place in the world. */
export interface Place {
	readonly plan: GatePlan;
	readonly gate: Gate;
	readonly link: Link;
	/** Faults that its disk has met: they excuse what nothing else does. */
	readonly diskFaults: { lost: number; old: number };
	/** How much was on its disk when somebody last made a copy. */
	oldMark: number | undefined;
	/** The newest epoch that an answer told it since its program began. */
	epochHeard: number;
	/** The same, when it last heard an answer to a claim. */
	epochAtClaim: number;
}

/** A whole world. */
export interface World {
	readonly seed: number;
	readonly plan: Plan;
	readonly time: VirtualTime;
	readonly chance: Chance;
	readonly story: Story;
	readonly truth: Truth;
	readonly venue: Venue;
	readonly places: readonly Place[];
	/** What visitors may carry. It grows by exchanges. */
	readonly tickets: WorldTicket[];
	readonly rows: RowRegistry;
	/** What was found against the invariants so far. */
	readonly watch: Watch;
	readonly audit: Audit;
	/** Milliseconds since 1970. */
	nowMs(): number;
	/** A ticket that everybody wants to enter with for a while. */
	rush: { readonly ticket: WorldTicket; readonly untilMs: number } | undefined;
	/** Whether visitors come and things go wrong. */
	isOpen: boolean;
	/** Told of each step of a gate: its power may fail after it. */
	onStep: (place: Place, step: string) => void;
}

/** When every world begins: a quiet hour of a lantern festival, milliseconds since 1970. */
export const startMs = Date.UTC(2026, 10, 25, 9, 0, 0);

/** Builds a world from its seed. All of its programs run, and nobody has come yet. */
export async function buildWorld(seed: number, time: VirtualTime): Promise<World> {
	const chance = createChance(seed);
	const plan = drawPlan(chance.of('plan'));
	const story = createStory(time.nowMs);
	const venue = await openVenue({ time, chance: chance.of('venue'), startMs });
	const tickets: WorldTicket[] = [];
	for (const order of plan.orders) {
		const home = order.cls === 'home' ? chance.of(order.order).pick(plan.gates).name : undefined;
		tickets.push(...(await venue.sell(order, home)));
	}
	tickets.push(...(await venue.flawed()));
	const places: Place[] = [];
	const watch = createWatch(story);
	const world: World = {
		...{ seed, plan, time, chance, story, venue, places, tickets, watch },
		truth: createTruth(),
		rows: createRowRegistry(),
		audit: createAudit(() => venue.current().disk, watch),
		nowMs: () => Math.floor(startMs + time.nowMs()),
		rush: undefined,
		isOpen: false,
		onStep: () => {},
	};
	for (const gate of plan.gates) places.push(await addPlace(world, gate));
	return world;
}

async function addPlace(world: World, plan: GatePlan): Promise<Place> {
	const { time, venue, story, watch } = world;
	const { name } = plan;
	const chance = world.chance.of(name);
	const enrolled = await venue.enroll(name);
	const link: Link = { weather: { ...world.plan.weather }, host: venue.current().machine };
	const diskFaults = { lost: 0, old: 0 };
	const epochs = chance.of('journal-names');
	const disk = createLedgerDisk({
		device: enrolled.enrollment.device,
		newEpoch: () => `${name}-${epochs.whole(0, 36 ** 6).toString(36)}`,
		onRow: (row) => {
			const other = world.rows.add(row);
			if (other !== undefined && diskFaults.old === 0) {
				watch.found(
					'I10',
					`${name} has given number ${row.seq} of journal ${row.epoch} to two rows: ${other} and ${row.text}`,
				);
			}
		},
	});
	const lanes = plan.lanes.map((build) => ({ build, config: laneConfig(build) }));
	const built = lanes.map(({ build, config }) => ({
		config,
		site: createLaneSite({
			...{ device: name, build, time, story, truth: world.truth, chance: chance.of(build.id) },
			nextTicket: () => (world.isOpen ? pickTicket(world, chance.of(`${build.id}-tickets`)) : undefined),
			epochHeard: () => place.epochAtClaim,
			knowsRevoked: (ticket) => knowsRevoked(place, ticket),
			step: (step) => world.onStep(place, step),
			onPulse: (visit) => visit && watch.pulse(place, visit),
		}),
	}));
	const gate = createGate({
		...{ name, enrolled, time, chance: chance.of('program'), startMs, clockErrorMs: plan.clockErrorMs, disk },
		lanes: built,
		transport: (process) =>
			createLinkTransport({
				...{ device: name, process, link, time, chance: chance.of('link'), streams: plan.streams },
				wire: {
					arrived: (_device, host, call) => world.onStep(place, `${call.path} at ${host}`),
					answered: (_device, call, reply) => hear(world, place, { call, reply }),
				},
			}),
		onDiskStep: (write, step) => world.onStep(place, `${write} ${step}`),
		tell: (what) => story.tell(name, what),
	});
	const place: Place = { plan, gate, link, diskFaults, oldMark: undefined, epochHeard: 0, epochAtClaim: 0 };
	return place;
}

/** Who comes next: often the ticket that was shown just now somewhere else. */
function pickTicket({ tickets, truth, rush, time }: World, chance: Chance): WorldTicket {
	if (rush !== undefined && time.nowMs() < rush.untilMs && chance.happens(0.9)) return rush.ticket;
	const last = truth.visits.at(-1)?.ticket;
	if (last !== undefined && chance.happens(0.35)) return last;
	const good = tickets.filter(({ flaw }) => flaw === undefined);
	return chance.happens(0.06) ? chance.pick(tickets) : chance.pick(good);
}

async function knowsRevoked({ gate }: Place, { idx, cls, use }: WorldTicket): Promise<boolean> {
	const history = await gate.ledger()?.history({
		// Nothing is redeemed with it; the brands stand for forms that these have.
		redemptionId: 'x'.repeat(22) as never,
		ticketId: ticketId(evt, idx),
		...{ evt, idx, cls, use, allowance: 'ticket' as Allowance, lane: 'lane-1', zone: 'main', atMs: 0 },
	});
	return history?.revoked === true;
}

/** Reads from the wire what the device was told. */
function hear(
	{ onStep }: World,
	place: Place,
	{ call, reply }: { readonly call: HttpCall; readonly reply: HttpReply },
) {
	const epoch = epochOf(reply);
	if (epoch !== undefined) place.epochHeard = Math.max(place.epochHeard, epoch);
	if (call.path === routes.claims.path && reply.status === 200) place.epochAtClaim = place.epochHeard;
	onStep(place, `${call.path} answered`);
}

function epochOf({ status, text }: HttpReply): number | undefined {
	if (status !== 200 || !text.startsWith('{')) return undefined;
	const answer = JSON.parse(text) as Partial<ResponseOf<'claims'> & ResponseOf<'feed'> & ResponseOf<'snapshot'>>;
	return answer.epoch ?? answer.next?.epoch ?? answer.cursor?.epoch;
}
