import type { Policy } from '../../gate-agent/core/policy.ts';
import { timeOfDay } from '../../gate-agent/core/venue-day.ts';
import type { Presence } from '../../sync/server/store.ts';
import { withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { facts, jsonLine, type Terminal, table } from './output.ts';
import { localTime } from './times.ts';

/** The options of `event show`. */
export interface EventShowOptions extends SessionOptions {
	readonly id: string;
}

/** The options of `event postpone`. */
export interface PostponeOptions extends EventShowOptions {
	readonly session: string;
	readonly minutes: number;
}

interface ShownEvent {
	readonly evt: string;
	readonly policy: Policy;
}

/** Lists events. */
export async function listEvents({ profile, json }: SessionOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const answer = await office.call({ method: 'GET', path: '/events' });
		// The server's answer has this form.
		const events = answer.events as readonly ShownEvent[];
		const rows = events.map(({ evt, policy: { classes, sessions, capacity } }) => {
			return [evt, Object.keys(classes).join(', '), Object.keys(sessions).join(', '), capacity?.toString() ?? ''];
		});
		const text = table([['EVENT', 'CLASSES', 'SESSIONS', 'CAPACITY'], ...rows]);
		await terminal.out.write(json ? events.map(jsonLine).join('') : text);
	});
}

/** Shows an event, its rules and who is inside. */
export async function showEvent({ id, profile, json }: EventShowOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const event = await office.call({ method: 'GET', path: `/events/${encodeURIComponent(id)}` });
		// The server's answer has this form.
		const shown = event as unknown as ShownEvent & { readonly presence: Presence };
		await terminal.out.write(json ? jsonLine(event) : textOf(shown, terminal));
	});
}

/** Moves the window of a session. */
export async function postponeSession(options: PostponeOptions, terminal: Terminal): Promise<void> {
	const { id, session, minutes, profile, json } = options;
	await withOffice(profile, terminal, async (office) => {
		const path = `/events/${encodeURIComponent(id)}/sessions/${encodeURIComponent(session)}/postpone`;
		const event = await office.call({ method: 'POST', path, body: { minutes } });
		// The server's answer has this form.
		const { policy } = event as unknown as ShownEvent;
		const moved = policy.sessions[session];
		const window = moved === undefined ? '' : `: ${windowOf(moved)}`;
		await terminal.out.write(json ? jsonLine(event) : `${session} of ${id} is moved by ${minutes} minutes${window}\n`);
	});
}

function textOf({ evt, policy, presence }: ShownEvent & { readonly presence: Presence }, { out }: Terminal): string {
	const { entered, left, inside, held, capacity } = presence;
	const about = facts(out, [
		['event', evt],
		['time zone', `${policy.timeZone}, a day begins ${timeOfDay(policy.dayStartsAtMinutes)}`],
		['inside', `${inside}${capacity === undefined ? '' : ` of ${capacity}`} (${entered} entered, ${left} left today)`],
		['at lanes now', String(held)],
		['other classes', policy.unknownClass],
	]);
	const classes = Object.entries(policy.classes).map(([name, { allowance, reentry, lane, offline }]) => {
		return [name, allowance, reentry, lane, offline];
	});
	const sessions = Object.entries(policy.sessions).map(([name, session]) => {
		return [name, windowOf(session), `${session.graceMs / 60_000} min`, `${session.postponedMs / 60_000} min`];
	});
	return [
		about,
		...(classes.length > 0 ? [`\n${table([['CLASS', 'ALLOWANCE', 'RE-ENTRY', 'LANE', 'OFFLINE'], ...classes])}`] : []),
		...(sessions.length > 0 ? [`\n${table([['SESSION', 'WINDOW', 'GRACE', 'POSTPONED'], ...sessions])}`] : []),
	].join('');
}

/** The window as it holds now. */
function windowOf({ fromMs, untilMs, postponedMs }: Policy['sessions'][string]): string {
	return [fromMs, untilMs].map((ms) => localTime(Math.floor((ms + postponedMs) / 1000))).join(' – ');
}
