import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Agent, startAgent } from '../../gate-agent/agent.ts';
import { checkConfig, type GateConfig } from '../../gate-agent/config.ts';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import { assert } from '../../gate-agent/core/errors.ts';
import type { RedemptionId } from '../../gate-agent/core/redemption.ts';
import type { EnrolledGate } from '../../gate-agent/enrollment.ts';
import type { Logger } from '../../gate-agent/logger.ts';
import { buildOf } from '../../gate-agent/main.ts';
import type { VenueHealth } from '../../gate-agent/venue-link.ts';
import type { Lamp, LaneAction, LaneId, LaneState, LinkState, PracticeRows } from './page/practice-wire.ts';
import { channels, type PracticeDevices } from './practice-devices.ts';
import { createTally, type RungTally } from './practice-tally.ts';
import { idOf, practiceEvent, type SampleCode } from './sample-tickets.ts';

const zone = 'main';

/** Where the used sample came in before anybody looked: not a lane of the practice. */
const sideDoor = 'side-door';

/** How long a finger stays on a button. */
const pressMs = 600;

/** A visitor sees the gate open, and takes this long to step up. */
const stepUpMs = 900;

/** Whoever is not let in for this long after the answer goes away. */
const patienceMs = 4_000;

/** How often a visitor looks at the lock. */
const lookMs = 20;

/** A lane without hardware: a gate of its own, its devices and its turnstile. */
export interface PracticeLane {
	state(isCut: boolean): LaneState;
	/** Brings the figures of `state` up to date with the journal. */
	count(): Promise<void>;
	/** Journal rows after `seq`, oldest first. */
	rowsAfter(seq: number): Promise<PracticeRows>;
	/** Holds a code to the scanner. With `walk` its visitor goes through once the gate is open. */
	present(code: string, walk: boolean): Promise<void>;
	/** Does what a person at the lane does. Rejects with a `StilewardError`, e.g. `device_lost` for a pulled plug. */
	act(action: LaneAction): Promise<void>;
	/** Somebody came in with this ticket before anybody looked. */
	useUp(sample: SampleCode): Promise<void>;
	close(): Promise<void>;
}

/** What a lane is started with. */
export interface LaneOptions {
	readonly id: LaneId;
	/** Name of its gate. */
	readonly agent: string;
	/** Folder of the gate, which is enrolled. */
	readonly dir: string;
	readonly enrolled: EnrolledGate;
	readonly devices: PracticeDevices;
	readonly timeZone: string;
	/** How long the lane waits for the authority. */
	readonly claimMs: number;
	readonly log: Logger;
}

/** Starts the gate of a lane on its devices. */
export async function startPracticeLane(options: LaneOptions): Promise<PracticeLane> {
	const { id, devices, enrolled, claimMs, log } = options;
	const agent = await startAgent(configOf(options), {
		...{ log, enrolled, random: Math.random, ...buildOf() },
		clock: { systemMs: Date.now, monoMs: () => performance.now() },
		...(devices.simulation && { simulation: devices.simulation }),
	});
	const tally = createTally(agent.ledger, id);
	let visitor = new AbortController();
	return {
		state: (isCut) => ({ ...stateOf(id, agent, devices), link: linkOf(agent, tally, isCut) }),
		count: tally.read,
		rowsAfter: (seq) => agent.ledger.rows(seq, rowsMax),
		present: async (code, walk) => {
			// The next visitor takes the place of one who was not let in.
			visitor.abort();
			visitor = new AbortController();
			await devices.present(code);
			if (walk) void walkWhenOpen(devices, claimMs + patienceMs, visitor.signal);
		},
		act: (action) => act(action, agent, devices),
		useUp: (sample) => useUp(sample, agent),
		close: async () => {
			visitor.abort();
			await agent.close();
			await devices.close();
		},
	};
}

/** Journal rows that are read at a time. */
const rowsMax = 200;

async function act(action: LaneAction, agent: Agent, devices: PracticeDevices): Promise<void> {
	const { turnstile } = devices;
	switch (action.kind) {
		case 'walk':
			turnstile.walkThrough(action.direction);
			return;
		case 'force':
			turnstile.forceThrough('entry');
			return;
		case 'press':
			turnstile.setContact(action.contact, true);
			await delay(pressMs);
			turnstile.setContact(action.contact, false);
			return;
		case 'set':
			turnstile.setContact(action.contact, action.active);
			return;
		case 'plug':
			return devices.plug(action.device, action.plugged);
		case 'mode':
			agent.command(action.lane, { kind: 'set_mode', mode: action.mode, by: 'practice' });
			return;
	}
}

async function walkWhenOpen(
	{ turnstile, isClosed }: PracticeDevices,
	withinMs: number,
	signal: AbortSignal,
): Promise<void> {
	const mayGo = () => turnstile.isOpen('entry') && !isClosed(channels.entry);
	const untilMs = performance.now() + withinMs;
	try {
		while (!mayGo() && performance.now() < untilMs) await delay(lookMs, undefined, { signal });
		if (!mayGo()) return;
		await delay(stepUpMs, undefined, { signal });
	} catch {
		// Somebody else stands there now.
		return;
	}
	turnstile.walkThrough('entry');
}

function configOf({ id, agent, dir, timeZone, claimMs, devices }: LaneOptions): GateConfig {
	const { scanner, relay, inputs } = devices.config;
	const lamp = (name: Lamp, pattern = 'steady') => ({ channel: channels[name], pattern });
	const value = {
		agent,
		data: dir,
		venue: { timeZone, claimMs },
		http: { port: 0 },
		lanes: [
			{
				...{ id, zone, scanner, inputs },
				relay: { ...relay, channel: channels.entry, exitChannel: channels.exit },
				feedback: {
					driver: 'relay-channels',
					granted: [lamp('green')],
					cue: [lamp('green', 'blink')],
					refused: [lamp('red'), lamp('buzzer', 'once')],
					wait: [lamp('amber')],
					out_of_service: [lamp('red')],
					emergency: [lamp('green', 'blink')],
				},
			},
		],
	};
	return checkConfig({ file: 'practice', value, lineOf: () => undefined });
}

function stateOf(id: LaneId, agent: Agent, devices: PracticeDevices): Omit<LaneState, 'link'> {
	const { turnstile } = devices;
	const status = agent.health().lanes[id];
	assert(status !== undefined, 'the practice lane is in the health of its agent');
	const lamps = (['green', 'red', 'amber', 'buzzer'] as const).filter((lamp) => devices.isClosed(channels[lamp]));
	return {
		display: `${agent.url}/lanes/${id}`,
		plugged: devices.plugged(),
		ready: status.missing.length === 0,
		open: { entry: turnstile.isOpen('entry'), exit: turnstile.isOpen('exit') },
		pulsing: devices.isClosed(channels.entry) || devices.isClosed(channels.exit),
		passages: { entry: turnstile.passages('entry'), exit: turnstile.passages('exit') },
		contacts: turnstile.contacts(),
		lamps,
		mode: status.mode,
		alarms: status.alarms,
		emergency: status.emergency,
		confirming: status.screen === 'wait_staff',
	};
}

function linkOf(agent: Agent, tally: RungTally, isCut: boolean): LinkState {
	// An agent that is enrolled has this part of its health.
	const { state, authority, waiting, listAgeMs } = agent.health().venue as VenueHealth;
	const lastRung = tally.last();
	return {
		cut: isCut,
		online: state === 'online',
		reachable: authority === 'reachable',
		...(listAgeMs !== undefined && Number.isFinite(listAgeMs) && { listAgeS: Math.floor(listAgeMs / 1000) }),
		waiting,
		...(lastRung !== undefined && { lastRung }),
		rungs: tally.rungs(),
	};
}

async function useUp(sample: SampleCode, { ledger }: Agent): Promise<void> {
	const { idx } = sample;
	const ticketId = idOf(sample);
	assert(idx !== undefined && ticketId !== undefined, 'the used sample is a ticket');
	const atMs = Date.now();
	// The brand of a redemption id is given to 128 random bits.
	const redemptionId = randomBytes(16).toString('base64url') as RedemptionId;
	const ticket = { evt: practiceEvent, idx, ticketId, allowance: wholeTicket, cls: 'adult', use: 1 };
	const redeemed = await ledger.redeem({ ...ticket, lane: sideDoor, zone, redemptionId, atMs }, ({ used }) => {
		if (used > 0) return { kind: 'deny', refusal: { reason: 'already_redeemed' } };
		const admitted = { direction: 'entry', allowance: wholeTicket, uses: 1, reentry: false, left: 0 } as const;
		return { kind: 'grant', rung: 'staff', ...admitted };
	});
	if (redeemed.kind === 'denied') return;
	await ledger.settle({ redemptionId, outcome: 'taken', taken: 1, back: false, counted: false }, atMs);
}
