import { wholeTicket } from './allowance.ts';
import type { Decision } from './decide.ts';
import { assert } from './errors.ts';
import type { LearnedRight, RedeemRequest } from './ledger.ts';
import { giveBackMax } from './policy.ts';
import type { Allowance, Fact, Grant, Settlement } from './redemption.ts';
import { type TicketId, ticketIdxMax } from './ticket.ts';

/** What a ledger keeps per (event, number, allowance). */
export interface Counts {
	readonly used: number;
	readonly held: number;
	readonly givenBack: number;
	readonly last?: { readonly lane: string; readonly atMs: number };
}

/** A ticket nobody has used. */
export const noCounts: Counts = { used: 0, held: 0, givenBack: 0 };

/** An exit whose re-entry is not taken yet, named by its journal row. */
export interface Exit {
	readonly seq: number;
	readonly atMs: number;
}

/** A grant as a ledger keeps it, also after it is settled. */
export interface GrantRecord {
	/** Its journal row. */
	readonly seq: number;
	/** The newest row of its redemption. */
	readonly lastSeq: number;
	readonly grant: Grant;
	/** The exit that a re-entry consumed. */
	readonly exit?: Exit;
	readonly open: boolean;
	/** Uses (of a re-entry: 1) that went back to the ticket and that a late passage may take again. */
	readonly returned: number;
}

/** The grant that a decision makes. */
export function grantOf(request: RedeemRequest, decision: Decision & { kind: 'grant' }, atMs: number): Grant {
	const { redemptionId, ticketId, evt, idx, cls, lane } = request;
	const { allowance, uses, reentry, rung } = decision;
	assert(allowance === request.allowance, 'a decision must be made on the allowance whose history it saw');
	return { redemptionId, ticketId, evt, idx, allowance, cls, uses, reentry, rung, lane, atMs };
}

/** The row of a grant. */
export function grantedFact(
	grant: Grant,
	{ zone, use, by, reason }: Pick<RedeemRequest, 'zone' | 'use' | 'by' | 'reason'>,
): Fact {
	const { redemptionId, ticketId, allowance, cls, uses, reentry, rung, lane } = grant;
	return {
		kind: 'granted',
		redemption: redemptionId,
		ticket: ticketId,
		allowance,
		cls,
		uses,
		...(use === 1 ? {} : { use }),
		...(reentry ? { reentry } : {}),
		rung,
		lane,
		zone,
		...(by !== undefined && { by }),
		...(reason !== undefined && { reason }),
	};
}

/** The counts once a grant holds its uses. */
export function holdUses(counts: Counts, grant: Grant): Counts {
	return { ...counts, held: counts.held + grant.uses, last: { lane: grant.lane, atMs: grant.atMs } };
}

/** What a settlement changes. */
export interface Settled {
	readonly record: GrantRecord;
	readonly counts: Counts;
	readonly fact: Fact;
	/** What becomes of the exit that a re-entry had consumed. */
	readonly exit?: { readonly kind: 'restore' | 'consume'; readonly exit: Exit };
}

/**
 * Ends a grant, or takes a returned use again for a late passage. Undefined where there is nothing to do.
 * A return that counts is made at most `giveBackMax` times per allowance, whoever asks; after that the uses are gone.
 */
export function settleGrant(record: GrantRecord, counts: Counts, settlement: Settlement): Settled | undefined {
	if (record.open) return endGrant(record, counts, settlement);
	return settlement.late === true ? takeLate(record, counts, settlement) : undefined;
}

function endGrant(record: GrantRecord, counts: Counts, settlement: Settlement): Settled {
	const { grant } = record;
	const of = passagesOf(grant);
	const taken = clamp(settlement.taken, of);
	const allowed = settlement.back && !(settlement.counted && counts.givenBack >= giveBackMax);
	const returned = allowed ? of - taken : 0;
	const gone = grant.reentry ? 0 : of - returned;
	return {
		record: { ...record, open: false, returned },
		counts: {
			...counts,
			used: counts.used + gone,
			held: counts.held - grant.uses,
			givenBack: counts.givenBack + (returned > 0 && settlement.counted ? 1 : 0),
		},
		fact: settledFact(grant, { ...endOf(settlement), taken, back: returned }),
		...(returned > 0 && record.exit !== undefined ? { exit: { kind: 'restore', exit: record.exit } } : {}),
	};
}

function takeLate(record: GrantRecord, counts: Counts, settlement: Settlement): Settled | undefined {
	const { grant } = record;
	const taken = clamp(settlement.taken, record.returned);
	if (taken === 0) return undefined;
	return {
		record: { ...record, returned: record.returned - taken },
		counts: { ...counts, used: counts.used + (grant.reentry ? 0 : taken) },
		fact: { ...settledFact(grant, { ...endOf(settlement), taken, back: 0 }), late: true },
		...(record.exit === undefined ? {} : { exit: { kind: 'consume', exit: record.exit } }),
	};
}

function endOf({ outcome, by }: Settlement): Pick<Settlement, 'outcome' | 'by'> {
	return { outcome, ...(by !== undefined && { by }) };
}

function settledFact(
	grant: Grant,
	end: Pick<Fact & { kind: 'settled' }, 'outcome' | 'taken' | 'back' | 'by'>,
): Fact & { kind: 'settled' } {
	const { redemptionId, ticketId, lane } = grant;
	const { outcome, taken, back, by } = end;
	return {
		kind: 'settled',
		redemption: redemptionId,
		ticket: ticketId,
		outcome,
		taken,
		of: passagesOf(grant),
		back,
		lane,
		...(by !== undefined && { by }),
	};
}

/** A re-entry holds no use and is one passage; an exit is none. */
function passagesOf(grant: Grant): number {
	return grant.reentry ? 1 : grant.uses;
}

function clamp(taken: number, of: number): number {
	assert(Number.isInteger(taken) && taken >= 0, `passages must be a whole number: ${taken}`);
	return Math.min(taken, of);
}

/** How far back an entry may lie for its exit to permit a re-entry: the longest venue day, when the clocks go back. */
export const longestDayMs = 25 * 3_600_000;

/** What is known of the visitors of one allowance when one of them leaves. */
export interface Inside {
	readonly allowance: Allowance;
	readonly listedRedeemed: boolean;
	/** Uses that grants of the last `longestDayMs` took or hold. */
	readonly entered: number;
	/** Uses that the authority knows of, where the newest is of the last `longestDayMs`. */
	readonly elsewhere: number;
	/** Exits of the last `longestDayMs` whose re-entry is not taken. */
	readonly exited: number;
}

/**
 * Whether an exit permits a re-entry: only as many as are known to be inside, so that a fresh ticket held before the
 * exit's scanner gains nothing. A ticket that a list calls redeemed entered at another gate, once.
 */
export function exitPermits({ allowance, listedRedeemed, entered, elsewhere, exited }: Inside): boolean {
	const listed = listedRedeemed && allowance === wholeTicket ? 1 : 0;
	return Math.max(entered, elsewhere, listed) > exited;
}

/** Uses that grants of one allowance took or hold since `sinceMs`; a re-entry takes none. */
export function enteredSince(records: readonly GrantRecord[], allowance: Allowance, sinceMs: number): number {
	return records
		.filter(({ grant }) => grant.allowance === allowance && !grant.reentry && grant.atMs >= sinceMs)
		.reduce((sum, { grant, returned }) => sum + grant.uses - returned, 0);
}

/** Uses that the authority counts, where the newest is not older than `sinceMs`. */
export function enteredElsewhere(learned: LearnedCounts | undefined, sinceMs: number): number {
	return (learned?.last?.atMs ?? 0) >= sinceMs ? (learned?.used ?? 0) : 0;
}

/** What the authority counts on an allowance, and how much of the own journal that includes. */
export interface LearnedCounts {
	readonly used: number;
	readonly held: number;
	readonly ownSeq: number;
	readonly last?: { readonly lane: string; readonly atMs: number };
}

/** What is learned of an allowance after a change: an older own row never takes the place of a newer one. */
export function learnRight(
	before: LearnedCounts | undefined,
	{ used, held, last, ownSeq = 0 }: LearnedRight,
): LearnedCounts {
	const newest = last ?? before?.last;
	return { used, held, ownSeq: Math.max(before?.ownSeq ?? 0, ownSeq), ...(newest !== undefined && { last: newest }) };
}

/**
 * The counts that a decision sees: the authority's, and on top what own rows did that these do not include. `records` are
 * the own grants of the allowance; a grant whose row the authority has, and whose end it does not have, counts there
 * as held. Never less than the own counts: the authority may have heard of fewer uses than were granted here.
 */
export function joinCounts(
	own: Counts,
	learned: LearnedCounts | undefined,
	mine: { readonly records: readonly GrantRecord[]; readonly ownThrough: number },
): Counts {
	if (learned === undefined) return own;
	const seen = Math.max(learned.ownSeq, mine.ownThrough);
	let { used, held } = learned;
	for (const { grant, seq, lastSeq, open, returned } of mine.records) {
		if (lastSeq <= seen || grant.reentry) continue;
		if (seq <= seen) held -= grant.uses;
		if (open) held += grant.uses;
		else used += grant.uses - returned;
	}
	const last = newestOf(own.last, learned.last);
	return {
		used: Math.max(own.used, used),
		held: Math.max(own.held, held),
		givenBack: own.givenBack,
		...(last !== undefined && { last }),
	};
}

function newestOf(a: Counts['last'], b: Counts['last']): Counts['last'] {
	if (a === undefined || b === undefined) return a ?? b;
	return a.atMs >= b.atMs ? a : b;
}

/** The event and number that a ticket id is made of. */
export function splitTicketId(id: TicketId): { evt: string; idx: number } {
	const slash = id.lastIndexOf('/');
	const idx = Number(id.slice(slash + 1));
	assert(slash > 0 && Number.isInteger(idx) && idx >= 0 && idx <= ticketIdxMax, 'a ticket id is evt/idx');
	return { evt: id.slice(0, slash), idx };
}

/** A clock hour, milliseconds. */
export const hourMs = 3_600_000;

/** The clock hour in which unverified admissions of a lane are counted. */
export function hourOf(atMs: number): number {
	return Math.floor(atMs / hourMs);
}

/** Facts that have a method of their own may not come through `record`. */
export function assertRecordable(fact: Fact): void {
	const own = ['granted', 'settled', 'released', 'denied', 'denied_many'].includes(fact.kind);
	assert(!own, `a ${fact.kind} row is not written by record`);
}

/** The most rows that one call reads. */
export const rowsLimitMax = 10_000;

/** Denied answers that a running ledger remembers, so that asking again with the same id gives the first answer. */
export const deniedAnswersMax = 1024;

/** Keeps a denied answer and forgets the oldest above the limit. */
export function keepAnswer<Key, Answer>(answers: Map<Key, Answer>, key: Key, answer: Answer): void {
	answers.set(key, answer);
	const oldest = answers.keys().next();
	if (answers.size > deniedAnswersMax && !oldest.done) answers.delete(oldest.value);
}
