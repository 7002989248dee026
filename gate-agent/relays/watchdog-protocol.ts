import { type ErrorCode, errorHints } from '../core/errors.ts';

/** What the agent orders of the coil watchdog. `id` comes back in the report. */
export type WatchdogCommand = CoilCommand | { readonly id: number; readonly kind: 'read' };

/** A command that moves a coil. */
export type CoilCommand =
	| { readonly id: number; readonly kind: 'pulse'; readonly channel: number; readonly ms: number }
	| { readonly id: number; readonly kind: 'on' | 'hold' | 'off'; readonly channel: number };

/**
 * What the coil watchdog tells the agent. `unopened`: the port could not be opened, and it ends. `stays`: it was told to end,
 * and keeps a hold that would fall with it.
 */
export type WatchdogReport =
	| { readonly kind: 'ready' }
	| { readonly kind: 'stays' }
	| { readonly kind: 'unopened'; readonly code: ErrorCode; readonly text: string }
	/** `states`: the coils, channel 1 first, where they were asked for and the board tells them. */
	| { readonly kind: 'ok'; readonly id: number; readonly states?: readonly boolean[] }
	| { readonly kind: 'failed'; readonly id: number; readonly code: ErrorCode; readonly text: string };

/** Bytes of one line in either direction; a longer one is not ours. */
export const lineBytesMax = 512;
/** Channels of the largest board. */
const channelsMax = 16;
/** The longest pulse that a watchdog ends, ms. */
export const pulseMsMax = 60_000;

/** One line for a command, without its end. */
export function formatCommand(command: WatchdogCommand): string {
	if (command.kind === 'read') return `${command.id} read`;
	const { id, kind, channel } = command;
	return kind === 'pulse' ? `${id} pulse ${channel} ${command.ms}` : `${id} ${kind} ${channel}`;
}

/** Reads a command strictly: anything but the form that `formatCommand` writes is undefined. */
export function parseCommand(line: string): WatchdogCommand | undefined {
	const [, asking] = /^(\d{1,9}) read$/.exec(line) ?? [];
	if (asking !== undefined) return { id: Number(asking), kind: 'read' };
	const [, id, kind, channel, ms] = /^(\d{1,9}) (pulse|on|hold|off) (\d{1,2})(?: (\d{1,5}))?$/.exec(line) ?? [];
	const command = { id: Number(id), channel: Number(channel) };
	if (kind === undefined || command.channel < 1 || command.channel > channelsMax) return undefined;
	if (kind === 'pulse') {
		const length = Number(ms ?? 0);
		return length >= 1 && length <= pulseMsMax ? { ...command, kind, ms: length } : undefined;
	}
	// The expression admits only these three words.
	return ms === undefined ? { ...command, kind: kind as 'on' | 'hold' | 'off' } : undefined;
}

/** One line for a report, without its end. Text is cut and put on one line. */
export function formatReport(report: WatchdogReport): string {
	switch (report.kind) {
		case 'ready':
		case 'stays':
			return report.kind;
		case 'ok':
			return report.states ? `${report.id} ok ${report.states.map(Number).join('')}` : `${report.id} ok`;
		case 'unopened':
			return `unopened ${report.code} ${oneLine(report.text)}`;
		case 'failed':
			return `${report.id} failed ${report.code} ${oneLine(report.text)}`;
	}
}

/** Reads a report strictly: anything but the form that `formatReport` writes is undefined. */
export function parseReport(line: string): WatchdogReport | undefined {
	if (line === 'ready' || line === 'stays') return { kind: line };
	const [, done, coils] = /^(\d{1,9}) ok(?: ([01]{1,32}))?$/.exec(line) ?? [];
	if (done !== undefined) {
		const states = coils && { states: [...coils].map((coil) => coil === '1') };
		return { kind: 'ok', id: Number(done), ...states };
	}
	const [, id, code, text] = /^(?:unopened|(\d{1,9}) failed) ([a-z_]{1,40}) (.*)$/.exec(line) ?? [];
	if (code === undefined || text === undefined || !Object.hasOwn(errorHints, code)) return undefined;
	const failure = { code: code as ErrorCode, text };
	return id === undefined ? { kind: 'unopened', ...failure } : { kind: 'failed', id: Number(id), ...failure };
}

function oneLine(text: string): string {
	// Cut by characters so that the line stays below `lineBytesMax` even where each takes three bytes.
	return text.replace(/\s+/g, ' ').slice(0, 150);
}

/** Cuts a stream into lines; undefined once a line is longer than `lineBytesMax`, and ever after. */
export function createLineSplitter(): (chunk: string) => readonly string[] | undefined {
	let rest: string | undefined = '';
	return (chunk) => {
		if (rest === undefined) return undefined;
		const lines: string[] = (rest + chunk).split('\n');
		rest = lines.pop() ?? '';
		if ([...lines, rest].some((line) => line.length > lineBytesMax)) rest = undefined;
		return rest === undefined ? undefined : lines;
	};
}
