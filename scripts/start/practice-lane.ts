import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Agent, startAgent } from '../../gate-agent/agent.ts';
import { checkConfig, type GateConfig } from '../../gate-agent/config.ts';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import { assert } from '../../gate-agent/core/errors.ts';
import type { Ledger } from '../../gate-agent/core/ledger.ts';
import type { RedemptionId } from '../../gate-agent/core/redemption.ts';
import type { Logger } from '../../gate-agent/logger.ts';
import { buildOf } from '../../gate-agent/main.ts';
import type { Lamp, PracticeAction, PracticeRows, PracticeState } from './page/practice-wire.ts';
import { channels, type OpenPracticeDevices, openPracticeDevices, type PracticeDevices } from './practice-devices.ts';
import { ensureKeys, idOf, issueSamples, practiceEvent, type SampleCode, type SampleCodes } from './sample-tickets.ts';

/** The one lane of the practice. */
export const practiceLaneId = 'lane-1';

const zone = 'main';

/** How long a finger stays on a button. */
const pressMs = 300;

/** A whole lane without hardware: agent, devices, turnstile, tickets. */
export interface PracticeLane {
	samples(): SampleCodes;
	state(): PracticeState;
	/** Journal rows after `seq`, oldest first. */
	rowsAfter(seq: number): Promise<PracticeRows>;
	/** Does what a person at the lane does. Rejects with a `StilewardError`, e.g. `device_lost` for a pulled plug. */
	act(action: PracticeAction): Promise<void>;
	close(): Promise<void>;
}

/** What a practice lane is started with. */
export interface PracticeOptions {
	/** Folder for keys, ledger and log; kept between runs, so that used tickets stay used. */
	readonly dir: string;
	readonly timeZone: string;
	readonly log: Logger;
	/** Hears that `state` may have changed. */
	readonly onChange: () => void;
	/** Other devices than this machine would choose by itself. */
	readonly openDevices?: OpenPracticeDevices;
}

/** Starts the lane. Rejects with `ledger_busy` where another practice runs on the same folder. */
export async function startPracticeLane(options: PracticeOptions): Promise<PracticeLane> {
	const { dir, timeZone, log, onChange, openDevices = openPracticeDevices } = options;
	const keysDir = join(dir, 'keys');
	await ensureKeys(keysDir, Date.now());
	const devices = await openDevices(dir, onChange);
	const config = configOf(dir, timeZone, devices);
	const agent = await startPracticeAgent(config, devices, log).catch(async (error: unknown) => {
		await devices.close();
		throw error;
	});
	let samples = await freshSamples(keysDir, agent.ledger);
	let ticketsVersion = Date.now();
	return {
		samples: () => samples,
		state: () => ({ ...stateOf(agent, devices), ticketsVersion, timeZone }),
		rowsAfter: (seq) => agent.ledger.rows(seq, rowsMax),
		act: async (action) => {
			if (action.kind === 'new_tickets') {
				samples = await freshSamples(keysDir, agent.ledger);
				ticketsVersion = Date.now();
			} else if (action.kind === 'present') await devices.present(samples[action.sample].code);
			else await act(action, { agent, devices });
			onChange();
		},
		close: async () => {
			await agent.close();
			await devices.close();
		},
	};
}

/** Journal rows that are read at a time. */
const rowsMax = 200;

type OtherAction = Exclude<PracticeAction, { kind: 'present' | 'new_tickets' }>;

async function act(action: OtherAction, lane: { agent: Agent; devices: PracticeDevices }): Promise<void> {
	const { agent, devices } = lane;
	const { turnstile } = devices;
	switch (action.kind) {
		case 'present_text':
			return devices.present(action.text);
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
			agent.command(practiceLaneId, { kind: 'set_mode', mode: action.mode, by: 'practice' });
			return;
	}
}

async function startPracticeAgent(config: GateConfig, devices: PracticeDevices, log: Logger): Promise<Agent> {
	return startAgent(config, {
		log,
		clock: { systemMs: Date.now, monoMs: () => performance.now() },
		random: Math.random,
		...buildOf(),
		...(devices.simulation && { simulation: devices.simulation }),
	});
}

function configOf(dir: string, timeZone: string, { config }: PracticeDevices): GateConfig {
	const { scanner, relay, inputs } = config;
	const lamp = (name: Lamp, pattern = 'steady') => ({ channel: channels[name], pattern });
	const value = {
		agent: 'practice',
		event: practiceEvent,
		keys: join(dir, 'keys'),
		data: join(dir, 'data'),
		venue: { timeZone },
		http: { port: 0 },
		classes: {
			adult: {},
			child: { lane: 'cue', cue: 'check_height' },
			student: { lane: 'confirm', cue: 'check_id' },
			group: { group: 'run' },
		},
		lanes: [
			{
				id: practiceLaneId,
				zone,
				scanner,
				relay: { ...relay, channel: channels.entry, exitChannel: channels.exit },
				inputs,
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

function stateOf(agent: Agent, devices: PracticeDevices): Omit<PracticeState, 'ticketsVersion' | 'timeZone'> {
	const { turnstile } = devices;
	const status = agent.health().lanes[practiceLaneId];
	assert(status !== undefined, 'the practice lane is in the health of its agent');
	const lamps = (['green', 'red', 'amber', 'buzzer'] as const).filter((lamp) => devices.isClosed(channels[lamp]));
	return {
		display: `${agent.url}/lanes/${practiceLaneId}`,
		devices: devices.kind,
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

/** New samples, of which one has been used already. */
async function freshSamples(keysDir: string, ledger: Ledger): Promise<SampleCodes> {
	const samples = await issueSamples(keysDir, Date.now());
	await useUp(samples.used, ledger);
	return samples;
}

/** A visitor with this ticket came through before anybody looked. */
async function useUp(sample: SampleCode, ledger: Ledger): Promise<void> {
	const { idx } = sample;
	const ticketId = idOf(sample);
	assert(idx !== undefined && ticketId !== undefined, 'the used sample is a ticket');
	const atMs = Date.now();
	// The brand of a redemption id is given to 128 random bits.
	const redemptionId = randomBytes(16).toString('base64url') as RedemptionId;
	const place = {
		evt: practiceEvent,
		idx,
		ticketId,
		allowance: wholeTicket,
		cls: 'adult',
		use: 1,
		lane: practiceLaneId,
		zone,
	};
	await ledger.redeem({ ...place, redemptionId, atMs }, () => ({
		kind: 'grant',
		direction: 'entry',
		allowance: wholeTicket,
		uses: 1,
		reentry: false,
		rung: 'local',
		left: 0,
	}));
	await ledger.settle({ redemptionId, outcome: 'taken', taken: 1, back: false, counted: false }, atMs);
}
