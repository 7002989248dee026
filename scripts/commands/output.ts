import { once } from 'node:events';
import type { ExitCode } from './exit.ts';

/** Where a command prints. `write` resolves once the reader has room for more, so that memory stays bounded. */
export interface Output {
	/** Whether a person looks at it, rather than a file or a program. */
	readonly isTerminal: boolean;
	/** A terminal whose user did not ask for `NO_COLOR` (no-color.org). */
	readonly color: boolean;
	/** Columns of the terminal; undefined where they are unknown. */
	readonly columns: number | undefined;
	write(text: string): Promise<void>;
}

/** What a command has of the outside world. */
export interface Terminal {
	readonly out: Output;
	/** Notes and progress; never mixed with what was asked for. */
	readonly err: Output;
	readonly in: NodeJS.ReadStream;
	/** Milliseconds since 1970. */
	readonly nowMs: () => number;
	/** Sets how the process ends once the command is done. */
	readonly finish: (code: ExitCode) => void;
	/** From now on a reader that goes away does not end the process: a lane goes on though nobody reads its log. */
	readonly outliveReader: () => void;
}

/** Wraps a stream of the process. */
export function openOutput(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Output {
	const isTerminal = stream.isTTY === true;
	return {
		isTerminal,
		color: isTerminal && !env.NO_COLOR && env.TERM !== 'dumb',
		get columns() {
			// A terminal that was never told its size says 0.
			return isTerminal ? stream.columns || undefined : undefined;
		},
		async write(text) {
			if (!stream.write(text)) await once(stream, 'drain');
		},
	};
}

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Styles a text where the output shows color, and leaves it as it is elsewhere. */
export function paint(output: Output, style: keyof typeof styles, text: string): string {
	return output.color ? `\x1b[${styles[style]}m${text}\x1b[0m` : text;
}

/** One JSON object as one line. */
export function jsonLine(value: unknown): string {
	return `${JSON.stringify(value)}\n`;
}

/** Columns of text: a header and its rows, padded to the widest cell, without spaces at the line's end. */
export function table(rows: readonly (readonly string[])[]): string {
	const widths: number[] = [];
	for (const row of rows) {
		row.forEach((cell, column) => {
			widths[column] = Math.max(widths[column] ?? 0, cell.length);
		});
	}
	const line = (row: readonly string[]): string =>
		row
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join('  ')
			.trimEnd();
	return rows.map((row) => `${line(row)}\n`).join('');
}

/** A list of named facts, one to a line; what is absent is left out. */
export function facts(output: Output, entries: readonly (readonly [string, string | undefined])[]): string {
	const shown = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
	const width = Math.max(...shown.map(([name]) => name.length));
	return shown.map(([name, value]) => `${paint(output, 'dim', name.padEnd(width))}  ${value}\n`).join('');
}
