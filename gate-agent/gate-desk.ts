import type { GateConfig, LaneSettings } from './config.ts';
import type { InputRole, InputStates, Relay } from './core/device.ts';
import { classifyForeign } from './core/foreign-code.ts';
import type { LaneStatus } from './core/lane.ts';
import type { LaneEffect } from './core/lane-state.ts';
import type { Direction, Fact, Grant } from './core/redemption.ts';
import type { Health } from './health.ts';
import { createRecent } from './recent.ts';
import { testRelay } from './relay-test.ts';
import type { Desk, DeskDevice, DeskLane, DeskScan, DeskState, Facts } from './technician/desk.ts';

/** Scans that are shown. */
const scansMax = 20;

/** Lines of the log that are shown. */
const linesShown = 60;

/** What the desk sees of the gate, and by what it reaches in. */
export interface GateDeskDeps {
	readonly config: GateConfig;
	readonly nowMs: () => number;
	readonly health: () => Health;
	readonly status: (lane: string) => LaneStatus | undefined;
	readonly relay: (lane: string) => Relay | undefined;
	readonly record: (fact: Fact) => Promise<void>;
	/** Lines of the log, the newest first. */
	readonly lines: () => readonly string[];
}

/** What the lanes tell the desk while they work: scans and contacts, never a code. */
export interface DeskWatch {
	readonly contact: (lane: string, role: InputRole, active: boolean) => void;
	/** All contacts of a lane's board; undefined when it is lost. */
	readonly contacts: (lane: string, states: InputStates | undefined) => void;
	readonly denied: (lane: string, effect: LaneEffect & { readonly kind: 'deny' }, atMs: number) => void;
	readonly granted: (lane: string, grant: Grant, atMs: number) => void;
	desk(deps: GateDeskDeps): Desk;
}

/** Keeps what the technician's page shows and nothing else remembers. */
export function createDeskWatch(): DeskWatch {
	const scans = createRecent<DeskScan>(scansMax);
	const inputs = new Map<string, InputStates>();
	return {
		contact: (lane, role, active) => void inputs.set(lane, { ...inputs.get(lane), [role]: active }),
		contacts: (lane, states) => {
			if (states) inputs.set(lane, states);
			else inputs.delete(lane);
		},
		denied: (lane, { scan, refusal, ticketId }, atMs) => {
			const isTicket = ticketId !== undefined;
			const kind = scan.kind !== 'code' ? 'unreadable' : isTicket ? 'ticket' : classifyForeign(scan.text);
			scans.add({ atMs, lane, kind, verdict: 'refused', reason: refusal.reason });
		},
		granted: (lane, { rung }, atMs) => scans.add({ atMs, lane, kind: 'ticket', verdict: 'granted', reason: rung }),
		desk: (deps) => ({
			state: () => stateOf(deps, inputs, scans.list()),
			testRelay: async (request) => {
				const settings = deps.config.lanes.find(({ lane }) => lane.id === request.lane);
				const status = () => deps.status(request.lane);
				if (settings === undefined || status() === undefined) return { kind: 'refused', why: 'no_lane' };
				return testRelay(request, {
					// A lane that is there stays as long as its agent.
					status: () => status() as LaneStatus,
					settings: settings.relay,
					relay: () => deps.relay(request.lane),
					record: deps.record,
				});
			},
		}),
	};
}

function stateOf(
	{ config, nowMs, health, lines }: GateDeskDeps,
	inputs: ReadonlyMap<string, InputStates>,
	scans: readonly DeskScan[],
): DeskState {
	const { ok, version, upSeconds, lanes, devices, ledger, clock, keys, venue, config: pushed } = health();
	return {
		nowMs: Math.round(nowMs()),
		timeZone: config.timeZone,
		// Minutes are enough: what changes each second would send everything each second.
		gate: { agent: config.agent, ok, version, upMinutes: Math.floor(upSeconds / 60), keys: keys.manifestVersion },
		clock: factsOf(clock),
		...(venue !== undefined && { venue: factsOf(rounded(venue as object)) }),
		...(pushed !== undefined && { config: factsOf(pushed as object) }),
		ledger: factsOf(ledger),
		lanes: config.lanes.flatMap((settings) => laneOf(settings, lanes[settings.lane.id], inputs)),
		devices: Object.entries(devices).map(([name, { state, problem, hint, ...details }]): DeskDevice => {
			return { name, state, ...(problem && { problem }), ...(hint && { hint }), details };
		}),
		scans,
		log: lines().slice(0, linesShown),
	};
}

function laneOf(
	{ lane, relay, exitScanner }: LaneSettings,
	status: LaneStatus | undefined,
	inputs: ReadonlyMap<string, InputStates>,
): readonly DeskLane[] {
	if (status === undefined) return [];
	const { mode, phase, fire, emergency, sensor, missing, alarms } = status;
	const contacts = inputs.get(lane.id);
	const ways: readonly Direction[] = relay === undefined ? [] : waysOf(lane.mode, exitScanner !== undefined);
	const now = { mode, phase, fire, emergency, sensor, missing, alarms };
	return [{ id: lane.id, ...now, opens: ways, ...(contacts && { inputs: contacts as Record<string, boolean> }) }];
}

function waysOf(mode: string, hasExit: boolean): readonly Direction[] {
	if (mode === 'exit') return ['exit'];
	return hasExit || mode === 'both' ? ['entry', 'exit'] : ['entry'];
}

/** Ages that grow each moment are told by the minute. */
function rounded(venue: object): object {
	const {
		listAgeMs,
		roundTripMs: _,
		clockOffsetMs: __,
		...rest
	} = venue as { readonly listAgeMs?: number } & {
		readonly roundTripMs?: number;
		readonly clockOffsetMs?: number;
	};
	return { ...rest, ...(listAgeMs !== undefined && { listAgeMinutes: Math.floor(listAgeMs / 60_000) }) };
}

/** What is a plain value stays; what is refused of a configuration is told in one line. */
function factsOf(value: object): Facts {
	const entries = Object.entries(value).flatMap(([name, fact]): [string, Facts[string]][] => {
		if (typeof fact !== 'object' || fact === null) return [[name, fact as Facts[string]]];
		const { version, why } = fact as { readonly version?: number; readonly why?: string };
		return version === undefined ? [] : [[name, `${version}: ${why ?? ''}`]];
	});
	return Object.fromEntries(entries);
}
