import type { Command } from 'commander';

/** The options of every command that asks a server. */
export interface SessionOptions {
	readonly profile: string;
	readonly json?: true;
}

/** Adds them to a command. */
export function withSession(command: Command): Command {
	return command
		.option('--profile <name>', 'which kept session', 'default')
		.option('--json', 'print JSON, one object a line');
}
