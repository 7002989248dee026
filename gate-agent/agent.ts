import { setTimeout as sleep } from 'node:timers/promises';
import { inputEvent, inputsOpened, signalOf, startLane } from './agent-lane.ts';
import { type AgentDeps, openParts, type Parts } from './agent-parts.ts';
import type { GateConfig } from './config.ts';
import { laneWorks } from './core/lane.ts';
import type { LaneCommand, Screen } from './core/lane-state.ts';
import type { Ledger } from './core/ledger.ts';
import { type DeviceEvents, type DeviceSet, openDevices, relayBoards } from './devices.ts';
import type { Simulation } from './drivers.ts';
import type { Busy } from './fleet/lanes-at-rest.ts';
import { createDeskWatch, type DeskWatch } from './gate-desk.ts';
import { deviceHealth, type Health, ledgerHealth } from './health.ts';
import type { LaneRuntime } from './lane-runtime.ts';
import { foldersOf, watchPlugs } from './plug-watch.ts';
import type { Liveness } from './service/heartbeat.ts';
import type { Desk } from './technician/desk.ts';
import type { VenueHealth } from './venue-link.ts';

/** A running agent. */
export interface Agent {
	/** Where displays, health and metrics are served; undefined while nothing is. */
	readonly url: string | undefined;
	/** Resolves when all devices were open for the first time. */
	readonly ready: Promise<void>;
	/** Resolves when each device was tried once: the lanes that have theirs work, the others say what is missing. */
	readonly tried: Promise<void>;
	/** What shows that the agent lives: its lanes step, its relay boards are there to be asked. */
	liveness(): Liveness;
	readonly ledger: Ledger;
	health(): Health;
	screen(lane: string): Screen;
	/** Gives an order to a lane, as a person at the lane would. */
	command(lane: string, command: LaneCommand): void;
	/** Why this is no moment to end the lanes; undefined between two visitors. */
	busy(): Busy | undefined;
	/** Takes nobody in any more. Resolves once nobody is on the way through, or after so long; `resume` ends it. */
	drain(withinMs: number): Promise<void>;
	resume(): void;
	/** What keeps a lane from working or a device from being there; undefined where all are ready. */
	notReady(): string | undefined;
	/** Takes nobody in any more, waits a moment for who is on the way through, writes what is open and closes all devices. An emergency hold stays. */
	close(): Promise<void>;
}

/** From the last byte that a port took until it has left a slow wire and its USB adapter. */
const wireMs = 40;

/** How long a closing agent waits for the disk. */
const closeWaitMs = 2_000;

/** How long it waits for visitors on the way through before. */
const passageWaitMs = 3_000;

/**
 * Starts an agent: ledger, keys, clock, displays, lanes, devices, in this order, so that nothing opens before it can
 * be written down. Rejects with `ledger_*`, `keys_*` or `manifest_*` where it cannot begin; a full disk is waited for.
 */
export async function startAgent(config: GateConfig, deps: AgentDeps): Promise<Agent> {
	const parts = await openParts(config, deps);
	const { ledger, web, log } = parts;
	const lanes = new Map<string, LaneRuntime>();
	const watch = createDeskWatch();
	let devices: DeviceSet | undefined;
	const laneOf = (id: string): LaneRuntime => {
		const lane = lanes.get(id);
		if (!lane) throw new Error(`assertion failed: no lane ${id}`);
		return lane;
	};
	for (const settings of config.lanes) {
		const { id } = settings.lane;
		const lane = startLane(settings, parts.remembered.get(id), {
			...parts,
			...{ agent: config.agent, watch },
			relay: (of) => devices?.relay(of),
			signal: (of, signal) => devices?.signal(of, signal),
			publish: web.publish,
			onEmergency: (of, isOn) => deps.coils?.emergency(of, isOn),
			changed: () => parts.venue?.changed(),
		});
		lanes.set(id, lane);
		lane.dispatch({ kind: 'devices', missing: ['starting'] });
	}
	parts.attach({
		statuses: () => new Map([...lanes].map(([id, lane]) => [id, lane.status])),
		command: (id, command) => laneOf(id).dispatch({ kind: 'command', command }),
	});
	web.show((id) => lanes.get(id)?.screen);
	// Before the first visitor: what was refunded while the gate was off, and whether the authority is there.
	await parts.venue?.firstTry(config.startWaitMs);
	await parts.begin();
	recordCoils(config, deps, lanes);
	const [ready, tried] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
	const opened = openDevices(config, {
		random: deps.random,
		plugs: watchPlugs(foldersOf(config)),
		io: (device) => ({
			nowMs: deps.clock.monoMs,
			log: (event, fields) => log.info({ event, device, ...fields }),
			...{ buses: parts.buses, adapters: parts.adapters },
			...(deps.simulation ?? noTurnstile),
		}),
		events: deviceEvents({
			...{ parts, lanes, laneOf, watch },
			devices: () => devices,
			onReady: ready.resolve,
			onTried: tried.resolve,
		}),
	});
	devices = opened;
	const health = () => healthOf({ config, deps, parts, lanes, devices: opened });
	web.serveHealth(health);
	web.serveTechnician(deskOf({ config, deps, parts, lanes, devices: opened }, watch, health));
	parts.metrics.updateWith(() => void health());
	return {
		get url() {
			return web.url;
		},
		ready: ready.promise,
		tried: tried.promise,
		liveness: () => ({ lanes: [...lanes.values()], relays: opened.openRelays() }),
		ledger,
		health,
		...laneCalls(lanes, laneOf),
		notReady: () => notReady(lanes, opened),
		close: () => closeAgent(parts, lanes, opened),
	};
}

/** What is asked of the lanes of an agent. */
function laneCalls(
	lanes: ReadonlyMap<string, LaneRuntime>,
	laneOf: (id: string) => LaneRuntime,
): Pick<Agent, 'screen' | 'command' | 'busy' | 'drain' | 'resume'> {
	return {
		screen: (id) => laneOf(id).screen,
		command: (id, command) => laneOf(id).dispatch({ kind: 'command', command }),
		busy: () => busyOf([...lanes.values()]),
		drain: async (withinMs) => void (await Promise.all([...lanes.values()].map((lane) => lane.drain(withinMs)))),
		resume: () => {
			for (const lane of lanes.values()) lane.resume();
		},
	};
}

/** Before a board is opened: an agent that dies earlier leaves the record of the life before, and the coils as they were. */
function recordCoils(
	{ lanes: settings }: GateConfig,
	{ coils }: AgentDeps,
	lanes: ReadonlyMap<string, LaneRuntime>,
): void {
	coils?.drives({
		boards: relayBoards(settings).map(({ name, settings: { driver, options }, lanes: sharing }) => ({
			...{ name, driver, options },
			lanes: sharing.map(({ lane, relay }) => ({ lane: lane.id, channels: [relay.channel, relay.exitChannel] })),
		})),
		emergencies: [...lanes.values()].filter(({ status }) => status.emergency).map(({ id }) => id),
	});
}

const noTurnstile: Simulation = {
	onCoil: () => undefined,
	contacts: { states: () => ({}), listen: () => () => undefined },
};

interface EventWiring {
	readonly parts: Parts;
	readonly lanes: ReadonlyMap<string, LaneRuntime>;
	readonly laneOf: (id: string) => LaneRuntime;
	readonly watch: DeskWatch;
	readonly devices: () => DeviceSet | undefined;
	readonly onReady: () => void;
	readonly onTried: () => void;
}

/** Joins what devices say to the lanes. */
function deviceEvents({ parts, lanes, laneOf, watch, devices, onReady, onTried }: EventWiring): DeviceEvents {
	const { log, metrics } = parts;
	let isReady = false;
	const allReady = () => {
		const states = Object.values(devices()?.states ?? {});
		return states.length > 0 && states.every(({ kind }) => kind === 'ready');
	};
	const announce = async () => {
		if (!allReady()) {
			isReady = false;
			return;
		}
		// The last device brings the first order to each board, so the coils are waited for after all are open.
		await Promise.all([...lanes.values()].map((lane) => lane.coilsAtRest()));
		await sleep(wireMs);
		if (isReady || !allReady()) return;
		isReady = true;
		log.info({ event: 'ready', ready: true, url: parts.web.url }, 'ready');
		onReady();
	};
	return {
		onScan: (lane, side, scan) => laneOf(lane).dispatch({ kind: 'scan', scan, side }),
		onInput: (lane, role, active) => {
			watch.contact(lane, role, active);
			const event = inputEvent(role, active);
			if (event) laneOf(lane).dispatch(event);
		},
		onUnseen: (lane) => laneOf(lane).dispatch({ kind: 'unseen' }),
		onInputs: (lane, states) => {
			watch.contacts(lane, states);
			const events = states ? inputsOpened(states) : [{ kind: 'fire', state: 'unknown' } as const];
			for (const event of events) laneOf(lane).dispatch(event);
		},
		onState: ({ device, kind, lanes: served, state }) => {
			metrics.deviceUp.set({ device }, state.kind === 'ready' ? 1 : 0);
			const { problem, hint } = deviceHealth(state);
			log[problem ? 'error' : 'info']({ event: 'device', device, state: state.kind, problem, hint });
			const set = devices();
			if (!set || state.kind === 'closed') return;
			if (Object.values(set.states).every((each) => each.kind !== 'opening')) onTried();
			const relayOpened = kind === 'relay' && state.kind === 'ready' ? ({ relayOpened: true } as const) : {};
			for (const lane of served) laneOf(lane).dispatch({ kind: 'devices', missing: set.missing(lane), ...relayOpened });
			// A lamp that was opened just now has heard nothing of what the lane shows.
			if (state.kind === 'ready') for (const lane of served) set.signal(lane, signalOf(laneOf(lane).screen));
			void announce();
		},
	};
}

async function closeAgent(parts: Parts, lanes: ReadonlyMap<string, LaneRuntime>, devices: DeviceSet): Promise<void> {
	await Promise.all([...lanes.values()].map((lane) => lane.drain(passageWaitMs)));
	for (const lane of lanes.values()) lane.stop();
	// The ledger before the devices: one that does not let go must not keep it open. It writes waiting denials itself.
	await parts.writer.drain(closeWaitMs);
	await parts.stop();
	await parts.ledger.close();
	await devices.close();
	await parts.web.close();
}

function deskOf({ config, deps, parts, lanes, devices }: HealthParts, watch: DeskWatch, health: () => Health): Desk {
	const nowMs = () => parts.clock.read().nowMs;
	return watch.desk({
		...{ config, nowMs, health, lines: deps.lines ?? (() => []) },
		status: (id) => lanes.get(id)?.status,
		relay: (id) => devices.relay(id),
		record: (fact) => parts.ledger.record(fact, nowMs()),
	});
}

/** An emergency is held until somebody at the lane ends it, and a fire changes nothing but what is wired. */
function busyOf(lanes: readonly LaneRuntime[]): Busy | undefined {
	if (lanes.some(({ status }) => status.fire === 'active')) return 'fire';
	if (lanes.some(({ status }) => status.emergency)) return 'emergency';
	return lanes.every(({ atRest }) => atRest) ? undefined : 'passage';
}

function notReady(lanes: ReadonlyMap<string, LaneRuntime>, devices: DeviceSet): string | undefined {
	for (const [name, state] of Object.entries(devices.states)) {
		const { problem } = deviceHealth(state);
		if (state.kind !== 'ready') return `${name} is ${state.kind}${problem === undefined ? '' : `: ${problem}`}`;
	}
	for (const [id, { status }] of lanes) {
		if (!laneWorks(status)) return `${id} lacks ${[...status.missing, ...status.alarms].join(', ')}`;
	}
	return undefined;
}

/** A gate without its server works; one that the venue does not trust any more needs somebody to look. */
function isWelcome(venue: VenueHealth | undefined): boolean {
	if (venue === undefined) return true;
	return (
		(venue.standing === 'active' || venue.standing === 'successor') && venue.journal === 'accepted' && !venue.listsStale
	);
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
	const ledger = ledgerHealth(parts.ledger.health(), parts.writer.pending);
	const states = Object.entries(devices.states);
	const lanesWork = [...lanes.values()].every(({ status }) => laneWorks(status));
	const venue = parts.venue?.health();
	const config = deps.configs?.report();
	if (venue) parts.metrics.venue(venue);
	parts.metrics.ledgerPending.set(ledger.pendingWrites);
	parts.metrics.clockTrusted.set(clock.trusted ? 1 : 0);
	return {
		ok: lanesWork && clock.trusted && !clock.doubt && ledger.ok && isWelcome(venue),
		version: deps.version,
		upSeconds: Math.round(process.uptime()),
		lanes: Object.fromEntries([...lanes].map(([id, lane]) => [id, lane.status])),
		devices: Object.fromEntries(
			states.map(([name, state]) => [name, { ...deviceHealth(state), ...devices.details(name) }]),
		),
		ledger,
		clock: { trusted: clock.trusted, epoch: clock.epoch, ...(clock.doubt && { doubt: clock.doubt }) },
		keys: parts.keysHealth(),
		...(venue && { venue }),
		...(config && { config }),
	};
}
