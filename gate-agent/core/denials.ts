import { type Denial, denialFlushMs, denialsPerMinuteMax } from './ledger.ts';
import type { Fact } from './redemption.ts';
import type { RefusalReason } from './refusal.ts';

/** Rows that may wait for a disk that takes none; above it denials are only counted. */
export const denialsWaitingMax = 240;

/** A denial's row that waits to be written. */
export interface WaitingDenial {
	readonly atMs: number;
	readonly fact: Fact & { readonly kind: 'denied' | 'denied_many' };
}

interface LaneMinute {
	readonly minute: number;
	readonly rows: number;
	/** Denials above the limit of this minute, by reason. */
	readonly counts: Readonly<Partial<Record<RefusalReason, number>>>;
}

/** Denials on their way to the journal, of all lanes of an agent. */
export interface Denials {
	/** In the order of arrival, by what makes two denials equal. */
	readonly waiting: ReadonlyMap<string, WaitingDenial>;
	readonly lanes: ReadonlyMap<string, LaneMinute>;
}

/** No denials. */
export const noDenials: Denials = { waiting: new Map(), lanes: new Map() };

/**
 * Takes a denial in: an equal one that waits is counted up; a new one gets a row while its lane has made fewer than
 * `denialsPerMinuteMax` in this clock minute; else only its reason is counted.
 */
export function addDenial(before: Denials, denial: Denial): Denials {
	const denials = endMinutes(before, denial.atMs);
	const key = keyOf(denial);
	const waiting = denials.waiting.get(key);
	if (waiting?.fact.kind === 'denied') {
		const fact = { ...waiting.fact, count: waiting.fact.count + 1 };
		return { ...denials, waiting: new Map(denials.waiting).set(key, { ...waiting, fact }) };
	}
	const lane = denials.lanes.get(denial.lane) ?? { minute: minuteOf(denial.atMs), rows: 0, counts: {} };
	if (lane.rows >= denialsPerMinuteMax || denials.waiting.size >= denialsWaitingMax) {
		const counts = { ...lane.counts, [denial.reason]: (lane.counts[denial.reason] ?? 0) + 1 };
		return { ...denials, lanes: new Map(denials.lanes).set(denial.lane, { ...lane, counts }) };
	}
	return {
		waiting: new Map(denials.waiting).set(key, { atMs: denial.atMs, fact: factOf(denial) }),
		lanes: new Map(denials.lanes).set(denial.lane, { ...lane, rows: lane.rows + 1 }),
	};
}

/** The rows to write now, and what is left once they are written. Counts of a minute that is not over stay. */
export function takeDenials(before: Denials, nowMs: number): { rows: readonly WaitingDenial[]; rest: Denials } {
	const denials = endMinutes(before, nowMs);
	return { rows: [...denials.waiting.values()], rest: { ...denials, waiting: new Map() } };
}

/**
 * Puts rows back that could not be written, in front of what came meanwhile; equal denials become one row. So many may
 * wait twice `denialsWaitingMax` at most: while more than that wait, new ones are only counted.
 */
export function putBackDenials(after: Denials, rows: readonly WaitingDenial[]): Denials {
	const waiting = new Map(rows.map((row) => [keyOfRow(row), row]));
	for (const [key, row] of after.waiting) waiting.set(key, joinDenials(waiting.get(key), row));
	return { ...after, waiting };
}

function joinDenials(before: WaitingDenial | undefined, row: WaitingDenial): WaitingDenial {
	if (before?.fact.kind === 'denied' && row.fact.kind === 'denied') {
		return { ...before, fact: { ...before.fact, count: before.fact.count + row.fact.count } };
	}
	if (before?.fact.kind !== 'denied_many' || row.fact.kind !== 'denied_many') return row;
	const counts: Partial<Record<RefusalReason, number>> = { ...before.fact.counts };
	// The keys of a record of refusals are refusals; the language's own signature forgets that.
	for (const [reason, count] of Object.entries(row.fact.counts) as [RefusalReason, number][]) {
		counts[reason] = (counts[reason] ?? 0) + count;
	}
	return { ...before, fact: { ...before.fact, counts } };
}

/** All rows, with the counts of minutes that are not over: for `close`. */
export function takeAllDenials(before: Denials, nowMs: number): readonly WaitingDenial[] {
	return [...endMinutes(before, nowMs, 'all').waiting.values()];
}

/** When something is to be written, in milliseconds from `nowMs`, or undefined where nothing waits. */
export function denialsDueInMs(denials: Denials, nowMs: number): number | undefined {
	if (denials.waiting.size > 0) return denialFlushMs;
	let dueInMs: number | undefined;
	for (const { minute, counts } of denials.lanes.values()) {
		if (Object.keys(counts).length === 0) continue;
		dueInMs = Math.min(dueInMs ?? 60_000, Math.max(0, (minute + 1) * 60_000 - nowMs));
	}
	return dueInMs;
}

/** Puts one `denied_many` row in line for each lane whose minute is over and which counted above its limit. */
function endMinutes(denials: Denials, nowMs: number, which: 'over' | 'all' = 'over'): Denials {
	const now = minuteOf(nowMs);
	const ended = [...denials.lanes].filter(([, { minute }]) => which === 'all' || minute < now);
	if (ended.length === 0) return denials;
	const waiting = new Map(denials.waiting);
	const lanes = new Map(denials.lanes);
	for (const [lane, { minute, counts }] of ended) {
		const counted = Object.keys(counts).length > 0;
		if (counted && which === 'over' && waiting.size >= denialsWaitingMax) {
			// The disk takes nothing: the counts go on into the next minute instead of making one more row.
			lanes.set(lane, { minute: now, rows: 0, counts });
			continue;
		}
		lanes.delete(lane);
		if (counted) {
			const atMs = Math.min(nowMs, minute * 60_000 + 59_999);
			const row: WaitingDenial = { atMs, fact: { kind: 'denied_many', lane, counts } };
			waiting.set(keyOfRow(row), row);
		}
	}
	return { waiting, lanes };
}

function keyOf({ lane, reason, ticketId, code }: Denial): string {
	return JSON.stringify([lane, reason, ticketId, code?.hmac, code?.length]);
}

function keyOfRow({ atMs, fact }: WaitingDenial): string {
	if (fact.kind === 'denied_many') return `${fact.lane} ${minuteOf(atMs)}`;
	const { lane, reason, ticket, code } = fact;
	return JSON.stringify([lane, reason, ticket, code?.hmac, code?.length]);
}

function factOf({ reason, lane, ticketId, code }: Denial): WaitingDenial['fact'] {
	return {
		kind: 'denied',
		reason,
		lane,
		...(ticketId === undefined ? {} : { ticket: ticketId }),
		...(code === undefined ? {} : { code }),
		count: 1,
	};
}

function minuteOf(atMs: number): number {
	return Math.floor(atMs / 60_000);
}
