import { InvalidArgumentError } from 'commander';

/** A point in time as it was written on the command line. */
export interface GivenTime {
	/** NumericDate: whole seconds since 1970 (RFC 7519). */
	readonly seconds: number;
	/** Whether it was written without a zone, and so was read in this machine's. */
	readonly local: boolean;
}

const written =
	/^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:[T ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,]\d{1,9})?)?(?<zone>Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** Year, month (1 to 12), day, hour, minute, second. */
type Fields = readonly [number, number, number, number, number, number];

/** Reads the beginning of a validity. A plain date is the first moment of that day. */
export function fromTime(text: string): GivenTime {
	return parseTime(text, 0);
}

/** Reads the end of a validity. A plain date includes that day, as people mean it: the ticket ends at midnight after. */
export function untilTime(text: string): GivenTime {
	return parseTime(text, 1);
}

/** Seconds since 1970 as local ISO 8601 text with its zone, to the minute where the seconds are zero. */
export function localTime(seconds: number): string {
	const at = new Date(seconds * 1000);
	const offset = -at.getTimezoneOffset();
	const shifted = new Date(at.getTime() + offset * 60_000).toISOString();
	const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
	return `${shifted.slice(0, 10)} ${shifted.slice(11, shifted.slice(17, 19) === '00' ? 16 : 19)} ${zone}`;
}

function parseTime(text: string, plainDateDays: 0 | 1): GivenTime {
	const groups = written.exec(text)?.groups;
	if (groups === undefined) {
		throw new InvalidArgumentError('Write it as 2026-02-01, 2026-02-01T18:00 or 2026-02-01T18:00:00+08:00.');
	}
	const number = (name: string): number => Number(groups[name] ?? 0);
	const fields: Fields = [
		number('year'),
		number('month'),
		number('day'),
		number('hour'),
		number('minute'),
		number('second'),
	];
	assertExists(fields);
	const zone = groups.zone;
	if (zone !== undefined) return { seconds: utcSeconds(fields) - offsetSeconds(zone), local: false };
	return { seconds: groups.hour === undefined ? localDay(fields, plainDateDays) : localMoment(fields), local: true };
}

function assertExists(fields: Fields): void {
	const [year, month, day, hour, minute, second] = fields;
	const at = new Date(utcSeconds(fields) * 1000);
	const inCalendar = at.getUTCMonth() === month - 1 && at.getUTCDate() === day;
	if (!inCalendar || hour > 23 || minute > 59 || second > 59) {
		throw new InvalidArgumentError('There is no such day or time.');
	}
	if (year < 1971) throw new InvalidArgumentError('It lies too far back.');
}

function utcSeconds([year, month, day, hour, minute, second]: Fields): number {
	return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

/** The first moment of a day; where the clocks skip midnight, that is one o'clock. */
function localDay([year, month, day]: Fields, addDays: number): number {
	return new Date(year, month - 1, day + addDays).getTime() / 1000;
}

function localMoment([year, month, day, hour, minute, second]: Fields): number {
	const at = new Date(year, month - 1, day, hour, minute, second);
	// JavaScript moves a time that the clocks skip; whoever wrote it must say what they mean.
	if (at.getHours() !== hour || at.getMinutes() !== minute) {
		throw new InvalidArgumentError('The clocks skip this local time; write it with a zone.');
	}
	return at.getTime() / 1000;
}

function offsetSeconds(zone: string): number {
	if (zone.toUpperCase() === 'Z') return 0;
	const hours = Number(zone.slice(1, 3));
	const minutes = zone.length > 3 ? Number(zone.slice(-2)) : 0;
	if (hours > 14 || minutes > 59) throw new InvalidArgumentError('There is no such time zone.');
	return (zone.startsWith('-') ? -60 : 60) * (hours * 60 + minutes);
}

function two(value: number): string {
	return String(Math.floor(value)).padStart(2, '0');
}
