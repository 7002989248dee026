import type { Chance } from '../runtime/chance.ts';
import type { LaneBuild } from './lane-site.ts';
import { clearWeather, type Weather } from './network.ts';
import type { ClassName } from './tickets.ts';

/** What a world is, before anything happens in it. */
export interface Plan {
	/** How long things go wrong, milliseconds. */
	readonly chaosMs: number;
	readonly gates: readonly GatePlan[];
	readonly orders: readonly OrderPlan[];
	/** The weather that every link begins with. */
	readonly weather: Weather;
	readonly faults: FaultPlan;
}

/** One gate. */
export interface GatePlan {
	readonly name: string;
	readonly lanes: readonly LaneBuild[];
	/** Whether it reads the feed as a stream, or polls. */
	readonly streams: boolean;
	readonly clockErrorMs: number;
}

/** Tickets that are sold before the doors open. */
export interface OrderPlan {
	readonly order: string;
	readonly cls: ClassName;
	readonly count: number;
	readonly use: number;
}

/** How often what goes wrong. Shares are of the moments at which it could. */
export interface FaultPlan {
	/** Share of a gate's steps after which its power fails. */
	readonly crashAtStep: number;
	/** What happens to the disk of a gate that lost its power, as shares. */
	readonly diskLost: number;
	readonly diskOld: number;
	/** Mean time between cuts of a link; 0 is never. */
	readonly cutEveryMs: number;
	readonly serverCrashes: number;
	readonly restores: number;
	/** Whether a server that was given up goes on beside its successor. */
	readonly zombie: boolean;
	/** What the office does: refunds, restores, exchanges. */
	readonly officeActs: number;
	readonly quarantines: number;
}

/** Draws a world. Small worlds, in which everything meets everything. */
export function drawPlan(chance: Chance): Plan {
	const shape = chance.of('shape');
	const gates = Array.from({ length: shape.weighted({ 2: 40, 3: 35, 4: 15, 5: 10 }) === '2' ? 2 : shape.whole(3, 5) });
	return {
		chaosMs: shape.between(30_000, 90_000),
		gates: gates.map((_, place) => drawGate(`gate-${place + 1}`, shape)),
		orders: drawOrders(chance.of('orders')),
		weather: drawWeather(chance.of('weather')),
		faults: drawFaults(chance.of('faults')),
	};
}

function drawGate(name: string, chance: Chance): GatePlan {
	const lanes = Array.from({ length: chance.happens(0.4) ? 2 : 1 });
	return {
		name,
		streams: chance.happens(0.5),
		clockErrorMs: chance.happens(0.2) ? chance.between(-90_000, 90_000) : chance.between(-500, 500),
		lanes: lanes.map((_, place) => ({
			id: `lane-${place + 1}`,
			sensor: chance.happens(0.88),
			unlockMs: chance.happens(0.25) ? 9_500 : 5_000,
			gapMs: chance.happens(0.5) ? [200, 2_500] : [500, 6_000],
		})),
	};
}

function drawOrders(chance: Chance): readonly OrderPlan[] {
	const kinds: readonly ClassName[] = ['adult', 'strict', 'group', 'party', 'final', 'home'];
	const count = chance.whole(3, 6);
	return Array.from({ length: count }, (_, place) => {
		const cls = place === 0 ? 'strict' : chance.pick(kinds);
		const isGroup = cls === 'group' || cls === 'party';
		const use = isGroup ? chance.whole(2, 4) : cls === 'home' || chance.happens(0.8) ? 1 : 2;
		return { order: `order-${place + 1}`, cls, count: cls === 'home' ? 1 : chance.whole(1, 2), use };
	});
}

function drawWeather(chance: Chance): Weather {
	const kind = chance.weighted({ fair: 35, rough: 45, storm: 20 });
	if (kind === 'fair') return clearWeather;
	const scale = kind === 'rough' ? 0.03 : 0.1;
	const share = () => chance.between(0, scale);
	return {
		link: 'up',
		breaksBefore: share(),
		breaksAfter: share(),
		late: share(),
		twice: share(),
		silent: share(),
		delayMs: chance.happens(0.5) ? [1, 20] : [5, 120],
	};
}

function drawFaults(chance: Chance): FaultPlan {
	const some = (share: number, most: number) => (chance.happens(share) ? chance.whole(1, most) : 0);
	const restores = some(0.25, 2);
	return {
		crashAtStep: chance.happens(0.7) ? chance.between(0.001, 0.02) : 0,
		diskLost: chance.happens(0.25) ? 0.3 : 0,
		diskOld: chance.happens(0.25) ? 0.3 : 0,
		cutEveryMs: chance.happens(0.7) ? chance.between(8_000, 40_000) : 0,
		serverCrashes: some(0.4, 3),
		restores,
		zombie: restores > 0 && chance.happens(0.5),
		officeActs: some(0.6, 5),
		quarantines: some(0.1, 1),
	};
}
