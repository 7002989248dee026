import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromTime, localTime, untilTime } from './times.ts';

let zone: string | undefined;

beforeEach(() => {
	zone = process.env.TZ;
	process.env.TZ = 'Asia/Shanghai';
});

afterEach(() => {
	if (zone === undefined) delete process.env.TZ;
	else process.env.TZ = zone;
});

describe('a time on the command line', () => {
	it.each([
		['2026-02-01T18:00:00Z', '2026-02-01T18:00:00Z'],
		['2026-02-01T18:00:00.123Z', '2026-02-01T18:00:00Z'],
		['2026-02-01t18:00z', '2026-02-01T18:00:00Z'],
		['2026-02-01 18:00:30+08:00', '2026-02-01T10:00:30Z'],
		['2026-02-01T18:00-0330', '2026-02-01T21:30:00Z'],
		['2026-02-01T18:00+08', '2026-02-01T10:00:00Z'],
		['2028-02-29T00:00Z', '2028-02-29T00:00:00Z'],
	])('reads %s in its own zone', (text, utc) => {
		expect(fromTime(text)).toEqual({ seconds: Date.parse(utc) / 1000, local: false });
	});

	it.each([
		['2026-02-01T18:00', '2026-02-01T10:00:00Z'],
		['2026-02-01 18:00:07', '2026-02-01T10:00:07Z'],
		['2026-02-01', '2026-01-31T16:00:00Z'],
	])('reads %s in this machine’s zone', (text, utc) => {
		expect(fromTime(text)).toEqual({ seconds: Date.parse(utc) / 1000, local: true });
	});

	it('ends with the named day when it is a plain date, and at the named moment otherwise', () => {
		expect(untilTime('2026-12-31').seconds).toBe(Date.parse('2027-01-01T00:00:00+08:00') / 1000);
		expect(untilTime('2026-12-31T20:00').seconds).toBe(Date.parse('2026-12-31T20:00:00+08:00') / 1000);
		expect(untilTime('2026-12-31T00:00Z').seconds).toBe(Date.parse('2026-12-31T00:00:00Z') / 1000);
	});

	it.each([
		'',
		'tomorrow',
		'1767225600',
		'2026-2-1',
		'2026-02-30',
		'2026-13-01',
		'2026-00-10',
		'2026-02-01T24:00',
		'2026-02-01T18:60',
		'2026-02-01T18:00:60Z',
		'2026-02-01T18',
		'2026-02-01Z',
		'2026-02-01T18:00+25:00',
		'2026-02-01T18:00+08:75',
		'26-02-01',
		'01/02/2026',
		'0026-02-01',
		'1960-01-01',
		'2026-02-01T18:00:00Z ',
	])('refuses %j', (text) => {
		expect(() => fromTime(text)).toThrow(InvalidArgumentError);
		expect(() => untilTime(text)).toThrow(InvalidArgumentError);
	});

	it('refuses a local time that the clocks skip, and starts a day without midnight at its first moment', () => {
		process.env.TZ = 'Europe/Berlin';
		expect(() => fromTime('2026-03-29T02:30')).toThrow(/skip/);
		expect(fromTime('2026-03-29T02:30+01:00').local).toBe(false);
		process.env.TZ = 'Africa/Cairo';
		expect(fromTime('2026-04-24').seconds).toBe(Date.parse('2026-04-23T22:00:00Z') / 1000);
	});

	it('reads every instant that JavaScript writes', () => {
		fc.assert(
			fc.property(fc.integer({ min: 60_000_000, max: 250_000_000_000 }), (seconds) => {
				expect(fromTime(new Date(seconds * 1000).toISOString()).seconds).toBe(seconds);
				const [day, time, offset] = localTime(seconds).split(' ');
				expect(fromTime(`${day}T${time}${offset}`).seconds).toBe(seconds);
			}),
		);
	});
});
