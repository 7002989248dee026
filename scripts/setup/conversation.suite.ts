import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { openPty } from '../../gate-agent/emulators/pty.ts';
import { cliCommand } from '../commands/cli.suite.ts';

/** A command that talks with a person at a terminal. */
export interface Conversation {
	/** All that the terminal has received. */
	readonly heard: () => string;
	/** Waits until the terminal shows this behind what was waited for before. */
	hear(text: string | RegExp): Promise<void>;
	/** Types a line. */
	type(line: string): Promise<void>;
	/** Presses Ctrl+C. */
	interrupt(): Promise<void>;
	ended(): Promise<number | null>;
}

const patienceMs = 60_000;

/** Starts the command line on a terminal of its own. */
export async function converse(args: readonly string[]): Promise<Conversation> {
	const pty = await openPty();
	let text = '';
	let from = 0;
	pty.onData((bytes) => {
		text += Buffer.from(bytes).toString('utf8');
	});
	const tty = await open(pty.path, 'r+');
	const { file, args: all, env } = cliCommand(args, { TERM: 'xterm', NO_COLOR: '1' });
	const child = spawn(file, all, { env, stdio: [tty.fd, tty.fd, tty.fd] });
	const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
	onTestFinished(async () => {
		if (child.exitCode === null) child.kill('SIGKILL');
		await ended;
		await tty.close();
		await pty.close();
	});
	return {
		heard: () => text,
		async hear(wanted) {
			const pattern =
				typeof wanted === 'string' ? new RegExp(wanted.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')) : wanted;
			const untilMs = performance.now() + patienceMs;
			for (;;) {
				const match = pattern.exec(text.slice(from));
				if (match) {
					from += match.index + match[0].length;
					return;
				}
				if (performance.now() > untilMs || child.exitCode !== null)
					throw new Error(`nothing like ${pattern} behind:\n${text}`);
				await new Promise((resolve) => setTimeout(resolve, 10));
			}
		},
		type: (line) => pty.write(`${line}\r`),
		interrupt: () => pty.write('\x03'),
		ended: () => ended,
	};
}
