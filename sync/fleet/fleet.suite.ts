import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import {
	type LedgerRow,
	type LogLine,
	listRows,
	type RunningGate,
	startGate,
	until,
} from '../../gate-agent/acceptance/gate.suite.ts';
import { claimMsMax } from '../../gate-agent/core/lane-admission.ts';
import { emulateLcus } from '../../gate-agent/emulators/lcus-emulator.ts';
import { openPty, type Pty } from '../../gate-agent/emulators/pty.ts';
import { bodyOf } from '../acceptance/answer.suite.ts';
import { evt, openVenue, patienceMs, type Venue } from '../acceptance/venue.suite.ts';
import type { Case, Device, OpenClaim } from '../server/store.ts';
import { openRelay, type Relay } from './relay.suite.ts';

/** A ticket as a visitor carries it. */
export interface Sold {
	readonly id: string;
	readonly text: string;
	readonly order: string;
}

/** How the process of a gate is started. */
export interface GateStart {
	/** How long its lane waits for the authority. */
	readonly claimMs?: number;
	/** More arguments of `gate run`. */
	readonly args?: readonly string[];
}

/** A gate of a venue: lanes with their scanners and one relay board on ptys, and a data folder that is enrolled. */
export interface FleetGate {
	/** What the venue calls it; its lanes are `NAME-1` and so on. */
	readonly name: string;
	readonly device: string;
	readonly dir: string;
	readonly data: string;
	/** Its configuration file. */
	readonly config: string;
	/** The cable to the server. */
	readonly cable: Relay;
	/** Starts `gate run`, and waits until its lane is ready. */
	start(options?: GateStart): Promise<RunningGate>;
	/** The process that was started last. */
	running(): RunningGate;
	present(ticket: Sold, lane?: number): Promise<void>;
	/** How often its lanes were opened, all of them or one: closings of coils at the board. */
	opened(lane?: number): number;
	isAtRest(lane: number): boolean;
	rows(...kinds: readonly string[]): Promise<readonly LedgerRow[]>;
}

/** A venue with its server as a process, and gates of it. */
export interface Fleet extends AsyncDisposable {
	readonly venue: Venue;
	/** Enrolls a gate, at the venue's own server or at a hub of it. */
	gate(name: string, lanes?: number, at?: string): Promise<FleetGate>;
	/** Issues tickets of a class. */
	sell(cls: string, count: number, ...args: readonly string[]): Promise<readonly Sold[]>;
	/** Refunds the tickets of one order, or takes that back; `pending` is what the server says of it. */
	change(act: 'refund' | 'restore', tickets: readonly Sold[]): Promise<{ readonly pending?: boolean }>;
	cases(): Promise<readonly Case[]>;
	devices(): Promise<readonly Device[]>;
	/** What a gate holds at the server without a row. */
	openClaims(gate: FleetGate): Promise<readonly OpenClaim[]>;
}

/** Opens a venue with the classes that the tests sell. */
export async function openFleet(...classes: readonly string[]): Promise<Fleet> {
	const venue = await openVenue();
	const ends: End[] = [async () => venue[Symbol.asyncDispose]()];
	if (classes.length > 0) {
		await venue.done('event', 'create', '--id', evt, ...classes.flatMap((cls) => ['--class', cls]));
	}
	let orders = 0;
	const get = async <T>(path: string) => bodyOf<T>(await venue.office({ method: 'GET', path: `/v1/office${path}` }));
	return {
		venue,
		gate: (name, lanes = 1, at = venue.url) => enrollGate(venue, { name, lanes, at, ends }),
		sell: async (cls, count, ...args) => {
			orders += 1;
			const order = `order-${orders}`;
			const about = ['--event', evt, '--class', cls, '--count', `${count}`, '--order', order];
			const printed = await venue.done('order', 'issue', ...about, ...args, '--json');
			return linesOf(printed).map((line) => {
				const { idx, ticket } = JSON.parse(line) as { idx: number; ticket: string };
				return { id: `${evt}/${idx}`, text: ticket, order };
			});
		},
		change: async (act, tickets) => {
			const path = `/v1/office/orders/${tickets[0]?.order}/${act}`;
			return bodyOf(await venue.office({ method: 'POST', path, body: { idx: tickets.map(numberOf) } }));
		},
		cases: async () => linesOf(await venue.done('case', 'list', '--json')).map((line) => JSON.parse(line) as Case),
		devices: async () =>
			linesOf(await venue.done('device', 'list', '--json')).map((line) => JSON.parse(line) as Device),
		openClaims: async ({ device }) => {
			return (await get<{ claims: OpenClaim[] }>(`/devices/${device}/claims`)).claims;
		},
		[Symbol.asyncDispose]: async () => {
			signalServer(venue, 'SIGCONT');
			for (const end of ends.toReversed()) await end();
		},
	};
}

/** Stops a server in its tracks or lets it go on. */
export function signalServer(venue: Venue, signal: 'SIGSTOP' | 'SIGCONT'): void {
	try {
		process.kill(venue.pid(), signal);
	} catch {
		// It has ended.
	}
}

/** What is to be done when a fleet is no longer needed, the last first. */
type End = () => Promise<void>;

interface GatePlan {
	readonly name: string;
	readonly lanes: number;
	/** The server that it asks. */
	readonly at: string;
	readonly ends: End[];
}

async function enrollGate(venue: Venue, { name, lanes, at, ends }: GatePlan): Promise<FleetGate> {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-fleet-'));
	ends.push(async () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
	const [cable, relay, scanners] = await Promise.all([
		openRelay(at),
		openPty(),
		Promise.all(Array.from({ length: lanes }, () => openPty())),
	]);
	ends.push(cable.close, relay.close, ...scanners.map(({ close }) => close));
	const data = join(dir, 'data');
	const { code } = JSON.parse(await venue.done('device', 'code', '--name', name, '--json')) as { code: string };
	const server = ['--server', cable.url, '--fingerprint', venue.fingerprint, '--code', code];
	const enrolled = await venue.done('gate', 'enroll', ...server, '--data', data, '--json');
	const { device } = JSON.parse(enrolled) as { device: string };
	const config = join(dir, 'gate.yaml');
	writeFileSync(config, configOf({ name, data, scanners, relay }));
	let running: RunningGate | undefined;
	return {
		...{ name, device, dir, data, config, cable },
		start: async ({ claimMs = claimMsMax, args = [] } = {}) => {
			// However busy the machine is, the lanes wait for the server if it is there.
			const own = startGate([`venue.claimMs=${claimMs}`, 'venue.startMs=30000'], { config, args });
			running = own;
			ends.push(own.kill);
			onTestFinished(cable.heal);
			await until(
				() => `ready lane of ${name}: ${own.printed().slice(-2_000)}`,
				() => own.lines.some(({ event }) => event === 'ready'),
				patienceMs,
			);
			return own;
		},
		running: () => {
			if (!running) throw new Error(`${name} was not started`);
			return running;
		},
		present: async ({ text }, lane = 1) => scanners[lane - 1]?.write(`${text}\r`),
		...countedAt(relay, lanes),
		rows: async (...kinds) => (await listRows(data)).filter(({ kind }) => kinds.length === 0 || kinds.includes(kind)),
	};
}

/** Puts a board behind the gate's relay port, and counts there. */
function countedAt(relay: Pty, channels: number): Pick<FleetGate, 'opened' | 'isAtRest'> {
	const closings: number[] = Array.from({ length: channels }, () => 0);
	const count = (channel: number, closed: boolean) => {
		if (closed) closings[channel - 1] = (closings[channel - 1] ?? 0) + 1;
	};
	const { isClosed } = emulateLcus(relay, { channels, onCoil: count });
	return {
		opened: (lane) => (lane === undefined ? closings.reduce((all, each) => all + each, 0) : (closings[lane - 1] ?? 0)),
		isAtRest: (lane) => !isClosed(lane),
	};
}

interface Wiring {
	readonly name: string;
	readonly data: string;
	readonly scanners: readonly Pty[];
	readonly relay: Pty;
}

/** Lanes without a sensor, with the shortest pulse, so that they settle at once. */
function configOf({ name, data, scanners, relay }: Wiring): string {
	const board = `driver: serial-lcus, path: ${relay.path}, channels: ${scanners.length}, pulseMs: 50`;
	const lanes = scanners.map(
		({ path }, index) => `
  - id: ${name}-${index + 1}
    holdOffMs: 0
    scanner: { driver: serial-line, path: ${path}, suffix: cr }
    relay: { ${board}, channel: ${index + 1} }`,
	);
	return `agent: ${name}\ndata: ${data}\nvenue: { timeZone: Asia/Shanghai }\nlanes:${lanes.join('')}\n`;
}

/** What a lane said to a ticket that is presented now. */
export interface Verdict {
	readonly event: 'granted' | 'denied';
	readonly reason?: string;
	readonly rung?: string;
}

/** Presents a ticket and waits for the verdict; after a grant, until the lane is free again. */
export async function verdictOn(gate: FleetGate, ticket: Sold, lane = 1): Promise<Verdict> {
	const { lines } = gate.running();
	const from = lines.length;
	await gate.present(ticket, lane);
	const verdict = await soon(gate, from, ({ event }) => event === 'granted' || event === 'denied');
	if (verdict.event === 'granted') await soon(gate, from, ({ event }) => event === 'settled');
	// The lane's log has this form.
	return verdict as unknown as Verdict;
}

/** Waits, with much patience, for a line of a gate's log after the first `from`. */
export function soon(gate: FleetGate, from: number, is: (line: LogLine) => boolean): Promise<LogLine> {
	const own = gate.running();
	return until(
		() => `such a line at ${gate.name}: ${is} in ${own.printed().slice(-2_000)}`,
		() => own.lines.slice(from).find(is),
		patienceMs,
	);
}

/** Counts from now on how often each of these gates opens. */
export function openingsAt(...gates: readonly FleetGate[]): () => readonly number[] {
	const before = gates.map((gate) => gate.opened());
	return () => gates.map((gate, index) => gate.opened() - (before[index] ?? 0));
}

/** What a gate shows of its venue may be this old. */
const shownForMs = 1_100;

/** Waits until a gate follows the server's feed and has nothing left to send. */
export async function untilInStep(gate: FleetGate): Promise<void> {
	let [told, sinceMs]: [unknown, number | undefined] = [undefined, undefined];
	await until(
		() => `${gate.name} in step: ${JSON.stringify(told)}`,
		async () => {
			const { venue } = (await gate.running().health()) as { venue: Readonly<Record<string, unknown>> };
			told = venue;
			const isInStep = venue.state === 'online' && venue.waiting === 0 && venue.authority === 'reachable';
			sinceMs = isInStep ? (sinceMs ?? performance.now()) : undefined;
			return sinceMs !== undefined && performance.now() - sinceMs > shownForMs;
		},
		patienceMs,
	);
}

/** Every row of these gates must be at the server, which holds nothing for them that their journals have not ended. */
export async function expectWholeAtServer(fleet: Fleet, gates: readonly FleetGate[]): Promise<void> {
	const devices = await fleet.devices();
	for (const gate of gates) {
		const rows = await gate.rows();
		const newest = Math.max(...rows.map(({ seq }) => seq));
		const here = devices.find(({ device }) => device === gate.device);
		expect(here, gate.name).toMatchObject({ name: gate.name, status: 'active', acceptedThrough: newest });
		expect(await fleet.openClaims(gate)).toEqual([]);
	}
}

/** The number of a ticket within the event. */
export function numberOf({ id }: Pick<Sold, 'id'>): number {
	return Number(id.slice(id.indexOf('/') + 1));
}

function linesOf(text: string): readonly string[] {
	return text.split('\n').filter((line) => line !== '');
}
