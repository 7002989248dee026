import { describe, expect, test } from 'vitest';
import { deadlineOf, initialLane, type RememberedLane, step } from './lane.ts';
import { type Answers, answer, grantOf, StoryLedger, sensorLane } from './lane-fake-agent.suite.ts';
import type {
	FireState,
	LaneCommand,
	LaneConfig,
	LaneEffect,
	LaneInput,
	LaneMode,
	RedeemResult,
} from './lane-state.ts';
import type { Direction, Settlement } from './redemption.ts';
import type { Refusal } from './refusal.ts';

/** A story at a lane: what is given and what happens. */
export interface Story {
	readonly config?: Partial<LaneConfig>;
	readonly memory?: RememberedLane;
	/**
	 * `MILLISECONDS WORDS`, where the words are: `scan CODE`, `scan CODE exit`, `noise`, `pass entry`, `enter entry`,
	 * `leave entry`, `fire STATE`, `tamper on`, `missing A B`, `relay opened`, `unseen`, `button`, `mode MODE`, `admit N`, `wait`, a late answer
	 * (`granted SCAN`, `pulsed PULSE`), another luck of the agent (`agent redeem silent`), or any other command.
	 */
	readonly when: readonly string[];
	/** Only effects that begin with one of these words are told; absent means all but checks and redemptions. */
	readonly only?: readonly string[];
}

/** Name, story, and what the lane does: `MILLISECONDS EFFECT`. */
export type Row = readonly [name: string, story: Story, then: readonly string[]];

/** Plays each story and compares what the lane did. */
export function table(name: string, rows: readonly Row[]): void {
	describe(name, () => {
		test.each(rows)('%s', (_, story, then) => {
			expect(play(story)).toEqual(then);
		});
	});
}

const quiet = ['check', 'redeem', 'record alarm'];

/** Plays a story and tells what the lane did. */
export function play({ config, memory, when, only }: Story): readonly string[] {
	const told: string[] = [];
	const ledger = new StoryLedger();
	let answers: Answers = {};
	let [state, effects] = initialLane({ ...sensorLane, ...config }, memory, 0);
	const carryOut = (): void => {
		for (const effect of effects) told.push(`${state.nowMs} ${tell(effect)}`);
		for (const effect of effects) {
			const input = answer(effect, ledger, answers);
			if (input) take({ ...input, atMs: state.nowMs });
		}
	};
	const take = (input: LaneInput): void => {
		[state, effects] = step(state, input);
		carryOut();
	};
	carryOut();
	for (const line of when) {
		const [time = '', word = '', ...more] = line.split(' ');
		const atMs = Number(time);
		for (let due = deadlineOf(state); due !== undefined && due <= atMs; due = deadlineOf(state)) {
			take({ kind: 'tick', atMs: due });
		}
		if (word === 'agent') answers = { ...answers, [more[0] ?? '']: more[1] };
		else for (const input of inputsOf(word, more)) take({ ...input, atMs });
	}
	const isTold = (line: string) => {
		const what = line.slice(line.indexOf(' ') + 1);
		const startsSo = (word: string) => what.startsWith(word);
		return only ? only.some(startsSo) : !quiet.some(startsSo);
	};
	return told.filter(isTold);
}

function inputsOf(word: string, [one = '', two]: readonly string[]): readonly LaneInput[] {
	const atMs = 0;
	// The words of a story are checked by its outcome, not by the compiler.
	const direction = one as Direction;
	switch (word) {
		case 'scan':
			return [{ atMs, kind: 'scan', side: two === 'exit' ? 'exit' : 'entry', scan: { kind: 'code', text: one, atMs } }];
		case 'noise':
			return [{ atMs, kind: 'scan', side: 'entry', scan: { kind: 'unreadable', bytes: 9_999, atMs } }];
		case 'pass':
			return [...inputsOf('enter', [one]), ...inputsOf('leave', [one])];
		case 'enter':
			return [{ atMs, kind: 'passage', direction, active: true }];
		case 'leave':
			return [{ atMs, kind: 'passage', direction, active: false }];
		case 'fire':
			return [{ atMs, kind: 'fire', state: one as FireState }];
		case 'tamper':
			return [{ atMs, kind: 'tamper', active: one === 'on' }];
		case 'missing':
			return [{ atMs, kind: 'devices', missing: [one, two].filter((device) => device) as string[] }];
		case 'relay':
			// `relay opened`: the board is there (again), and nothing else is missing.
			return [{ atMs, kind: 'devices', missing: [], relayOpened: true }];
		case 'unseen':
			return [{ atMs, kind: 'unseen' }];
		case 'button':
			return [{ atMs, kind: 'staff_button' }];
		case 'granted':
			return [{ atMs, kind: 'redeemed', scanId: Number(one), result: lateGrant }];
		case 'pulsed':
			return [{ atMs, kind: 'pulsed', pulseId: Number(one), ok: true }];
		case 'wait':
			return [];
		default:
			return [{ atMs, kind: 'command', command: commandOf(word, one) }];
	}
}

const lateGrant: RedeemResult = { kind: 'granted', left: 0, givenBack: 0, grant: grantOf('late') };

function commandOf(word: string, one: string): LaneCommand {
	const by = 'li';
	if (word === 'mode') return { kind: 'set_mode', mode: one as LaneMode, by };
	if (word === 'admit') return { kind: 'staff_entry', cls: 'infant', count: Number(one), by, reason: 'infants' };
	return { kind: word as 'confirm', by };
}

function tell(effect: LaneEffect): string {
	switch (effect.kind) {
		case 'check':
			return `check ${effect.scan.text}`;
		case 'redeem':
			return `redeem ${effect.ticket.id}`;
		case 'pulse':
			return `pulse ${effect.direction}`;
		case 'hold':
			return `hold ${effect.state}`;
		case 'settle':
			return `settle ${tellSettlement(effect.settlement)}`;
		case 'record':
		case 'record_entry':
			return `record ${tellFact(effect.fact)}`;
		case 'deny':
			return `deny ${tellRefusal(effect.refusal)}`;
		case 'alarm':
			return `alarm ${effect.alarm} ${effect.on ? 'on' : 'off'}`;
		case 'show':
			return `show ${tellScreen(effect.screen)}`;
	}
}

function tellSettlement({ outcome, taken, back, counted, late }: Settlement): string {
	return [outcome, taken, back && 'back', counted && 'counted', late && 'late']
		.filter((word) => word !== false && word !== undefined)
		.join(' ');
}

function tellFact(fact: (LaneEffect & { kind: 'record' })['fact']): string {
	switch (fact.kind) {
		case 'passages':
			return `passages ${fact.during} ${fact.direction} ${fact.count}`;
		case 'lane':
			return `lane ${fact.mode}${fact.emergency ? ' emergency' : ''} by ${fact.by}`;
		case 'staff_entry':
			return `staff_entry ${fact.count} ${fact.cls} by ${fact.operator}`;
		default:
			return fact.kind;
	}
}

function tellRefusal(refusal: Refusal): string {
	if (refusal.reason === 'lane_closed') return `lane_closed ${refusal.mode}`;
	return refusal.reason;
}

function tellScreen(screen: (LaneEffect & { kind: 'show' })['screen']): string {
	switch (screen.kind) {
		case 'granted': {
			const group = screen.group ? `${screen.group.taken} of ${screen.group.of}` : undefined;
			return ['granted', screen.cls, screen.cue, group].filter((word) => word !== undefined).join(' ');
		}
		case 'refused':
			return `refused ${tellRefusal(screen.refusal)}`;
		case 'not_taken':
			return screen.back ? 'not_taken back' : 'not_taken';
		case 'wait_staff':
			return `wait_staff ${screen.cue}`;
		case 'out_of_service':
			return ['out_of_service', ...screen.missing].join(' ');
		default:
			return screen.kind;
	}
}
