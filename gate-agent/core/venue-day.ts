/** A calendar day at the venue, `YYYY-MM-DD`, which begins at `dayStartsAtMinutes` after local midnight. */
export type VenueDay = string;

/** How a venue counts its days. */
export interface VenueCalendar {
	/** IANA time zone, e.g. `Asia/Shanghai`. */
	readonly timeZone: string;
	/** Minutes after local midnight, 0 … 1439. */
	readonly dayStartsAtMinutes: number;
}

/**
 * The venue day of an instant. Wall-clock time decides, so that a night market that closes at three keeps one day in
 * the two nights of the year when the clocks change. Throws `RangeError` for an unknown time zone.
 */
export function venueDay(atMs: number, calendar: VenueCalendar): VenueDay {
	const { date, minutes } = wallClock(atMs, calendar.timeZone);
	return dateText(minutes < calendar.dayStartsAtMinutes ? dayBefore(date) : date);
}

/** Reads `HH:MM`, which a schema has checked, as minutes since midnight. */
export function readTimeOfDay(text: string): number {
	const [hours = 0, minutes = 0] = text.split(':').map(Number);
	return hours * 60 + minutes;
}

/** Minutes since midnight as `HH:MM`. */
export function timeOfDay(minutes: number): string {
	return [Math.floor(minutes / 60), minutes % 60].map((each) => String(each).padStart(2, '0')).join(':');
}

/** Minutes since midnight at the venue, 0 … 1439. Throws `RangeError` for an unknown time zone. */
export function minutesOfDay(atMs: number, timeZone: string): number {
	return wallClock(atMs, timeZone).minutes;
}

interface CalendarDate {
	readonly year: number;
	readonly month: number;
	readonly day: number;
}

function wallClock(atMs: number, timeZone: string): { date: CalendarDate; minutes: number } {
	const format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
		timeZone,
		hourCycle: 'h23',
		year: 'numeric',
		month: '2-digit',
		day: '2-digit',
		hour: '2-digit',
		minute: '2-digit',
	});
	const parts: Record<string, number> = {};
	for (const part of format.formatToParts(atMs)) parts[part.type] = Number(part.value);
	const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
	return { date: { year, month, day }, minutes: hour * 60 + minute };
}

/** By calendar and not by 24 hours: a day of 23 hours would be skipped. */
function dayBefore({ year, month, day }: CalendarDate): CalendarDate {
	if (day > 1) return { year, month, day: day - 1 };
	if (month === 1) return { year: year - 1, month: 12, day: 31 };
	return { year, month: month - 1, day: daysIn(year, month - 1) };
}

function daysIn(year: number, month: number): number {
	if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
	return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function dateText({ year, month, day }: CalendarDate): VenueDay {
	return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
