import { fstatSync } from 'node:fs';

/**
 * Whether the journal reads a descriptor of this process: systemd names device and inode of the stream in
 * `JOURNAL_STREAM` (systemd.exec(5)), which children inherit although their output may go elsewhere.
 */
export function isJournalStream(named: string | undefined, fd: number): boolean {
	if (!named) return false;
	const { dev, ino } = fstatSync(fd);
	return named === `${dev}:${ino}`;
}

/** Each line of a text as an error, for `journalctl -p err`. */
export function asJournalErrors(text: string): string {
	return text.replace(/^(?=.)/gm, '<3>');
}

/** Priorities of syslog by the level of a line: critical, error, warning, informational, debug. */
const priorities: Readonly<Record<string, number>> = { 60: 2, 50: 3, 40: 4, 30: 6, 20: 7 };

/** A line of the log with its priority in front. */
export function withPriority(line: string): string {
	const level = /^\{"level":(\d+)/.exec(line)?.[1] ?? '';
	return `<${priorities[level] ?? 6}>${line}`;
}
