import { join } from 'node:path';
import { loadConfig, standaloneOf } from '../../gate-agent/config.ts';
import { loadTrust } from '../../gate-agent/keys/key-folder.ts';
import { standaloneRules } from '../../gate-agent/lane-rules.ts';
import { createBenchClock, openBenchLedger, startBenchLane } from './bench-lane.ts';
import { type Bench, type Figure, percentile } from './figures.ts';
import { openFloor } from './floor.ts';
import { event, gateFile, openVenue, scatteredIdx } from './venue.ts';

const rounds = 2_000;
const roundsQuick = 100;
const warmups = 50;

/** What a decision may cost at most, and how often its floor. */
const budget = { p99Ms: 5, timesFloor: 2 } as const;

/**
 * From the framed scan to the command at the relay driver: the real lane, verification, decision and ledger, offline,
 * with a durable commit each. Beside every decision runs its floor (one signature check, one durable insert), so that
 * a busy machine or a slow disk slows both.
 */
export const decision: Bench = async ({ dir, quick, say }) => {
	const count = quick ? roundsQuick : rounds;
	const venue = await openVenue(dir);
	say(`issuing ${count + warmups} tickets`);
	const tickets = await venue.tickets(count + warmups);
	say(`learning ${event.redeemed} used tickets of ${event.tickets}`);
	const { lane, ledger } = await openLane(dir, venue.keys);
	const floor = openFloor(join(dir, 'floor.db'));
	say(`deciding ${count} times, each beside its floor`);
	const decisionMs: number[] = [];
	const floorMs: number[] = [];
	for (const [i, text] of tickets.entries()) {
		const floorTook = floor.once();
		const decisionTook = await lane.admit(text);
		if (i < warmups) continue;
		floorMs.push(floorTook);
		decisionMs.push(decisionTook);
	}
	floor.close();
	lane.stop();
	await ledger.close();
	return figuresOf(decisionMs, floorMs);
};

function figuresOf(decisionMs: readonly number[], floorMs: readonly number[]): readonly Figure[] {
	const at = (samples: readonly number[], share: number) => percentile(samples, share);
	const figure = (what: string, value: number, more: Partial<Figure> = {}): Figure => ({
		bench: 'decision',
		what,
		value,
		unit: 'ms',
		...more,
	});
	return [
		figure('p50', at(decisionMs, 0.5)),
		figure('p99', at(decisionMs, 0.99), { budget: budget.p99Ms }),
		figure('floor p50 (crypto.verify + durable insert)', at(floorMs, 0.5)),
		figure('floor p99', at(floorMs, 0.99)),
		figure('p50 over floor', at(decisionMs, 0.5) / at(floorMs, 0.5), { unit: '×', budget: budget.timesFloor }),
		figure('p99 over floor', at(decisionMs, 0.99) / at(floorMs, 0.99), { unit: '×', budget: budget.timesFloor }),
	];
}

async function openLane(dir: string, keys: string) {
	const config = loadConfig({ file: gateFile, sets: [`keys=${keys}`, `data=${join(dir, 'data')}`] });
	const ledger = await openBenchLedger(config);
	await ledger.learn([{ kind: 'list', evt: event.evt, list: 'redeemed', set: usedNumbers() }]);
	const { keyset } = await loadTrust(keys);
	const rules = standaloneRules(standaloneOf(config).policy, () => keyset);
	return { lane: startBenchLane({ config, rules, ledger, clock: createBenchClock() }), ledger };
}

function* usedNumbers(): Generator<number> {
	for (let n = 0; n < event.redeemed; n += 1) yield scatteredIdx(n);
}
