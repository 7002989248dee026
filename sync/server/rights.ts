import { assert } from '../../gate-agent/core/errors.ts';
import type { ClaimAnswer } from '../protocol/claims.ts';

/** What the authority counts on one allowance of one ticket. */
export interface Right {
	/** Admissions that the allowance carries. */
	readonly use: number;
	/** Uses that are gone: settled and not given back. */
	readonly used: number;
	/** Uses that open claims and grants hold. */
	readonly held: number;
	/** Passages seen or assumed. Never falls, so that what it proves stays proven. */
	readonly taken: number;
	/** The newest use that was granted, held or taken. */
	readonly last?: { readonly lane: string; readonly atMs: number };
}

/** A right that nobody has touched. */
export function freshRight(use: number): Right {
	return { use, used: 0, held: 0, taken: 0 };
}

/** What became of a redemption so far. A `claimed` one was granted and its device's row is not here yet. */
export interface Redemption {
	readonly state: 'claimed' | 'granted' | 'settled' | 'released' | 'denied';
	readonly uses: number;
	readonly reentry: boolean;
	readonly taken: number;
	/** Uses that went back and that a late passage may take again. */
	readonly returned: number;
}

/** A claim on its way to its right. */
export interface Ask {
	readonly uses: number;
	readonly lane: string;
	readonly atMs: number;
	readonly revoked: boolean;
}

/** The answer to a claim, without its redemption id. */
export type Verdict =
	| { readonly result: 'granted' }
	| Omit<Extract<ClaimAnswer, { readonly result: 'denied' }>, 'redemption'>;

/**
 * Decides a claim on its right: the first wins. A claim of no uses is a re-entry, which the exit permitted: it is
 * granted and only recorded. A batch is folded by deciding each claim on the right that the one before left.
 */
export function decideAsk(right: Right, ask: Ask): { readonly right: Right; readonly verdict: Verdict } {
	const { uses, lane, atMs } = ask;
	if (ask.revoked) return { right, verdict: { result: 'denied', reason: 'revoked' } };
	if (right.used + right.held + uses > right.use && uses > 0) return { right, verdict: refusal(right, uses) };
	const last = uses > 0 ? { last: { lane, atMs } } : {};
	return { right: { ...right, held: right.held + uses, ...last }, verdict: { result: 'granted' } };
}

function refusal(right: Right, uses: number): Verdict {
	const { use, used, held, last = {} } = right;
	const free = use - used - held;
	const left = free > 0 ? { left: free } : {};
	if (used + uses <= use) return { result: 'denied', reason: 'in_progress', ...last, ...left };
	return { result: 'denied', reason: use === 1 ? 'already_redeemed' : 'no_uses_left', ...last, ...left };
}

/** What a journal row says of a redemption. Times and lanes are the device's. */
export type Outcome =
	| {
			readonly kind: 'granted';
			readonly uses: number;
			readonly reentry: boolean;
			readonly lane: string;
			readonly atMs: number;
	  }
	| {
			readonly kind: 'settled';
			readonly taken: number;
			readonly back: number;
			readonly late: boolean;
			readonly lane: string;
			readonly atMs: number;
	  }
	/** The device does not use the claim, or never will: its uses go back. */
	| { readonly kind: 'released' };

/** What an outcome changes. */
export interface Applied {
	readonly right: Right;
	readonly redemption: Redemption;
	/** Passages that this outcome adds; a re-entry adds none. */
	readonly passages: number;
}

/**
 * Applies an outcome to its redemption and right; undefined where it changes nothing. What a device did is a fact: a
 * granted row holds its uses whatever the limit is, also after the claim was denied or released.
 */
export function applyOutcome(right: Right, redemption: Redemption | undefined, outcome: Outcome): Applied | undefined {
	switch (outcome.kind) {
		case 'granted':
			return applyGrant(right, redemption, outcome);
		case 'settled':
			return outcome.late ? applyLate(right, redemption, outcome) : applyEnd(right, redemption, outcome);
		case 'released':
			return applyRelease(right, redemption);
	}
}

function applyGrant(
	right: Right,
	before: Redemption | undefined,
	{ uses, reentry, lane, atMs }: Outcome & { kind: 'granted' },
): Applied | undefined {
	if (before?.state === 'granted' || before?.state === 'settled') return undefined;
	const claimed = before?.state === 'claimed' ? before.uses : 0;
	const holds = reentry ? 0 : uses;
	const last = holds > 0 ? { last: { lane, atMs } } : {};
	return {
		right: withHeld({ ...right, ...last }, holds - claimed),
		redemption: { state: 'granted', uses: holds, reentry, taken: 0, returned: 0 },
		passages: 0,
	};
}

function applyEnd(
	right: Right,
	before: Redemption | undefined,
	{ taken, back, lane, atMs }: Outcome & { kind: 'settled' },
): Applied | undefined {
	if (before?.state !== 'granted') return undefined;
	const of = before.reentry ? 1 : before.uses;
	const came = Math.min(taken, of);
	const returned = Math.min(back, of - came);
	const gone = before.reentry ? 0 : of - returned;
	const passages = before.reentry ? 0 : came;
	const last = gone > 0 ? { last: { lane, atMs } } : {};
	const counted = { ...right, used: right.used + gone, taken: right.taken + passages, ...last };
	return {
		right: withHeld(counted, -before.uses),
		redemption: { ...before, state: 'settled', taken: came, returned },
		passages,
	};
}

function applyLate(
	right: Right,
	before: Redemption | undefined,
	{ taken, lane, atMs }: Outcome & { kind: 'settled' },
): Applied | undefined {
	if (before?.state !== 'settled') return undefined;
	const came = Math.min(taken, before.returned);
	if (came === 0) return undefined;
	const passages = before.reentry ? 0 : came;
	const last = passages > 0 ? { last: { lane, atMs } } : {};
	return {
		right: { ...right, used: right.used + passages, taken: right.taken + passages, ...last },
		redemption: { ...before, taken: before.taken + came, returned: before.returned - came },
		passages,
	};
}

function applyRelease(right: Right, before: Redemption | undefined): Applied | undefined {
	if (before?.state !== 'claimed') return undefined;
	return { right: withHeld(right, -before.uses), redemption: { ...before, state: 'released' }, passages: 0 };
}

function withHeld(right: Right, change: number): Right {
	const held = right.held + change;
	assert(held >= 0, 'more uses went back than were held');
	return { ...right, held };
}

/**
 * Admissions beyond what the allowance carries. Judged on passages alone: a use that is held, or gone because the class
 * gives none back, let nobody in.
 */
export function overUse(right: Right): number {
	return Math.max(0, right.taken - right.use);
}
