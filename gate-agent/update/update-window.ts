import { minutesOfDay, readTimeOfDay, timeOfDay } from '../core/venue-day.ts';

/** The version that a gate is to run, and the minutes of the venue's day in which it may be installed. */
export interface WantedUpdate {
	readonly version: string;
	readonly fromMinutes: number;
	/** Not included; before `fromMinutes` where the hours go over midnight, the same where they have no end. */
	readonly toMinutes: number;
}

/** Reads hours that the configuration's schema has checked: `HH:MM-HH:MM`. */
export function wantedUpdate({ version, window }: { readonly version: string; readonly window: string }): WantedUpdate {
	const [fromMinutes = 0, toMinutes = 0] = window.split('-').map(readTimeOfDay);
	return { version, fromMinutes, toMinutes };
}

/** Whether an update may begin now. `timeZone` is the venue's, IANA. */
export function isInWindow({ fromMinutes, toMinutes }: WantedUpdate, nowMs: number, timeZone: string): boolean {
	const minutes = minutesOfDay(nowMs, timeZone);
	if (fromMinutes < toMinutes) return minutes >= fromMinutes && minutes < toMinutes;
	return minutes >= fromMinutes || minutes < toMinutes;
}

/** The beginning of the hours, `HH:MM`. */
export function windowBegin({ fromMinutes }: WantedUpdate): string {
	return timeOfDay(fromMinutes);
}
