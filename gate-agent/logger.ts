import { type Logger, pino } from 'pino';
import { withPriority } from './service/journal.ts';

/** @see createLogger */
export type { Logger };

/** What is logged, and for whom. */
export interface LogOptions {
	readonly level: 'debug' | 'info' | 'warn' | 'error';
	/** A person's terminal; without one the log is JSON lines on standard output. */
	readonly terminal?: NodeJS.WritableStream;
	/** The journal reads the log: each line begins with its priority (sd-daemon(3)). */
	readonly isJournal?: boolean;
	/** Told of every line as JSON, before it is written. */
	readonly onLine?: (line: string) => void;
}

/** Lines that wait for a reader that has stopped reading; above it they are dropped, because a lane waits for nobody. */
const backlogBytesMax = 1024 * 1024;

/**
 * The log of a program. Every line has `event`, and fixed fields beside it (`lane`, `ticketId`, `reason`). Codes, keys
 * and names never reach it.
 */
export function createLogger({ level, terminal, isJournal = false, onLine }: LogOptions): Logger {
	const streamWrite = (line: string) => {
		onLine?.(line.trimEnd());
		return line;
	};
	const options = { level, base: { pid: process.pid }, ...(onLine && { hooks: { streamWrite } }) };
	if (terminal) return pino(options, { write: (line: string) => terminal.write(readable(line)) });
	const output = pino.destination({ fd: 1, sync: false, maxLength: backlogBytesMax });
	// A reader that went away is no reason to stop the lane.
	output.on('error', () => undefined);
	if (isJournal) return pino(options, { write: (line: string) => void output.write(withPriority(line)) });
	return pino(options, output);
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
