import type { Command } from 'commander';
import { examples, integer } from './arguments.ts';
import type { ConfigPushOptions, ConfigRollbackOptions } from './config-push.ts';
import type { ConfigOptions, ConfigShowOptions } from './config-show.ts';
import { type SessionOptions, withSession } from './office-options.ts';
import type { Terminal } from './output.ts';

const pushNotes = `
The file has the parts that may come from a server: lanes, venue, log, update, and agent where it is the name of the gate. Data
folder, keys and http stay in the gate's own file. It is checked here, by the server and by the gate.
The gate tries it when nobody is on the way through, no fire burns and no emergency is held. If not every lane is ready
within a minute it goes back by itself, says why, and tries this version no more: push again.`;

/** `config push`, `show`, `history`, `rollback` and `status`. */
export function addConfigCommands(program: Command, terminal: Terminal): void {
	const config = program.command('config').description('Give gates their configuration from the office, by version.');
	gateCommand(config, 'push')
		.summary('push a configuration to a gate')
		.description('Push a configuration to a gate, as a new version.')
		.requiredOption('--file <yaml>', 'the configuration')
		.option('--note <text>', 'why, for the history')
		.addHelpText('after', pushNotes)
		.addHelpText('after', examples('config push --gate gate-1 --file gate-1.yaml --note "new scanner on lane-2"'))
		.action(async (options: ConfigPushOptions) => (await import('./config-push.ts')).pushConfig(options, terminal));
	gateCommand(config, 'show')
		.description('Show a version of a gate’s configuration: its text on standard output.')
		.option('--number <n>', 'which version (default: the newest)', integer(1, 2 ** 31 - 1))
		.addHelpText('after', examples('config show --gate gate-1', 'config show --gate gate-1 --number 3 > gate-1.yaml'))
		.action(async (options: ConfigShowOptions) => (await import('./config-show.ts')).showConfig(options, terminal));
	gateCommand(config, 'history')
		.description('List the versions of a gate’s configuration: who pushed them, when and why.')
		.addHelpText('after', examples('config history --gate gate-1', 'config history --gate gate-1 --json'))
		.action(async (options: ConfigOptions) => (await import('./config-show.ts')).listHistory(options, terminal));
	gateCommand(config, 'rollback')
		.summary('push an older version again')
		.description('Push the text of an older version again, as a new version that the gate tries like any other.')
		.requiredOption('--to <n>', 'the version to go back to', integer(1, 2 ** 31 - 1))
		.option('--note <text>', 'why, for the history')
		.addHelpText('after', examples('config rollback --gate gate-1 --to 3 --note "lane-2 misreads"'))
		.action(async (options: ConfigRollbackOptions) =>
			(await import('./config-push.ts')).rollbackConfig(options, terminal),
		);
	withSession(config.command('status'))
		.description('Show which version each gate runs, which is the newest, and what a gate has refused and why.')
		.addHelpText('after', examples('config status', 'config status --json'))
		.action(async (options: SessionOptions) => (await import('./config-show.ts')).configStatus(options, terminal));
}

function gateCommand(config: Command, name: string): Command {
	return withSession(config.command(name)).requiredOption('--gate <name>', 'name of the gate');
}
