import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { type AgentClock, createAgentClock } from '../../gate-agent/agent-clock.ts';
import { startLane } from '../../gate-agent/agent-lane.ts';
import { loadConfig, standaloneOf } from '../../gate-agent/config.ts';
import type { Relay } from '../../gate-agent/core/device.ts';
import type { Ledger } from '../../gate-agent/core/ledger.ts';
import { loadTrust } from '../../gate-agent/keys/key-folder.ts';
import { standaloneRules } from '../../gate-agent/lane-rules.ts';
import type { LaneRuntime } from '../../gate-agent/lane-runtime.ts';
import { openSqliteLedger } from '../../gate-agent/ledger/sqlite-ledger.ts';
import { createLedgerWriter, type LedgerWriter } from '../../gate-agent/ledger-writer.ts';
import { createMetrics } from '../../gate-agent/metrics.ts';
import { type Bench, type Figure, percentile } from './figures.ts';
import { openFloor } from './floor.ts';
import { event, gateFile, openVenue, scatteredIdx } from './venue.ts';

const rounds = 2_000;
const roundsQuick = 100;
const warmups = 50;

/** More than a relay rests between two pulses. */
const betweenVisitorsMs = 500;

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
	const lane = await openBenchLane(dir, venue.keys);
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
	await lane.close();
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

interface BenchLane {
	/** Presents a code and resolves with the milliseconds until the relay driver was told to open. */
	admit(text: string): Promise<number>;
	close(): Promise<void>;
}

async function openBenchLane(dir: string, keys: string): Promise<BenchLane> {
	const sets = [`keys=${keys}`, `data=${join(dir, 'data')}`];
	const config = loadConfig({ file: gateFile, sets });
	const [settings] = config.lanes;
	if (!settings) throw new Error('assertion failed: the example gate has a lane');
	const { ledger } = await openSqliteLedger({
		dir: config.dataDir,
		device: config.agent,
		newEpoch: () => randomBytes(6).toString('base64url'),
		log: () => {},
	});
	await ledger.learn([{ kind: 'list', evt: event.evt, list: 'redeemed', set: usedNumbers() }]);
	const { keyset } = await loadTrust(keys);
	const writer = createLedgerWriter({ onFailing: fail, onDropped: fail });
	const told = relayThatTells();
	let skippedMs = 0;
	const clock = createAgentClock(
		{ systemMs: Date.now, monoMs: () => performance.now() + skippedMs },
		{ floorsMs: [Date.now() - 1], epoch: 1, onChange: () => {} },
	);
	const lane = startLane(settings, undefined, {
		agent: config.agent,
		rules: standaloneRules(standaloneOf(config).policy, () => keyset),
		ledger,
		writer,
		clock,
		metrics: createMetrics(),
		// Written like an agent's log, to nowhere.
		log: pino({ level: config.logLevel }, pino.destination({ dest: '/dev/null', sync: true })),
		foreignKey: randomBytes(32),
		relay: () => told.relay,
		feedback: () => undefined,
		publish: () => {},
		changed: () => {},
	});
	lane.dispatch({ kind: 'devices', missing: [] });
	return {
		admit: async (text) => {
			const tookMs = await admit({ lane, writer, clock, nextPulse: told.nextPulse }, text);
			// The pulse itself is skipped: a visitor who comes during it would wait for its end.
			skippedMs += settings.relay.pulseMs + betweenVisitorsMs;
			return tookMs;
		},
		close: () => closeLane(lane, ledger),
	};
}

interface AdmitParts {
	readonly lane: LaneRuntime;
	readonly writer: LedgerWriter;
	readonly clock: AgentClock;
	readonly nextPulse: () => Promise<number>;
}

async function admit({ lane, writer, clock, nextPulse }: AdmitParts, text: string): Promise<number> {
	const pulsed = nextPulse();
	const startedMs = performance.now();
	lane.dispatch({ kind: 'scan', side: 'entry', scan: { kind: 'code', text, atMs: clock.monoMs() } });
	const tookMs = (await pulsed) - startedMs;
	// The settlement belongs to this admission, but nobody waits for it.
	while (lane.status.phase !== 'idle' || writer.pending > 0) await turn();
	return tookMs;
}

async function closeLane(lane: LaneRuntime, ledger: Ledger): Promise<void> {
	lane.stop();
	await ledger.close();
}

/** A relay that only says when it was told to open. */
function relayThatTells(): { relay: Relay; nextPulse: () => Promise<number> } {
	let onPulse: (atMs: number) => void = () => {};
	const relay: Relay = {
		lost: new Promise(() => {}),
		pulseTiming: 'hardware',
		channels: 1,
		pulse: async () => onPulse(performance.now()),
		set: async () => {},
		read: async () => undefined,
		close: async () => {},
	};
	return {
		relay,
		nextPulse: () => {
			const { promise, resolve, reject } = Promise.withResolvers<number>();
			const late = setTimeout(() => reject(new Error('a valid ticket did not open the gate')), 5_000);
			onPulse = (atMs) => {
				clearTimeout(late);
				resolve(atMs);
			};
			return promise;
		},
	};
}

function* usedNumbers(): Generator<number> {
	for (let n = 0; n < event.redeemed; n += 1) yield scatteredIdx(n);
}

function fail(what: string): never {
	throw new Error(`the ledger failed to write ${what}`);
}
