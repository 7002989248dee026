import { ticketId } from '../../../gate-agent/core/ticket.ts';
import { evt, type WorldTicket } from '../world/tickets.ts';
import type { Visit } from '../world/truth.ts';
import type { World } from '../world/world.ts';
import { openSegmentRows } from './segment-rows.ts';

/** One ticket at one lane: where what people did and what the centre counts are compared. */
export interface Seat {
	readonly name: string;
	readonly ticket: WorldTicket;
	readonly visits: readonly Visit[];
	/** Who went through, counted at the turnstile, and how many of them no journal can know of. */
	readonly passages: number;
	readonly unnoted: number;
	/** Who may be assumed to have: the program died before it knew. */
	readonly assumable: number;
	/** Passages whose rows no disk and no server has any more, because of faults of the world. */
	readonly destroyed: number;
	/** Passages that the centre counts. */
	readonly counted: number;
	/** Passages on journals that forked: evidence that the centre has and does not count. */
	readonly onBranches: number;
}

interface RedemptionRow {
	readonly device: string;
	readonly lane: string;
	readonly idx: number;
	readonly taken: number;
}

/** Joins the truth of the world and the authority's books, lane by lane and ticket by ticket. */
export function seatsOf(world: World): readonly Seat[] {
	const { truth, venue, places, rows, tickets } = world;
	const { disk } = venue.current();
	const nameOf = new Map(places.map(({ gate }) => [gate.device, gate.name]));
	const visits = Map.groupBy(
		truth.visits,
		({ device, lane, ticket }) => `${device}/${lane}/${ticketId(evt, ticket.idx)}`,
	);
	const counted = new Map<string, number>();
	const add = (to: Map<string, number>, key: string, count: number) => to.set(key, (to.get(key) ?? 0) + count);
	for (const { device, lane, idx, taken } of disk.read<RedemptionRow>(
		'SELECT device, lane, idx, taken FROM redemptions',
	)) {
		add(counted, `${nameOf.get(device)}/${lane}/${ticketId(evt, idx)}`, taken);
	}
	const branches = new Map<string, number>();
	for (const { device, row } of openSegmentRows(disk.read('SELECT device, jws FROM branches'))) {
		if (row.kind === 'settled') add(branches, `${nameOf.get(device)}/${row.lane}/${row.ticket}`, row.taken);
	}
	const destroyed = new Map<string, number>();
	for (const [key, count] of rows.destroyed) {
		const [device = '', ...rest] = key.split('/');
		add(destroyed, `${nameOf.get(device)}/${rest.join('/')}`, count);
	}
	const names = new Set([...visits.keys(), ...counted.keys()]);
	return [...names].flatMap((name) => {
		const here = visits.get(name) ?? [];
		const ticket = here[0]?.ticket ?? tickets.find(({ idx }) => name.endsWith(`/${ticketId(evt, idx)}`));
		if (ticket === undefined) return [];
		return {
			...{ name, ticket, visits: here },
			passages: here.reduce((sum, visit) => sum + visit.passages.length, 0),
			unnoted: here.reduce((sum, visit) => sum + visit.passages.filter(({ unnoted }) => unnoted).length, 0),
			assumable: here.reduce((sum, visit) => sum + assumable(visit), 0),
			destroyed: destroyed.get(name) ?? 0,
			counted: counted.get(name) ?? 0,
			onBranches: branches.get(name) ?? 0,
		};
	});
}

/** How many more than those who were seen a program that died may assume. */
function assumable({ interrupted, ticket, passages }: Visit): number {
	return interrupted ? Math.max(0, ticket.use - passages.length) : 0;
}
