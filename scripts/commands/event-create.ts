import { InvalidArgumentError } from 'commander';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import {
	type ClassPolicy,
	classPolicyDefaults,
	type Policy,
	type SessionPolicy,
} from '../../gate-agent/core/policy.ts';
import { withOffice } from './office-client.ts';
import { jsonLine, type Terminal } from './output.ts';
import { fromTime, untilTime } from './times.ts';

/** The options of `event create`. */
export interface EventOptions {
	readonly id: string;
	readonly class?: readonly string[];
	readonly session?: readonly string[];
	readonly timeZone?: string;
	readonly dayStarts: string;
	readonly unknownClass: string;
	readonly capacity?: number;
	readonly listAgeMax?: number;
	readonly staleList?: 'alarm' | 'refuse';
	readonly profile: string;
	readonly json?: true;
}

/** Makes an event, or replaces its rules. */
export async function createEvent(options: EventOptions, terminal: Terminal): Promise<void> {
	const policy = policyOf(options);
	await withOffice(options.profile, terminal, async (office) => {
		await office.call({ method: 'PUT', path: `/events/${encodeURIComponent(options.id)}`, body: { policy } });
	});
	const classes = Object.keys(policy.classes).join(', ') || 'none named';
	await terminal.out.write(options.json ? jsonLine(policy) : `${options.id} is on sale; classes: ${classes}\n`);
}

function policyOf(options: EventOptions): Policy {
	const { id, timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone, unknownClass, dayStarts } = options;
	const { capacity, listAgeMax, staleList } = options;
	if (unknownClass !== 'admit' && unknownClass !== 'staff') throw usage('--unknown-class is admit or staff');
	const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(dayStarts) ?? [];
	if (hours === undefined) throw usage('--day-starts reads HH:MM');
	return {
		evt: id,
		timeZone,
		dayStartsAtMinutes: Number(hours) * 60 + Number(minutes),
		classes: Object.fromEntries((options.class ?? []).map(classOf)),
		unknownClass,
		sessions: Object.fromEntries((options.session ?? []).map(sessionOf)),
		...(capacity !== undefined && { capacity }),
		...(listAgeMax !== undefined && { listAgeMaxMinutes: listAgeMax }),
		...(staleList !== undefined && { staleList }),
	};
}

/** `child,lane=cue,cue=check_height`; the server checks names and values. */
function classOf(text: string): [string, ClassPolicy] {
	const [name = '', ...rules] = text.split(',');
	const given = rules.map((rule) => {
		const [, key = '', value = ''] = /^([a-zA-Z]+)=([a-z_0-9]+)$/.exec(rule) ?? [];
		if (key === '') throw usage(`--class ${text}: a rule reads name=value`);
		return [key, ruleValue(value)];
	});
	return [name, { ...classPolicyDefaults, ...Object.fromEntries(given) }];
}

function ruleValue(text: string): string | number | boolean {
	if (text === 'true' || text === 'false') return text === 'true';
	return /^\d+$/.test(text) ? Number(text) : text;
}

function sessionOf(text: string): [string, SessionPolicy] {
	const [name = '', from = '', until = '', grace = '0'] = text.split(',');
	try {
		const fromMs = fromTime(from).seconds * 1000;
		const untilMs = untilTime(until).seconds * 1000;
		if (untilMs <= fromMs) throw usage(`--session ${text}: it ends before it begins`);
		return [name, { fromMs, untilMs, graceMs: Number(grace) * 60_000, postponedMs: 0 }];
	} catch (error) {
		if (error instanceof InvalidArgumentError) throw usage(`--session ${text}: ${error.message}`);
		throw error;
	}
}

function usage(message: string): StilewardError {
	return new StilewardError('usage', message);
}
