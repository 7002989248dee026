import { type Command, Option } from 'commander';
import { examples, repeated } from './arguments.ts';
import type { Terminal } from './output.ts';
import type { OperatorOptions } from './server-operator.ts';
import { addRecoveryCommands } from './server-recovery.ts';
import type { RunOptions } from './server-run.ts';

/** `server run`, `server operator` and what brings a server back. */
export function addServerCommands(program: Command, terminal: Terminal): void {
	const server = program
		.command('server')
		.description('Run the server of a venue, name who may use it, and bring it back.');
	server
		.command('run')
		.summary('run the server of a venue')
		.description('Run the server of a venue until the process is told to end. It logs JSON lines; `ready` has its pin.')
		.requiredOption('--data <dir>', 'folder of its keys and data, made where there is none')
		.option('--listen <host:port>', 'where it listens', '127.0.0.1:8443')
		.addOption(new Option('--role <role>', 'what it is to the venue').choices(['centre', 'hub']).default('centre'))
		.option('--venue <id>', 'id of the venue', 'venue')
		.option('--store <url>', 'sqlite:PATH or postgres://… (default: a file in --data)')
		.option('--upstream <url>', 'the centre of a hub')
		.option('--host <name>', 'a further name or address that clients reach it by (repeatable)', repeated)
		.option('--certificate <file>', 'a certificate chain of your own, PEM')
		.option('--certificate-key <file>', 'the private key of --certificate, PEM')
		.addHelpText(
			'after',
			examples(
				'server run --data ./server --listen 0.0.0.0:8443 --host tickets.example.org',
				'server run --data ./server --store postgres://stileward@db.example.org/stileward',
			),
		)
		.action(async (options: RunOptions) => {
			terminal.outliveReader();
			const { runServer } = await import('./server-run.ts');
			await runServer(options, terminal);
		});
	server
		.command('operator')
		.summary('make an operator, or give a new password')
		.description(
			'Make an operator, or give a new password, which ends the operator’s sessions. Run it where the data is.',
		)
		.requiredOption('--data <dir>', 'folder of the server')
		.requiredOption('--name <name>', 'name to sign in with: a-z, 0-9, dot, _ and -')
		.addOption(new Option('--role <role>', 'what the operator may do').choices(['administrator']).makeOptionMandatory())
		.requiredOption('--password-stdin', 'read the password, one line, from standard input')
		.option('--venue <id>', 'id of the venue', 'venue')
		.option('--store <url>', 'as given to `server run`')
		.option('--json', 'print one JSON object')
		.addHelpText(
			'after',
			examples('server operator --data ./server --name mina --role administrator --password-stdin < pw'),
		)
		.action(async (options: OperatorOptions) => {
			const { putOperator } = await import('./server-operator.ts');
			await putOperator(options, terminal);
		});
	addRecoveryCommands(server, terminal);
}
