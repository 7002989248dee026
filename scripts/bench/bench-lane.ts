import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { startLane } from '../../gate-agent/agent-lane.ts';
import type { GateConfig } from '../../gate-agent/config.ts';
import { type AgentClock, createAgentClock } from '../../gate-agent/core/agent-clock.ts';
import type { Relay } from '../../gate-agent/core/device.ts';
import type { LaneRules } from '../../gate-agent/lane-rules.ts';
import type { LaneRuntime } from '../../gate-agent/lane-runtime.ts';
import type { SqliteLedger } from '../../gate-agent/ledger/ledger-on-disk.ts';
import { openSqliteLedger } from '../../gate-agent/ledger/sqlite-ledger.ts';
import { createLedgerWriter, type LedgerWriter } from '../../gate-agent/ledger-writer.ts';
import { createMetrics } from '../../gate-agent/metrics.ts';

/** More than a relay rests between two pulses. */
const betweenVisitorsMs = 500;

/** A real lane over a ledger on disk; only its relay does nothing but tell when it was told to open. */
export interface BenchLane {
	/** Presents a code and resolves with the milliseconds until the relay driver was told to open. */
	admit(text: string): Promise<number>;
	stop(): void;
}

/** What a lane of a measurement is made of. */
export interface BenchLaneOptions {
	readonly config: GateConfig;
	readonly rules: LaneRules;
	readonly ledger: SqliteLedger;
	readonly clock: BenchClock;
}

/** A clock that skips what nobody wants to wait for. */
export interface BenchClock extends AgentClock {
	skip(ms: number): void;
}

/** Makes the clock of a lane. */
export function createBenchClock(): BenchClock {
	let skippedMs = 0;
	const clock = createAgentClock(
		{ systemMs: Date.now, monoMs: () => performance.now() + skippedMs },
		{ floorsMs: [Date.now() - 1], epoch: 1, onChange: () => {} },
	);
	return {
		...clock,
		skip: (ms) => {
			skippedMs += ms;
		},
	};
}

/** Opens the ledger of a lane. */
export async function openBenchLedger(config: GateConfig, onRows: () => void = () => {}): Promise<SqliteLedger> {
	const { ledger } = await openSqliteLedger({
		dir: config.dataDir,
		device: config.agent,
		newEpoch: () => randomBytes(6).toString('base64url'),
		log: () => {},
		onRows,
	});
	return ledger;
}

/** Starts the lane. */
export function startBenchLane({ config, rules, ledger, clock }: BenchLaneOptions): BenchLane {
	const [settings] = config.lanes;
	if (!settings) throw new Error('assertion failed: the example gate has a lane');
	const writer = createLedgerWriter({ onFailing: fail, onDropped: fail });
	const told = relayThatTells();
	const lane = startLane(settings, undefined, {
		agent: config.agent,
		rules,
		ledger,
		writer,
		clock,
		metrics: createMetrics(),
		// Written like an agent's log, to nowhere.
		log: pino({ level: config.logLevel }, pino.destination({ dest: '/dev/null', sync: true })),
		foreignKey: randomBytes(32),
		relay: () => told.relay,
		signal: () => {},
		publish: () => {},
		onEmergency: () => undefined,
		watch: { denied: () => {}, granted: () => {} },
		changed: () => {},
	});
	lane.dispatch({ kind: 'devices', missing: [] });
	return {
		admit: async (text) => {
			const tookMs = await admit({ lane, writer, clock, nextPulse: told.nextPulse }, text);
			// The pulse itself is skipped: a visitor who comes during it would wait for its end.
			clock.skip((settings.relay?.pulseMs ?? 0) + betweenVisitorsMs);
			return tookMs;
		},
		stop: () => lane.stop(),
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

function fail(what: string): never {
	throw new Error(`the ledger failed to write ${what}`);
}
