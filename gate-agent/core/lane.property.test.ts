import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deadlineOf, initialLane, laneStatus, screenOf, step } from './lane.ts';
import { closedFor } from './lane-closed.ts';
import { type Answers, answer, StoryLedger, sensorLane } from './lane-fake-agent.suite.ts';
import { queueMax, recentMax } from './lane-scans.ts';
import { lateMax } from './lane-settlement.ts';
import type { LaneCommand, LaneConfig, LaneEffect, LaneInput, LaneState } from './lane-state.ts';
import { giveBackMax } from './policy.ts';
import type { Direction, RedemptionId } from './redemption.ts';

type Happening = LaneInput extends infer I ? (I extends LaneInput ? Omit<I, 'atMs'> : never) : never;

/** One thing that happens, after how long, and how soon and how well the agent answers what it causes. */
interface Beat {
	readonly afterMs: number;
	readonly happening: Happening;
	readonly answers: Answers;
	readonly answerAfterMs: number;
}

const side = fc.constantFrom<Direction>('entry', 'exit');
const classes = ['adult', 'adult', 'child', 'senior', 'strict', 'group', 'coach', 'returning', 'forged'];
const code = fc.tuple(fc.constantFrom(...classes), fc.nat(3)).map(([cls, n]) => `${cls}:${classes.indexOf(cls)}${n}`);

const command = fc.oneof(
	fc.constantFrom<LaneCommand>(
		...(['entry', 'entry', 'entry', 'both', 'both', 'exit', 'free', 'locked', 'drop_arm'] as const).map(
			(mode) => ({ kind: 'set_mode', mode, by: 'li' }) as const,
		),
		...(['confirm', 'confirm', 'reject', 'stop_group', 'emergency_open'] as const).map((kind) => ({ kind, by: 'li' })),
		...Array.from({ length: 8 }, () => ({ kind: 'emergency_reset', by: 'li' }) as const),
	),
	fc.record({
		kind: fc.constant('staff_entry' as const),
		cls: fc.constant('infant'),
		count: fc.integer({ min: -1, max: 4 }),
		by: fc.constant('li'),
		reason: fc.constant('infants'),
	}),
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
	{
		weight: 12,
		arbitrary: fc.record({
			kind: fc.constant('scan' as const),
			side: fc.oneof({ weight: 4, arbitrary: fc.constant<Direction>('entry') }, side),
			scan: fc.oneof(
				{
					weight: 9,
					arbitrary: code.map((text) => ({ kind: 'code', text, atMs: 0 }) as const),
				},
				fc.constant({ kind: 'unreadable', bytes: 5_000, atMs: 0 } as const),
			),
		}),
	},
	{
		weight: 8,
		arbitrary: fc.record({ kind: fc.constant('passage' as const), direction: side, active: fc.boolean() }),
	},
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant('command' as const), command }) },
	fc.record({
		kind: fc.constant('fire' as const),
		state: fc.oneof(
			{ weight: 6, arbitrary: fc.constant('clear' as const) },
			fc.constantFrom('active' as const, 'unknown' as const),
		),
	}),
	fc.record({ kind: fc.constant('tamper' as const), active: fc.boolean() }),
	fc.constant({ kind: 'staff_button' as const }),
	fc.constant({ kind: 'unseen' as const }),
	fc.record({
		kind: fc.constant('devices' as const),
		missing: fc.constantFrom([], [], [], ['relay'], ['inputs', 'scanner']),
	}),
	fc.constant({ kind: 'devices' as const, missing: [], relayOpened: true as const }),
	fc.constant({ kind: 'tick' as const }),
);

const luck = fc.oneof(
	{ weight: 12, arbitrary: fc.constant('ok' as const) },
	fc.constantFrom('fail' as const, 'silent' as const),
);

const beat: fc.Arbitrary<Beat> = fc.record({
	afterMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: -50, max: 9_000 })),
	happening,
	answers: fc.record({ check: luck, redeem: luck, pulse: luck, record_entry: luck }),
	answerAfterMs: fc.oneof(
		{ weight: 5, arbitrary: fc.integer({ min: 0, max: 50 }) },
		fc.integer({ min: 0, max: 12_000 }),
	),
});

const config: fc.Arbitrary<LaneConfig> = fc
	.record({
		mode: fc.constantFrom('entry' as const, 'entry' as const, 'both' as const, 'exit' as const, 'free' as const),
		passageSensor: fc.boolean(),
		fireInput: fc.nat(3).map((n) => n === 0),
		staffButton: fc.constantFrom('confirm_only' as const, 'open_once' as const),
	})
	.map((given) => ({ ...sensorLane, ...given }));

/** A lane with an agent that answers late, badly or never, and the books of a test. */
class Trial {
	readonly ledger = new StoryLedger();
	readonly pulses: LaneEffect[] = [];
	state: LaneState;
	/** People that grants, exits and staff may let through. */
	allowed = 0;
	private nowMs = 0;
	private pending: { atMs: number; input: LaneInput }[] = [];
	private beat: Pick<Beat, 'answers' | 'answerAfterMs'> = { answers: {}, answerAfterMs: 0 };

	constructor(config: LaneConfig, emergency: boolean) {
		const [state, effects] = initialLane(config, { mode: config.mode, emergency }, 0);
		this.state = state;
		this.carryOut(effects);
	}

	play(beat: Beat): void {
		this.beat = beat;
		this.wait(this.nowMs + beat.afterMs);
		// The time is added to whichever member of the union this is.
		this.take({ ...beat.happening, atMs: this.nowMs } as LaneInput);
	}

	/** Lets all answers come and all deadlines pass. */
	quiesce(): void {
		this.beat = { answers: {}, answerAfterMs: 0 };
		for (let round = 0; round < 400 && (this.pending.length > 0 || deadlineOf(this.state) !== undefined); round += 1) {
			this.wait(this.nowMs + 30_000);
		}
		expect(this.pending).toEqual([]);
		expect(deadlineOf(this.state)).toBeUndefined();
	}

	private wait(untilMs: number): void {
		for (;;) {
			const answered = this.pending.toSorted((one, other) => one.atMs - other.atMs)[0];
			const dueMs = Math.min(answered?.atMs ?? Infinity, deadlineOf(this.state) ?? Infinity);
			if (dueMs > untilMs) break;
			this.nowMs = Math.max(this.nowMs, dueMs);
			if (answered && answered.atMs === dueMs) {
				this.pending = this.pending.filter((other) => other !== answered);
				this.take({ ...answered.input, atMs: this.nowMs });
			} else this.take({ kind: 'tick', atMs: this.nowMs });
		}
		this.nowMs = Math.max(this.nowMs, untilMs);
	}

	private take(input: LaneInput): void {
		const [state, effects] = step(this.state, input);
		this.state = state;
		if (input.kind === 'redeemed' && input.result.kind === 'exited') this.allowed += 1;
		this.carryOut(effects);
		this.check(effects);
	}

	private carryOut(effects: readonly LaneEffect[]): void {
		const { answers, answerAfterMs } = this.beat;
		for (const effect of effects) {
			const granted = this.ledger.grants.length;
			const input = answer(effect, this.ledger, answers);
			if (input) this.pending.push({ atMs: this.nowMs + answerAfterMs, input });
			for (const grant of this.ledger.grants.slice(granted)) this.allowed += Math.max(1, grant.uses);
			if (effect.kind === 'record_entry') this.allowed += effect.fact.count;
			if (effect.kind === 'pulse') this.pulses.push(effect);
		}
	}

	private check(effects: readonly LaneEffect[]): void {
		const { state } = this;
		expect(deadlineOf(state) ?? Infinity).toBeGreaterThan(state.nowMs);
		expect(state.queue.length).toBeLessThanOrEqual(queueMax);
		expect(state.recent.length).toBeLessThanOrEqual(recentMax);
		expect(state.late.length).toBeLessThanOrEqual(lateMax);
		expect(state.passages.length).toBeLessThanOrEqual(8);
		expect(state.shown.screen).toEqual(screenOf(state));
		expect(laneStatus(state).waiting).toBe(state.queue.length);
		for (const effect of effects) {
			if (effect.kind === 'pulse') expect(closedFor(state, effect.direction)).toBeUndefined();
			if (effect.kind === 'hold' && effect.state === 'release') {
				expect(state).toMatchObject({ fire: 'clear', emergency: undefined });
			}
			if (effect.kind === 'hold' && effect.state === 'open') {
				expect(state.emergency !== undefined || (state.mode === 'free' && state.fire === 'clear')).toBe(true);
			}
		}
		expect(this.pulses.length).toBeLessThanOrEqual(this.allowed);
	}

	settlementsOf(redemptionId: RedemptionId) {
		return this.ledger.settlements.filter((settlement) => settlement.redemptionId === redemptionId);
	}
}

test('whatever happens in whatever order, each grant is settled once and the gate opens no more often than allowed', () => {
	const trials = fc.property(
		config,
		fc.nat(9),
		fc.array(beat, { minLength: 10, maxLength: 80, size: 'max' }),
		(given, emergency, beats) => {
			const trial = new Trial(given, emergency === 0);
			for (const beat of beats) trial.play(beat);
			trial.quiesce();
			for (const grant of trial.ledger.grants) {
				const settled = trial.settlementsOf(grant.redemptionId);
				const late = settled.filter((settlement) => settlement.late);
				expect(settled.length - late.length).toBe(1);
				expect(late.length).toBeLessThanOrEqual(settled[0]?.back ? 1 : 0);
				for (const { taken, back, counted } of settled) {
					expect(taken).toBeLessThanOrEqual(Math.max(1, grant.uses));
					expect(counted && !back).toBe(false);
				}
			}
			expectGiveBacksBounded(trial);
		},
	);
	fc.assert(trials, { numRuns: 300 });
}, 60_000);

function expectGiveBacksBounded({ ledger }: Trial): void {
	const counted = new Map<string, number>();
	for (const { redemptionId, counted: isCounted } of ledger.settlements) {
		const ticket = ledger.grants.find((grant) => grant.redemptionId === redemptionId)?.ticketId ?? '';
		if (isCounted) counted.set(ticket, (counted.get(ticket) ?? 0) + 1);
	}
	// A coach of thirty shares one allowance, so the limit is per ticket here.
	for (const count of counted.values()) expect(count).toBeLessThanOrEqual(giveBackMax);
}
