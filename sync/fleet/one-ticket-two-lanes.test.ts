import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type LedgerRow, type RunningGate, until } from '../../gate-agent/acceptance/gate.suite.ts';
import { patienceMs } from '../acceptance/venue.suite.ts';
import { expectWholeAtServer, type FleetGate, openFleet, type Sold, untilInStep } from './fleet.suite.ts';

/** How often one ticket is presented at both lanes; the night makes more of it. */
const pairs = Number(process.env.STILEWARD_PAIRS ?? 1_000);

/** Two visitors who come together are this much apart at most; the others at random below the second. */
const togetherMs = 1;
const apartMs = 30;

/** Lanes of each gate: a ticket is presented at the same one of both, while the others are busy with theirs. */
const lanes = 4;

/** Counts, as a log grows, how often it names a ticket or a redemption in these events. */
function counter({ lines }: RunningGate, field: string, ...events: readonly string[]): (value: string) => number {
	const counts = new Map<string, number>();
	let read = 0;
	return (value) => {
		for (; read < lines.length; read += 1) {
			const line = lines[read];
			if (!line || !events.includes(line.event ?? '')) continue;
			counts.set(String(line[field]), (counts.get(String(line[field])) ?? 0) + 1);
		}
		return counts.get(value) ?? 0;
	};
}

/** Presents a ticket at one lane of both gates, and gives how far apart the last bytes of both were written. */
async function presentAtBoth(gates: readonly FleetGate[], visit: Visit): Promise<number> {
	const { ticket, lane, apart } = visit;
	const writtenMs: number[] = [];
	const write = async (gate: FleetGate) => {
		await gate.present(ticket, lane);
		writtenMs.push(performance.now());
	};
	const [first, second] = Math.random() < 0.5 ? gates : gates.toReversed();
	if (!first || !second) throw new Error('there are two gates');
	const one = write(first);
	if (apart > 0) await sleep(apart);
	await Promise.all([one, write(second)]);
	return Math.max(...writtenMs) - Math.min(...writtenMs);
}

interface Visit {
	readonly ticket: Sold;
	readonly lane: number;
	readonly apart: number;
}

/** How many scans rows of refusals stand for, by reason. */
function refusals(rows: readonly LedgerRow[]): Readonly<Record<string, number>> {
	const counts: Record<string, number> = {};
	const add = (reason: string, count: number) => {
		counts[reason] = (counts[reason] ?? 0) + count;
	};
	for (const row of rows) {
		if (row.kind === 'denied') add(String(row.reason), Number(row.count));
		if (row.kind === 'denied_many') {
			for (const [reason, count] of Object.entries(row.counts as Record<string, number>)) add(reason, count);
		}
	}
	return counts;
}

it(`opens one of two gates for each of ${pairs} tickets that are presented at both at once`, {
	timeout: 600_000 + pairs * 1_000,
}, async () => {
	await using fleet = await openFleet();
	const gates = await Promise.all([fleet.gate('east', lanes), fleet.gate('west', lanes)]);
	const tickets = await fleet.sell('adult', pairs);
	const running = await Promise.all(gates.map((gate) => gate.start()));
	await Promise.all(gates.map(untilInStep));
	const verdicts = running.map((gate) => counter(gate, 'ticketId', 'granted', 'denied'));
	const opened = (lane: number) => gates.reduce((all, gate) => all + gate.opened(lane), 0);

	let [begun, together] = [0, 0];
	const waiting = tickets.values();
	const runLane = async (lane: number) => {
		let visits = 0;
		for (const ticket of waiting) {
			const apart = together * 2 <= begun ? 0 : 2 + Math.random() * (apartMs - 2);
			begun += 1;
			if ((await presentAtBoth(gates, { ticket, lane, apart })) <= togetherMs) together += 1;
			visits += 1;
			await until(
				() => `both verdicts on ${ticket.id}: ${running.map((gate) => gate.printed().slice(-1_000)).join('\n')}`,
				// A pty may hand over the pulse later than the log tells of it.
				() =>
					verdicts.every((of) => of(ticket.id) === 1) &&
					opened(lane) >= visits &&
					gates.every((gate) => gate.isAtRest(lane)),
				patienceMs,
			);
			expect(opened(lane), ticket.id).toBe(visits);
		}
	};
	await Promise.all(Array.from({ length: lanes }, (_, index) => runLane(index + 1)));
	expect(together).toBeGreaterThanOrEqual(pairs / 2);

	await Promise.all(gates.map(untilInStep));
	const rows = (await Promise.all(gates.map((gate) => gate.rows()))).flat();
	const granted = rows.filter(({ kind }) => kind === 'granted');
	expect(new Set(granted.map(({ ticket }) => ticket)).size).toBe(pairs);
	expect([granted.length, gates.reduce((all, gate) => all + gate.opened(), 0)]).toEqual([pairs, pairs]);
	expect(granted.filter(({ rung }) => rung !== 'authority')).toEqual([]);
	expect(await fleet.cases()).toEqual([]);
	await expectWholeAtServer(fleet, gates);
	// Refusals above a lane's rate are only counted: the counts are written when their minute is over, or when a gate ends.
	await Promise.all(running.map((gate) => gate.stop()));
	const {
		already_redeemed = 0,
		in_progress = 0,
		...others
	} = refusals((await Promise.all(gates.map((gate) => gate.rows()))).flat());
	expect([already_redeemed + in_progress, others]).toEqual([pairs, {}]);
});
