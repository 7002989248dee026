import type { Checked, LaneConfig, LaneEffect, LaneInput, RedeemResult } from './lane-state.ts';
import { type ClassPolicy, classPolicyDefaults } from './policy.ts';
import type { Allowance, Direction, Grant, RedemptionId, Settlement } from './redemption.ts';
import type { Refusal } from './refusal.ts';
import { type Ticket, ticketId } from './ticket.ts';

/** An ordinary entry lane with a passage sensor. */
export const sensorLane: LaneConfig = {
	id: 'lane-1',
	zone: 'main',
	mode: 'entry',
	passageSensor: true,
	fireInput: false,
	passageTimeoutMs: 6_000,
	latePassageMs: 4_000,
	holdOffMs: 2_000,
	verdictMs: 3_000,
	confirmTimeoutMs: 20_000,
	groupIdleMs: 8_000,
	openTooLongMs: 15_000,
	deadSensorAfter: 5,
	staffButton: 'confirm_only',
	staffButtonClass: 'staff',
};

const classes: Readonly<Record<string, Partial<ClassPolicy>>> = {
	child: { lane: 'cue', cue: 'check_height' },
	senior: { lane: 'confirm', cue: 'check_id' },
	wheelchair: { passageTimeoutMs: 20_000 },
	strict: { giveBack: false },
	group: { group: 'run' },
};

const uses: Readonly<Record<string, number>> = { group: 3, coach: 30 };

/** Codes that the fake agent refuses at the check. */
const refusals: Readonly<Record<string, Refusal>> = {
	forged: { reason: 'bad_signature' },
	elsewhere: { reason: 'in_progress', lane: 'lane-2' },
};

/** How the fake agent answers; `silent` never does. */
export type Answers = Readonly<
	Partial<Record<'check' | 'redeem' | 'pulse' | 'record_entry', 'ok' | 'fail' | 'silent'>>
>;

/** A ticket whose code is `class:number`. */
export function ticketOf(code: string): Ticket {
	const [cls = '', number = '0'] = code.split(':');
	const idx = Number(number);
	return { id: ticketId('lantern', idx), evt: 'lantern', idx, cls, nbf: 0, exp: 1, use: uses[cls] ?? 1 };
}

/** A grant of one use. */
export function grantOf(redemption: string, ticket = ticketOf('adult:1')): Grant {
	return {
		// Any text names a redemption here, and any an allowance.
		redemptionId: redemption as RedemptionId,
		allowance: 'ticket' as Allowance,
		ticketId: ticket.id,
		evt: ticket.evt,
		idx: ticket.idx,
		cls: ticket.cls,
		uses: 1,
		reentry: false,
		rung: 'local',
		lane: 'lane-1',
		atMs: 0,
	};
}

/**
 * A ledger small enough to read: one allowance per ticket. It keeps the law of the real one as far as a lane can
 * see it, and keeps every settlement for a test to count.
 */
export class StoryLedger {
	readonly grants: Grant[] = [];
	readonly settlements: Settlement[] = [];
	private readonly used = new Map<string, number>();
	private readonly givenBack = new Map<string, number>();

	left(ticket: Ticket): number {
		return ticket.use - (this.used.get(ticket.id) ?? 0);
	}

	redeem(ticket: Ticket): RedeemResult {
		const left = this.left(ticket);
		if (left <= 0) return { kind: 'refused', refusal: { reason: 'already_redeemed' } };
		const count = classes[ticket.cls]?.group === 'run' ? left : 1;
		const held = ticket.cls === 'returning' ? { uses: 0, reentry: true } : { uses: count };
		const grant: Grant = { ...grantOf(`r${this.grants.length}`, ticket), ...held };
		this.grants.push(grant);
		this.use(ticket.id, grant.uses);
		// The class `crowd` is at its limit of unverified admissions for another minute.
		const limit = ticket.cls === 'crowd' ? { unverifiedLimitMs: 60_000 } : {};
		return { kind: 'granted', grant, left: left - count, givenBack: this.givenBack.get(ticket.id) ?? 0, ...limit };
	}

	settle(settlement: Settlement): void {
		this.settlements.push(settlement);
		const grant = this.grants.find(({ redemptionId }) => redemptionId === settlement.redemptionId);
		if (!grant) return;
		if (settlement.late) this.use(grant.ticketId, settlement.taken);
		else if (settlement.back) this.use(grant.ticketId, settlement.taken - grant.uses);
		if (settlement.counted) this.givenBack.set(grant.ticketId, (this.givenBack.get(grant.ticketId) ?? 0) + 1);
	}

	private use(ticket: string, count: number): void {
		this.used.set(ticket, (this.used.get(ticket) ?? 0) + count);
	}
}

/** Answers what a lane asks, as an agent would. */
export function answer(effect: LaneEffect, ledger: StoryLedger, answers: Answers): LaneInput | undefined {
	const atMs = 0;
	const how = effect.kind in answers ? answers[effect.kind as keyof Answers] : 'ok';
	if (effect.kind === 'settle') ledger.settle(effect.settlement);
	if (how === 'silent') return undefined;
	const ok = how === 'ok';
	switch (effect.kind) {
		case 'check':
			return {
				atMs,
				kind: 'checked',
				scanId: effect.scanId,
				result: check(effect.scan.text, effect.direction, ledger),
			};
		case 'redeem':
			return { atMs, kind: 'redeemed', scanId: effect.scanId, result: ok ? redeem(effect, ledger) : ledgerError };
		case 'pulse':
			return { atMs, kind: 'pulsed', pulseId: effect.pulseId, ok };
		case 'record_entry':
			return { atMs, kind: 'recorded', entryId: effect.entryId, ok };
		default:
			return undefined;
	}
}

const ledgerError: RedeemResult = { kind: 'refused', refusal: { reason: 'ledger_error' } };

function redeem(effect: LaneEffect & { kind: 'redeem' }, ledger: StoryLedger): RedeemResult {
	return effect.direction === 'exit' ? { kind: 'exited', ticketId: effect.ticket.id } : ledger.redeem(effect.ticket);
}

function check(text: string, direction: Direction, ledger: StoryLedger): Checked {
	const refusal = refusals[text.split(':')[0] ?? ''];
	if (refusal) return { kind: 'refused', refusal };
	const ticket = ticketOf(text);
	if (direction === 'entry' && ledger.left(ticket) <= 0) {
		return { kind: 'refused', refusal: { reason: 'already_redeemed' }, ticketId: ticket.id };
	}
	const allowance = 'ticket' as Allowance;
	const decision = { kind: 'grant', direction, allowance, uses: 1, reentry: false, rung: 'local', left: 0 } as const;
	const classPolicy = { ...classPolicyDefaults, ...classes[ticket.cls] };
	return { kind: 'admissible', admissible: { ticket, decision, classPolicy } };
}
