import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentClock, type ClockSource, createAgentClock } from './agent-clock.ts';
import { inputEvent, inputsOpened, problemOf, startLane } from './agent-lane.ts';
import type { GateConfig } from './config.ts';
import { StilewardError } from './core/errors.ts';
import type { LaneCommand, Screen } from './core/lane-state.ts';
import type { Ledger } from './core/ledger.ts';
import { type DeviceEvents, type DeviceSet, openDevices } from './devices.ts';
import type { Simulation } from './drivers.ts';
import { type GateTrust, loadGateTrust } from './gate-trust.ts';
import { deviceHealth, type Health } from './health.ts';
import type { LaneRuntime } from './lane-runtime.ts';
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

/** A running agent. */
export interface Agent {
	/** Where displays, health and metrics are served; undefined while nothing is. */
	readonly url: string | undefined;
	/** Resolves when all devices were open for the first time. */
	readonly ready: Promise<void>;
	readonly ledger: Ledger;
	health(): Health;
	screen(lane: string): Screen;
	/** Gives an order to a lane, as a person at the lane would. */
	command(lane: string, command: LaneCommand): void;
	/** Stops scanning, writes what is open and closes all devices. An emergency hold stays. */
	close(): Promise<void>;
}

/** How long a closing agent waits for a visitor on the way through, and then for the disk. */
const closeWaitMs = 2_000;

/** How often the key folder is looked at for a newer manifest. */
const keysRefreshMs = 10_000;

/**
 * Starts an agent: ledger, keys, clock, displays, lanes, devices, in this order, so that nothing opens before it can
 * be written down. Rejects with `ledger_*`, `keys_*` or `manifest_*` where it cannot begin; a full disk is waited for.
 */
export async function startAgent(config: GateConfig, deps: AgentDeps): Promise<Agent> {
	const parts = await openParts(config, deps);
	const { ledger, web, log } = parts;
	await settleAfterCrash(ledger, parts.writer, parts.clock);
	const lanes = new Map<string, LaneRuntime>();
	let devices: DeviceSet | undefined;
	const laneOf = (id: string): LaneRuntime => {
		const lane = lanes.get(id);
		if (!lane) throw new Error(`assertion failed: no lane ${id}`);
		return lane;
	};
	const remembered = new Map((await ledger.lanes()).map((memory) => [memory.lane, memory]));
	for (const settings of config.lanes) {
		const { id } = settings.lane;
		const lane = startLane(settings, remembered.get(id), {
			...parts,
			agent: config.agent,
			policy: config.policy,
			keyset: parts.trust.keyset,
			relay: (of) => devices?.relay(of),
			feedback: (of) => devices?.feedback(of),
			publish: web.publish,
		});
		lanes.set(id, lane);
		lane.dispatch({ kind: 'devices', missing: ['starting'] });
	}
	web.show((id) => lanes.get(id)?.screen);
	const ready = Promise.withResolvers<void>();
	const opened = openDevices(config, {
		random: deps.random,
		io: (device) => ({
			nowMs: deps.clock.monoMs,
			log: (event, fields) => log.info({ event, device, ...fields }),
			buses: parts.buses,
			...(deps.simulation ?? noTurnstile),
		}),
		events: deviceEvents({ parts, laneOf, devices: () => devices, onReady: () => ready.resolve() }),
	});
	devices = opened;
	const health = () => healthOf({ config, deps, parts, lanes, devices: opened });
	web.serveHealth(health);
	return {
		get url() {
			return web.url;
		},
		ready: ready.promise,
		ledger,
		health,
		screen: (id) => laneOf(id).screen,
		command: (id, command) => laneOf(id).dispatch({ kind: 'command', command }),
		close: () => closeAgent(parts, lanes, opened),
	};
}

const noTurnstile: Simulation = {
	onCoil: () => undefined,
	contacts: { states: () => ({}), listen: () => () => undefined },
};

/** What an agent is made of before its lanes begin. */
interface Parts {
	readonly log: Logger;
	readonly ledger: Ledger;
	readonly writer: LedgerWriter;
	readonly trust: GateTrust;
	readonly clock: AgentClock;
	readonly metrics: Metrics;
	readonly web: Web;
	readonly buses: ReturnType<typeof createBuses>;
	readonly foreignKey: Uint8Array;
	readonly refreshing: NodeJS.Timeout;
}

async function openParts(config: GateConfig, deps: AgentDeps): Promise<Parts> {
	const { log } = deps;
	const metrics = createMetrics();
	const web = await startWeb(config, { log, metrics: metrics.render });
	const ledger = await openLedger(config, deps);
	const trust = await loadGateTrust(config.keysDir, ledger);
	for (const warning of trust.warnings) log.warn({ event: 'keys_warning', problem: warning });
	const clock = await startAgentClock(deps, { ledger, trust, metrics });
	const writer = createLedgerWriter({
		onFailing: (what, error) => log.error({ event: 'ledger_failed', what, ...problemOf(error) }),
		onDropped: (what) => log.error({ event: 'ledger_dropped', what }),
	});
	const { doubt, trusted, epoch } = clock.read();
	const started = {
		kind: 'started',
		agent: config.agent,
		version: deps.version,
		clock: trusted && !doubt ? 'trusted' : 'untrusted',
		clockEpoch: epoch,
	} as const;
	writer.write('started', () => ledger.record(started, clock.read().nowMs));
	const refreshing = setInterval(() => void refreshKeys(trust, log), keysRefreshMs).unref();
	const foreignKey = await foreignKeyOf(ledger);
	return { log, ledger, writer, trust, clock, metrics, web, buses: createBuses(), foreignKey, refreshing };
}

/** A gate without disk space starts anyway, shut, and opens its ledger once there is some. */
async function openLedger(config: GateConfig, { log, clock }: AgentDeps): Promise<Ledger> {
	for (let told = false; ; told = true) {
		try {
			const { ledger, setAside } = await openSqliteLedger({
				dir: config.dataDir,
				device: config.agent,
				newEpoch: () => randomBytes(6).toString('base64url'),
				nowMs: clock.systemMs,
				log: (event, fields) => log[calmLedgerEvents.has(event) ? 'info' : 'error']({ event, ...fields }),
			});
			if (setAside) log.error({ event: 'ledger_set_aside', file: setAside });
			return ledger;
		} catch (error) {
			const waits = error instanceof StilewardError && (error.code === 'ledger_full' || error.code === 'ledger_io');
			if (!waits) throw error;
			if (!told) log.error({ event: 'ledger_failed', ...problemOf(error) });
			await sleep(closeWaitMs);
		}
	}
}

/** What a ledger tells without need for anybody to come and look. */
const calmLedgerEvents: ReadonlySet<string> = new Set(['ledger_verified', 'ledger_recovered']);

async function startAgentClock(
	deps: AgentDeps,
	{ ledger, trust, metrics }: Pick<Parts, 'ledger' | 'trust' | 'metrics'>,
) {
	const reset = trust.clockReset;
	const epoch = Math.max(Number((await ledger.recall('clock_epoch')) ?? 1), reset?.epoch ?? 1);
	const isNew = epoch > Number((await ledger.recall('clock_epoch')) ?? 1);
	// A new epoch forgets the floors that a wrong clock has left behind.
	const floorsMs = isNew && reset ? [reset.floorMs] : [deps.buildMs, await ledger.latestMs()];
	await ledger.remember('clock_epoch', `${epoch}`);
	const clock = createAgentClock(deps.clock, {
		floorsMs,
		epoch,
		onChange: ({ doubt, nowMs }) =>
			deps.log[doubt ? 'error' : 'info']({ event: 'clock', doubt: doubt ?? 'none', at: new Date(nowMs).toISOString() }),
	});
	metrics.clockTrusted.set(clock.read().trusted ? 1 : 0);
	return clock;
}

/** The key under which foreign codes are hashed, made once per ledger. */
async function foreignKeyOf(ledger: Ledger): Promise<Uint8Array> {
	const known = await ledger.recall('foreign_key');
	if (known) return Buffer.from(known, 'base64url');
	const key = randomBytes(32);
	await ledger.remember('foreign_key', key.toString('base64url'));
	return key;
}

/** The agent died with these gates open: nobody knows who passed, so each counts as taken. */
async function settleAfterCrash(ledger: Ledger, writer: LedgerWriter, clock: AgentClock): Promise<void> {
	for (const { redemptionId, uses, reentry } of await ledger.openGrants()) {
		const settlement = {
			redemptionId,
			outcome: 'taken_assumed',
			taken: reentry ? 1 : uses,
			back: false,
			counted: false,
		} as const;
		writer.write('settlement', () => ledger.settle(settlement, clock.read().nowMs));
	}
}

async function refreshKeys(trust: GateTrust, log: Logger): Promise<void> {
	try {
		if ((await trust.refresh()) === 'newer') log.info({ event: 'keys_renewed', version: trust.keyset().version });
	} catch (error) {
		log.error({ event: 'keys_not_renewed', ...problemOf(error) });
	}
}

interface EventWiring {
	readonly parts: Parts;
	readonly laneOf: (id: string) => LaneRuntime;
	readonly devices: () => DeviceSet | undefined;
	readonly onReady: () => void;
}

/** Joins what devices say to the lanes. */
function deviceEvents({ parts, laneOf, devices, onReady }: EventWiring): DeviceEvents {
	const { log, metrics } = parts;
	let isReady = false;
	const announce = async (lanes: readonly string[]) => {
		await Promise.all(lanes.map((id) => laneOf(id).coilsAtRest()));
		const states = Object.values(devices()?.states ?? {});
		const all = states.length > 0 && states.every(({ kind }) => kind === 'ready');
		if (all && !isReady) {
			log.info({ event: 'ready', ready: true, url: parts.web.url }, 'ready');
			onReady();
		}
		isReady = all;
	};
	return {
		onScan: (lane, side, scan) => laneOf(lane).dispatch({ kind: 'scan', scan, side }),
		onInput: (lane, role, active) => {
			const event = inputEvent(role, active);
			if (event) laneOf(lane).dispatch(event);
		},
		onInputs: (lane, states) => {
			const events = states ? inputsOpened(states) : [{ kind: 'fire', state: 'unknown' } as const];
			for (const event of events) laneOf(lane).dispatch(event);
		},
		onState: ({ device, kind, lanes, state }) => {
			metrics.deviceUp.set({ device }, state.kind === 'ready' ? 1 : 0);
			const { problem, hint } = deviceHealth(state);
			log[problem ? 'error' : 'info']({ event: 'device', device, state: state.kind, problem, hint });
			const set = devices();
			if (!set || state.kind === 'closed') return;
			const relayOpened = kind === 'relay' && state.kind === 'ready' ? ({ relayOpened: true } as const) : {};
			for (const lane of lanes) laneOf(lane).dispatch({ kind: 'devices', missing: set.missing(lane), ...relayOpened });
			void announce(lanes);
		},
	};
}

async function closeAgent(parts: Parts, lanes: ReadonlyMap<string, LaneRuntime>, devices: DeviceSet): Promise<void> {
	clearInterval(parts.refreshing);
	for (const lane of lanes.values()) lane.stop();
	await devices.close();
	await parts.ledger.flush();
	await parts.writer.drain(closeWaitMs);
	await parts.ledger.close();
	await parts.web.close();
}

interface HealthParts {
	readonly config: GateConfig;
	readonly deps: AgentDeps;
	readonly parts: Parts;
	readonly lanes: ReadonlyMap<string, LaneRuntime>;
	readonly devices: DeviceSet;
}

function healthOf({ deps, parts, lanes, devices }: HealthParts): Health {
	const clock = parts.clock.read();
	const pendingWrites = parts.writer.pending;
	const states = Object.entries(devices.states);
	parts.metrics.ledgerPending.set(pendingWrites);
	parts.metrics.clockTrusted.set(clock.trusted ? 1 : 0);
	return {
		ok: states.every(([, { kind }]) => kind === 'ready') && clock.trusted,
		version: deps.version,
		upSeconds: Math.round(process.uptime()),
		lanes: Object.fromEntries([...lanes].map(([id, lane]) => [id, lane.status])),
		devices: Object.fromEntries(states.map(([name, state]) => [name, deviceHealth(state)])),
		ledger: { ok: pendingWrites === 0, pendingWrites },
		clock: { trusted: clock.trusted, epoch: clock.epoch, ...(clock.doubt && { doubt: clock.doubt }) },
		keys: { manifestVersion: parts.trust.keyset().version, warnings: parts.trust.warnings },
	};
}
