import { pino } from 'pino';
import { type AgentClock, createAgentClock } from '../../../gate-agent/core/agent-clock.ts';
import type { LaneConfig } from '../../../gate-agent/core/lane-state.ts';
import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import type { EnrolledGate } from '../../../gate-agent/enrollment.ts';
import type { LaneRuntime } from '../../../gate-agent/lane-runtime.ts';
import { createLedgerWriter, type LedgerWriter } from '../../../gate-agent/ledger-writer.ts';
import { recordStart } from '../../../gate-agent/record-start.ts';
import { openVenueLink, type VenueHealth, type VenueLink } from '../../../gate-agent/venue-link.ts';
import { claimBudgetMs } from '../../../sync/client/claimer.ts';
import type { Transport } from '../../../sync/client/transport.ts';
import { type Cursor, parseCursor } from '../../../sync/protocol/cursor.ts';
import type { Chance } from '../runtime/chance.ts';
import type { VirtualProcess, VirtualTime } from '../runtime/virtual-time.ts';
import { startGateLane } from './gate-lane.ts';
import type { LaneSite } from './lane-site.ts';
import type { LedgerDisk } from './ledger-disk.ts';

/** A gate of the world: its box, with a disk and lanes, whether its program runs or not. */
export interface Gate {
	/** What the story and the policy call it: `gate-1`. */
	readonly name: string;
	readonly device: string;
	readonly disk: LedgerDisk;
	readonly sites: readonly LaneSite[];
	readonly isUp: boolean;
	start(): void;
	/** Ends the program between two of its steps. */
	crash(): void;
	/** How the running program stands with its venue; undefined while none runs. */
	health(): Promise<GateHealth> | undefined;
	/** The open ledger of the running program. */
	ledger(): Ledger | undefined;
}

/** How a gate stands, and what its ledger has applied of the feed. */
export interface GateHealth extends VenueHealth {
	readonly cursor: Cursor | undefined;
}

/** What a gate needs of the world. */
export interface GateOptions {
	readonly name: string;
	readonly enrolled: EnrolledGate;
	readonly time: VirtualTime;
	readonly chance: Chance;
	/** Milliseconds since 1970 at the beginning of the world. */
	readonly startMs: number;
	/** How far the gate's own clock is off. */
	readonly clockErrorMs: number;
	readonly disk: LedgerDisk;
	/** Lanes and how they are configured. */
	readonly lanes: readonly { readonly site: LaneSite; readonly config: LaneConfig }[];
	readonly transport: (process: VirtualProcess) => Transport;
	readonly onDiskStep: (write: string, step: string) => void;
	readonly tell: (what: string) => void;
}

/** What a running program of a gate is made of. */
export interface GateProgram {
	readonly name: string;
	readonly ledger: Ledger;
	readonly writer: LedgerWriter;
	readonly clock: AgentClock;
	readonly venue: VenueLink;
}

/** Nothing is logged: the story is told from outside. */
export const silent = pino({ level: 'silent' });

const version = '0.1.0';

/** How long a start waits for the server before it takes visitors, as the agent does. */
const firstTryMs = 700;

/** Builds a gate whose program does not run yet. */
export function createGate(options: GateOptions): Gate {
	const { name, enrolled, time, disk, lanes } = options;
	const sites = lanes.map(({ site }) => site);
	let process: VirtualProcess | undefined;
	let program: GateProgram | undefined;
	return {
		name,
		device: enrolled.enrollment.device,
		disk,
		sites,
		get isUp() {
			return process !== undefined;
		},
		start: () => {
			if (process !== undefined) return;
			const own = time.process(name);
			process = own;
			own.run(() => {
				void startProgram(options, own).then((started) => {
					program = started;
					options.tell('its program runs');
				});
			});
		},
		crash: () => {
			process?.kill();
			process = undefined;
			program = undefined;
			for (const site of sites) site.attach(undefined);
		},
		health: () => program && healthOf(program),
		ledger: () => program?.ledger,
	};
}

async function healthOf({ venue, ledger }: GateProgram): Promise<GateHealth> {
	// The note of `sync/client/ledger-sync.ts`.
	return { ...venue.health(), cursor: parseCursor((await ledger.recall('sync_cursor')) ?? '') };
}

/** Starts a program in the order of the agent: ledger, clock, venue, lanes, the first row, and at last the devices. */
async function startProgram(options: GateOptions, process: VirtualProcess): Promise<GateProgram> {
	const { name, enrolled, time, startMs, clockErrorMs, chance, disk } = options;
	const rows = { onRows: (): void => undefined };
	const ledger = await disk.open({
		writeMs: () => [chance.between(0.5, 3), chance.between(0.05, 1)],
		onStep: options.onDiskStep,
		onRows: () => rows.onRows(),
	});
	const systemMs = () => Math.floor(startMs + time.nowMs() + clockErrorMs);
	const clock = createAgentClock(
		{ systemMs, monoMs: time.nowMs },
		{ floorsMs: [await ledger.latestMs(), startMs - 86_400_000], epoch: await ledger.clockEpoch(), onChange: () => {} },
	);
	const writer = createLedgerWriter({ onFailing: () => {}, onDropped: () => {} });
	const running = new Map<string, LaneRuntime>();
	const venue = await openVenueLink({
		...{ gate: enrolled, ledger, clock, random: chance.next, log: silent, agent: name, version },
		claimBudgetMs: claimBudgetMs.wired,
		lanes: () => new Map([...running].map(([id, lane]) => [id, lane.status])),
		onCommand: (lane, command) => running.get(lane)?.dispatch({ kind: 'command', command }),
		transport: options.transport(process),
	});
	rows.onRows = venue.rowsWritten;
	const program = { name, ledger, writer, clock, venue };
	for (const { site, config } of options.lanes) running.set(site.id, startGateLane(program, { site, config }));
	await venue.firstTry(firstTryMs);
	recordStart({ writer, ledger, clock, openGrants: await ledger.openGrants(), agent: name, version });
	for (const { site } of options.lanes) {
		const lane = running.get(site.id);
		if (lane) site.attach({ process, lane });
	}
	return program;
}
