import fc from 'fast-check';
import { expect, test } from 'vitest';
import { venueDay } from './venue-day.ts';

const utc = (text: string) => Number(new Date(`${text}Z`));

test.each([
	['2026-11-22T03:59:59', 'UTC', '2026-11-21'],
	['2026-11-22T04:00:00', 'UTC', '2026-11-22'],
	['2026-11-21T19:59:59', 'Asia/Shanghai', '2026-11-21'],
	['2026-11-21T20:00:00', 'Asia/Shanghai', '2026-11-22'],
	['2026-03-01T03:00:00', 'UTC', '2026-02-28'],
	['2028-03-01T03:00:00', 'UTC', '2028-02-29'],
	['2100-03-01T03:00:00', 'UTC', '2100-02-28'],
	['2027-01-01T00:00:00', 'UTC', '2026-12-31'],
	['2026-05-01T00:00:00', 'UTC', '2026-04-30'],
])('at %s UTC it is in %s the venue day %s', (instant, timeZone, day) => {
	expect(venueDay(utc(instant), { timeZone, dayStartsAtMinutes: 240 })).toBe(day);
});

test('a day that begins at two keeps its name in the nights when the clocks change', () => {
	const berlin = { timeZone: 'Europe/Berlin', dayStartsAtMinutes: 120 };
	// 29 March 2026: 01:59 CET is followed by 03:00 CEST, and 28 March ends there.
	expect(venueDay(utc('2026-03-29T00:59:00'), berlin)).toBe('2026-03-28');
	expect(venueDay(utc('2026-03-29T01:00:00'), berlin)).toBe('2026-03-29');
	// 30 March, half past midnight: 24 hours earlier it was 28 March still, by name as by wall clock.
	expect(venueDay(utc('2026-03-29T22:30:00'), berlin)).toBe('2026-03-29');
	// 25 October 2026 has the hour from two to three twice; both belong to it.
	expect(venueDay(utc('2026-10-25T00:30:00'), berlin)).toBe('2026-10-25');
	expect(venueDay(utc('2026-10-25T01:30:00'), berlin)).toBe('2026-10-25');
});

test('a venue day lasts at most 25 hours and days follow each other', () => {
	const zones = fc.constantFrom('Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
	const instant = fc.integer({ min: utc('2020-01-01T00:00:00'), max: utc('2040-01-01T00:00:00') });
	fc.assert(
		fc.property(zones, fc.nat(1439), instant, (timeZone, dayStartsAtMinutes, atMs) => {
			const calendar = { timeZone, dayStartsAtMinutes };
			const day = venueDay(atMs, calendar);
			expect(venueDay(atMs + 25 * 3_600_000, calendar) > day).toBe(true);
			expect(venueDay(atMs - 25 * 3_600_000, calendar) < day).toBe(true);
		}),
	);
});

test('an unknown time zone is an error', () => {
	expect(() => venueDay(0, { timeZone: 'Mars/Olympus', dayStartsAtMinutes: 0 })).toThrow(RangeError);
});
