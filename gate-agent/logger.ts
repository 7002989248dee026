import { type Logger, pino } from 'pino';

/** @see createLogger */
export type { Logger };

/** Where a log goes and how it looks. */
export interface LogOptions {
	readonly level: 'debug' | 'info' | 'warn' | 'error';
	readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * The log of a program: JSON lines, or one readable line each on a terminal. Every line has `event`, and fixed fields
 * beside it (`lane`, `ticketId`, `reason`, `durationMs`). Codes, keys and names never reach it.
 */
export function createLogger({ level, stream }: LogOptions): Logger {
	const options = { level, base: { pid: process.pid } };
	return stream.isTTY
		? pino(options, { write: (line: string) => stream.write(readable(line)) })
		: pino(options, pino.destination({ sync: true }));
}

const levels: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'ERROR', 60: 'FATAL' };

/** `08:01:02 info  granted lane=lane-1 ticketId=lantern-2026/7`. */
function readable(line: string): string {
	const { level, time, pid: _, msg, event, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
	const clock = new Date(Number(time)).toTimeString().slice(0, 8);
	const rest = Object.entries(fields).map(
		([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
	);
	const problem = err ? `\n  ${(err as { stack?: string }).stack ?? JSON.stringify(err)}` : '';
	return `${[clock, levels[Number(level)], event ?? msg, ...rest].join(' ')}${problem}\n`;
}
