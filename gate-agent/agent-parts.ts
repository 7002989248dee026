import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BleAdapters, createBleAdapters } from '../handheld/ble/adapters.ts';
import { problemOf } from './agent-lane.ts';
import { type GateConfig, standaloneOf } from './config.ts';
import type { ConfigLink } from './config-fetch.ts';
import { type AgentClock, type ClockSource, createAgentClock } from './core/agent-clock.ts';
import type { ClockReset } from './core/clock-reset.ts';
import { assert, StilewardError } from './core/errors.ts';
import type { Keyset } from './core/keyset.ts';
import type { LaneStatus } from './core/lane.ts';
import type { LaneCommand } from './core/lane-state.ts';
import type { LaneMemory, Ledger } from './core/ledger.ts';
import type { Policy } from './core/policy.ts';
import type { Simulation } from './drivers.ts';
import type { EnrolledGate } from './enrollment.ts';
import { type GateTrust, loadGateTrust } from './gate-trust.ts';
import type { Health } from './health.ts';
import { findClockReset } from './keys/key-folder.ts';
import { type LaneRules, standaloneRules } from './lane-rules.ts';
import type { SqliteLedger, SqliteLedgerOptions } from './ledger/ledger-on-disk.ts';
import { openSqliteLedger } from './ledger/sqlite-ledger.ts';
import { createLedgerWriter, type LedgerWriter } from './ledger-writer.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { recordStart } from './record-start.ts';
import { createBuses } from './serial/buses.ts';
import type { CoilRecord } from './service/coil-record.ts';
import { updatePlan } from './update/update-plan.ts';
import type { VenueLink } from './venue-link.ts';
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
	/** What the gate is to its venue; absent for one that stands alone. */
	readonly enrolled?: EnrolledGate;
	/** What its server pushes for it to run; absent for a gate that runs its own file alone. */
	readonly configs?: ConfigLink;
	/** The newest lines of the log, the newest first, for the technician's page. */
	readonly lines?: () => readonly string[];
	/** The turnstile of simulated devices; without one they move nothing. */
	readonly simulation?: Simulation;
	/** Where its coils are written down for whoever switches them off after its death. */
	readonly coils?: CoilRecord;
	/** Told while the start waits for the disk, again and again. */
	readonly onStartWaits?: () => void;
}

/** What an agent is made of before its lanes begin. */
export interface Parts {
	readonly log: Logger;
	readonly ledger: SqliteLedger;
	readonly writer: LedgerWriter;
	/** By whose keys, rules and word lanes admit. */
	readonly rules: LaneRules;
	/** The server of the enrollment. */
	readonly venue?: VenueLink;
	readonly clock: AgentClock;
	readonly metrics: Metrics;
	readonly web: Web;
	readonly buses: ReturnType<typeof createBuses>;
	readonly adapters: BleAdapters;
	/** The key under which foreign codes are hashed. */
	readonly foreignKey: Uint8Array;
	/** What the ledger remembers of each lane. */
	readonly remembered: ReadonlyMap<string, LaneMemory>;
	readonly keysHealth: () => Health['keys'];
	/** Lets the venue see the lanes and give them orders, once there are lanes. */
	attach(lanes: AttachedLanes): void;
	/**
	 * Writes that the agent has started, and settles what a crash left open. Nothing is written before the venue was
	 * asked how far it has this journal: on a disk that came back, the next number is spent.
	 */
	begin(): Promise<void>;
	/** Ends what goes on beside the lanes. The ledger stays open. */
	stop(): Promise<void>;
}

/** The lanes as the venue's server reaches them. */
export interface AttachedLanes {
	readonly statuses: () => ReadonlyMap<string, LaneStatus>;
	readonly command: (lane: string, command: LaneCommand) => void;
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
	const web = await startWeb(config, { log: deps.log, metrics: metrics.render, monoMs: deps.clock.monoMs });
	const patience = untilThereIsSpace(deps, web);
	try {
		const later = {
			nowMs: deps.clock.systemMs,
			onRows: (): void => undefined,
		};
		const ledger = await patience(() =>
			openLedger(config, deps, { nowMs: () => later.nowMs(), onRows: () => later.onRows() }),
		);
		try {
			const recalled = await patience(() => recall(config, deps, ledger));
			const parts = await join({ ...recalled, ledger, metrics, web }, config, deps);
			later.onRows = () => parts.venue?.rowsWritten();
			// From here on the ledger counts its minutes by the time that is written into it.
			later.nowMs = () => parts.clock.read().nowMs;
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
function untilThereIsSpace({ log, onStartWaits }: AgentDeps, web: Web) {
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
				onStartWaits?.();
				await sleep(spaceRetryMs);
			}
		}
	};
}

async function openLedger(
	config: GateConfig,
	{ log }: AgentDeps,
	hooks: Pick<SqliteLedgerOptions, 'nowMs' | 'onRows'>,
): Promise<SqliteLedger> {
	const { ledger, setAside } = await openSqliteLedger({
		dir: config.dataDir,
		device: config.agent,
		newEpoch: () => randomBytes(6).toString('base64url'),
		...hooks,
		log: (event, fields) => log[calmLedgerEvents.has(event) ? 'info' : 'error']({ event, ...fields }),
	});
	if (setAside) log.error({ event: 'ledger_set_aside', file: setAside });
	return ledger;
}

/** What a ledger tells without need for anybody to come and look. */
const calmLedgerEvents: ReadonlySet<string> = new Set(['ledger_verified', 'ledger_recovered']);

/** What the ledger remembers of the life before. */
interface Recalled {
	/** The key folder; a gate that is enrolled has none. */
	readonly trust: GateTrust | undefined;
	readonly clockStart: { readonly floorsMs: readonly number[]; readonly epoch: number };
	readonly foreignKey: Uint8Array;
	readonly remembered: ReadonlyMap<string, LaneMemory>;
}

/** Reads, and writes only what is new, so that it may be run again after a full disk stopped it half-way. */
async function recall(config: GateConfig, deps: AgentDeps, ledger: SqliteLedger): Promise<Recalled> {
	const { enrolled } = deps;
	const trust = enrolled ? undefined : await loadGateTrust(standaloneOf(config).keysDir, ledger);
	const clockReset = enrolled ? await findClockReset(config.dataDir, enrolled.enrollment.rootKey) : trust?.clockReset;
	return {
		trust,
		clockStart: await recallClock(deps, clockReset, ledger),
		foreignKey: await foreignKeyOf(ledger),
		remembered: new Map((await ledger.lanes()).map((memory) => [memory.lane, memory])),
	};
}

/**
 * The clock epoch and the times that are certainly past in it. A new epoch forgets the floors that a wrong clock has
 * left behind; so does every later start, for the program's own files may carry that clock's time as well.
 */
async function recallClock({ buildMs }: AgentDeps, clockReset: ClockReset | undefined, ledger: Ledger) {
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

async function join(
	opened: Recalled & Pick<Parts, 'ledger' | 'metrics' | 'web'>,
	config: GateConfig,
	deps: AgentDeps,
): Promise<Parts> {
	const { log } = deps;
	const { trust, ledger, metrics, clockStart, ...parts } = opened;
	for (const warning of trust?.warnings ?? []) log.warn({ event: 'keys_warning', problem: warning });
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
	const lanes: { attached: AttachedLanes } = { attached: { statuses: () => new Map(), command: () => undefined } };
	const source = trust
		? folderSource(standaloneOf(config).policy, trust, log)
		: await venueSource({ config, deps, ledger, clock, lanes: () => lanes.attached });
	return {
		...parts,
		...source,
		...{ log, ledger, metrics, clock, writer },
		buses: createBuses(),
		adapters: createBleAdapters(),
		attach: (attached) => {
			lanes.attached = attached;
		},
		begin: async () => {
			const openGrants = await ledger.openGrants();
			recordStart({ writer, ledger, clock, openGrants, agent: config.agent, version: deps.version });
		},
	};
}

type Source = Pick<Parts, 'rules' | 'venue' | 'keysHealth' | 'stop'>;

/** Keys and rules of a gate that stands alone. A newer manifest in its folder is found by looking. */
function folderSource(policy: Policy, trust: GateTrust, log: Logger): Source {
	const keys = watchKeys(trust, log);
	const refreshing = setInterval(() => void keys.look(), keysRefreshMs).unref();
	return {
		rules: standaloneRules(policy, trust.keyset),
		keysHealth: () => keysHealthOf(trust.keyset(), trust.warnings, keys.problem()),
		stop: async () => clearInterval(refreshing),
	};
}

interface VenueSource extends Pick<Parts, 'ledger' | 'clock'> {
	readonly config: GateConfig;
	readonly deps: AgentDeps;
	readonly lanes: () => AttachedLanes;
}

/** Keys and rules that come from the server of the enrollment. */
async function venueSource({ config, deps, ledger, clock, lanes }: VenueSource): Promise<Source> {
	const { enrolled, random, version, log, configs } = deps;
	assert(enrolled, 'a gate without a key folder is enrolled');
	// A gate that stands alone starts without the sync and what it needs.
	const { openVenueLink } = await import('./venue-link.ts');
	const statuses = () => lanes().statuses();
	const venue = await openVenueLink({
		...{ gate: enrolled, ledger, clock, random, log, version, agent: config.agent },
		...(configs && { configs }),
		...(config.update && { update: updatePlan({ ...config, wanted: config.update, running: version, statuses }) }),
		claimBudgetMs: config.claimBudgetMs,
		lanes: statuses,
		onCommand: (lane, command) => lanes().command(lane, command),
	});
	return {
		venue,
		rules: { ...venue, keyset: venue.keys.keyset },
		keysHealth: () => keysHealthOf(venue.keys.keyset(), [], venue.keys.problem()),
		stop: () => venue.close(),
	};
}

function keysHealthOf({ version }: Keyset, warnings: readonly string[], problem: string | undefined): Health['keys'] {
	return { manifestVersion: version, warnings, ...(problem !== undefined && { problem }) };
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
