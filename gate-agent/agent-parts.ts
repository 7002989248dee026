import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentClock, type ClockSource, createAgentClock } from './agent-clock.ts';
import { problemOf } from './agent-lane.ts';
import type { GateConfig } from './config.ts';
import { StilewardError } from './core/errors.ts';
import type { LaneMemory, Ledger } from './core/ledger.ts';
import type { Grant } from './core/redemption.ts';
import type { Simulation } from './drivers.ts';
import { type GateTrust, loadGateTrust } from './gate-trust.ts';
import type { SqliteLedger } from './ledger/ledger-on-disk.ts';
import { openSqliteLedger } from './ledger/sqlite-ledger.ts';
import { createLedgerWriter, type LedgerWriter } from './ledger-writer.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createBuses } from './serial/buses.ts';
import { startWeb, type Web } from './web.ts';

/** What an agent takes from the machine that it runs on. */
export interface AgentDeps {
	readonly log: Logger;
	readonly clock: ClockSource;
	/** 0 … 1, for jitter. */
	readonly random: () => number;
	readonly version: string;
	/** When this program was built, milliseconds since 1970: the first floor of the clock. */
	readonly buildMs: number;
	/** The turnstile of simulated devices; without one they move nothing. */
	readonly simulation?: Simulation;
}

/** What an agent is made of before its lanes begin. */
export interface Parts {
	readonly log: Logger;
	readonly ledger: SqliteLedger;
	readonly writer: LedgerWriter;
	readonly trust: GateTrust;
	readonly clock: AgentClock;
	readonly metrics: Metrics;
	readonly web: Web;
	readonly buses: ReturnType<typeof createBuses>;
	/** The key under which foreign codes are hashed. */
	readonly foreignKey: Uint8Array;
	/** What the ledger remembers of each lane. */
	readonly remembered: ReadonlyMap<string, LaneMemory>;
	/** Why the key folder cannot be used now; the keys in use stay. */
	readonly keysProblem: () => string | undefined;
	readonly refreshing: NodeJS.Timeout;
}

/** How often a full disk is tried again. */
const spaceRetryMs = 2_000;

/** How often the key folder is looked at for a newer manifest. */
const keysRefreshMs = 10_000;

/**
 * Opens displays, ledger, keys and clock. Where one of them cannot be opened all are closed again, so that the process
 * ends and its service manager notices. A full disk is waited for: the gate starts anyway, shut. Rejects with
 * `ledger_*`, `keys_*` or `manifest_*`.
 */
export async function openParts(config: GateConfig, deps: AgentDeps): Promise<Parts> {
	const metrics = createMetrics();
	const web = await startWeb(config, { log: deps.log, metrics: metrics.render });
	const patience = untilThereIsSpace(deps.log, web);
	try {
		const time = { nowMs: deps.clock.systemMs };
		const ledger = await patience(() => openLedger(config, deps, () => time.nowMs()));
		try {
			const recalled = await patience(() => recall(config, deps, ledger));
			const parts = join({ ...recalled, ledger, metrics, web }, config, deps);
			// From here on the ledger counts its minutes by the time that is written into it.
			time.nowMs = () => parts.clock.read().nowMs;
			return parts;
		} catch (error) {
			await ledger.close();
			throw error;
		}
	} catch (error) {
		await web.close();
		throw error;
	}
}

/** Runs steps of the start again and again while the disk is full; log and health tell why. */
function untilThereIsSpace(log: Logger, web: Web) {
	let told = false;
	return async <T>(step: () => Promise<T>): Promise<T> => {
		for (;;) {
			try {
				return await step();
			} catch (error) {
				if (!(error instanceof StilewardError) || error.code !== 'ledger_full') throw error;
				const problem = problemOf(error);
				if (!told) log.error({ event: 'ledger_failed', ...problem });
				told = true;
				web.serveHealth(() => ({ ok: false, ledger: { ok: false, ...problem } }));
				await sleep(spaceRetryMs);
			}
		}
	};
}

async function openLedger(config: GateConfig, { log }: AgentDeps, nowMs: () => number): Promise<SqliteLedger> {
	const { ledger, setAside } = await openSqliteLedger({
		dir: config.dataDir,
		device: config.agent,
		newEpoch: () => randomBytes(6).toString('base64url'),
		nowMs,
		log: (event, fields) => log[calmLedgerEvents.has(event) ? 'info' : 'error']({ event, ...fields }),
	});
	if (setAside) log.error({ event: 'ledger_set_aside', file: setAside });
	return ledger;
}

/** What a ledger tells without need for anybody to come and look. */
const calmLedgerEvents: ReadonlySet<string> = new Set(['ledger_verified', 'ledger_recovered']);

/** What the ledger remembers of the life before. */
interface Recalled {
	readonly trust: GateTrust;
	readonly clockStart: { readonly floorsMs: readonly number[]; readonly epoch: number };
	readonly foreignKey: Uint8Array;
	readonly openGrants: readonly Grant[];
	readonly remembered: ReadonlyMap<string, LaneMemory>;
}

/** Reads, and writes only what is new, so that it may be run again after a full disk stopped it half-way. */
async function recall(config: GateConfig, deps: AgentDeps, ledger: SqliteLedger): Promise<Recalled> {
	const trust = await loadGateTrust(config.keysDir, ledger);
	return {
		trust,
		clockStart: await recallClock(deps, trust, ledger),
		foreignKey: await foreignKeyOf(ledger),
		openGrants: await ledger.openGrants(),
		remembered: new Map((await ledger.lanes()).map((memory) => [memory.lane, memory])),
	};
}

/**
 * The clock epoch and the times that are certainly past in it. A new epoch forgets the floors that a wrong clock has
 * left behind; so does every later start, for the program's own files may carry that clock's time as well.
 */
async function recallClock({ buildMs }: AgentDeps, { clockReset }: GateTrust, ledger: Ledger) {
	const known = await ledger.clockEpoch();
	const resetMs = clockReset && clockReset.epoch >= known ? [clockReset.floorMs] : [];
	if (clockReset && clockReset.epoch > known) return { floorsMs: resetMs, epoch: clockReset.epoch };
	const latestMs = await ledger.latestMs();
	return { floorsMs: known > 1 ? [latestMs, ...resetMs] : [latestMs, buildMs], epoch: known };
}

/** The key under which foreign codes are hashed, made once per ledger. */
async function foreignKeyOf(ledger: Ledger): Promise<Uint8Array> {
	const known = await ledger.recall('foreign_key');
	if (known) return Buffer.from(known, 'base64url');
	const key = randomBytes(32);
	await ledger.remember('foreign_key', key.toString('base64url'));
	return key;
}

function join(
	opened: Recalled & Pick<Parts, 'ledger' | 'metrics' | 'web'>,
	config: GateConfig,
	deps: AgentDeps,
): Parts {
	const { log } = deps;
	const { trust, ledger, metrics, clockStart, openGrants, ...parts } = opened;
	for (const warning of trust.warnings) log.warn({ event: 'keys_warning', problem: warning });
	const clock = createAgentClock(deps.clock, {
		...clockStart,
		onChange: ({ doubt, nowMs }) =>
			log[doubt ? 'error' : 'info']({ event: 'clock', doubt: doubt ?? 'none', at: new Date(nowMs).toISOString() }),
	});
	metrics.clockTrusted.set(clock.read().trusted ? 1 : 0);
	const writer = createLedgerWriter({
		onFailing: (what, error) => log.error({ event: 'ledger_failed', what, ...problemOf(error) }),
		onDropped: (what) => log.error({ event: 'ledger_dropped', what }),
	});
	recordStart({ writer, ledger, clock, openGrants, config, deps });
	const keys = watchKeys(trust, log);
	const refreshing = setInterval(() => void keys.look(), keysRefreshMs).unref();
	return {
		...parts,
		log,
		ledger,
		trust,
		metrics,
		clock,
		writer,
		buses: createBuses(),
		keysProblem: keys.problem,
		refreshing,
	};
}

interface Start extends Pick<Parts, 'writer' | 'ledger' | 'clock'>, Pick<Recalled, 'openGrants'> {
	readonly config: GateConfig;
	readonly deps: AgentDeps;
}

/** Writes that the agent has started, and settles what a crash left open. */
function recordStart({ writer, ledger, clock, openGrants, config, deps }: Start): void {
	const { doubt, trusted, epoch } = clock.read();
	const started = {
		kind: 'started',
		agent: config.agent,
		version: deps.version,
		clock: trusted && !doubt ? 'trusted' : 'untrusted',
		clockEpoch: epoch,
	} as const;
	writer.write('started', () => ledger.record(started, clock.read().nowMs));
	// The agent died with these gates open: nobody knows who passed, so each counts as taken.
	for (const { redemptionId, uses, reentry } of openGrants) {
		const assumed = { outcome: 'taken_assumed', taken: reentry ? 1 : uses, back: false, counted: false } as const;
		writer.write('settlement', () => ledger.settle({ redemptionId, ...assumed }, clock.read().nowMs));
	}
}

/** Looks at a key folder again and again. */
interface KeysWatch {
	look(): Promise<void>;
	/** Why the folder cannot be used now; the keys in use stay. */
	problem(): string | undefined;
}

/** A problem is logged when it begins and when it becomes another, not at each look. */
function watchKeys(trust: GateTrust, log: Logger): KeysWatch {
	let problem: string | undefined;
	return {
		problem: () => problem,
		look: async () => {
			try {
				if ((await trust.refresh()) === 'newer') log.info({ event: 'keys_renewed', version: trust.keyset().version });
				problem = undefined;
			} catch (error) {
				// Whatever it is, the lane goes on with the keys that it has.
				const message = error instanceof Error ? error.message : String(error);
				if (message !== problem) log.error({ event: 'keys_not_renewed', ...problemOf(error) });
				problem = message;
			}
		},
	};
}
