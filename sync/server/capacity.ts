import { venueDay } from '../../gate-agent/core/venue-day.ts';

/** People are counted by the quarter of an hour: fine enough for a day's beginning, and few rows for a year. */
export const quarterMs = 900_000;

/** A venue day has at most this many quarters, when the clocks go back. */
const dayQuartersMax = 100;

/** The quarter of an hour that a moment is in, counted from 1970. */
export function quarterOf(atMs: number): number {
	return Math.floor(atMs / quarterMs);
}

/** What an event's rules say of how many may be inside. */
export interface Room {
	readonly capacity: number;
	/** The first quarter of the venue day: who came before it is not counted. */
	readonly sinceQuarter: number;
}

/**
 * Reads the capacity of an event's rules; undefined where they name none. People are counted by the venue day, so that
 * those whom no exit counter saw do not fill the house for ever.
 */
export function roomOf(policy: unknown, atMs: number): Room | undefined {
	const { capacity } = rulesOf(policy);
	return typeof capacity === 'number' ? { capacity, sinceQuarter: dayBegin(policy, atMs) } : undefined;
}

/** The first quarter of the venue day that a moment is in. */
export function dayBegin(policy: unknown, atMs: number): number {
	const { timeZone = 'UTC', dayStartsAtMinutes = 0 } = rulesOf(policy);
	const calendar = { timeZone: String(timeZone), dayStartsAtMinutes: Number(dayStartsAtMinutes) };
	const dayOf = (quarter: number) => venueDay(quarter * quarterMs, calendar);
	const now = quarterOf(atMs);
	const day = dayOf(now);
	let first = now;
	while (now - first < dayQuartersMax && dayOf(first - 1) === day) first -= 1;
	return first;
}

/** A store keeps rules as plain data; the server has checked them, other programs may not have. */
function rulesOf(policy: unknown): Readonly<Record<string, unknown>> {
	return (policy ?? {}) as Readonly<Record<string, unknown>>;
}
