import { type Command, Option } from 'commander';
import { examples, repeated } from './arguments.ts';
import type { Terminal } from './output.ts';
import type { HubEnrollOptions } from './server-enroll.ts';
import type { OperatorOptions } from './server-operator.ts';
import { addRecoveryCommands } from './server-recovery.ts';
import type { ServerReleaseOptions } from './server-release.ts';
import type { RunOptions } from './server-run.ts';

/** `server run`, `server operator` and what brings a server back. */
export function addServerCommands(program: Command, terminal: Terminal): void {
	const server = program
		.command('server')
		.description('Run the server of a venue, name who may use it, and bring it back.');
	addRun(server, terminal);
	addEnroll(server, terminal);
	addOperator(server, terminal);
	addRelease(server, terminal);
	addRecoveryCommands(server, terminal);
}

function addRun(server: Command, terminal: Terminal): void {
	server
		.command('run')
		.summary('run the server of a venue')
		.description('Run the server of a venue until the process is told to end. It logs JSON lines; `ready` has its pin.')
		.requiredOption('--data <dir>', 'folder of its keys and data, made where there is none')
		.option('--listen <host:port>', 'where it listens', '127.0.0.1:8443')
		.addOption(new Option('--role <role>', 'what it is to the venue').choices(['centre', 'hub']).default('centre'))
		.option('--venue <id>', 'id of the venue (default: venue; a hub knows its own)')
		.option('--store <url>', 'sqlite:PATH or postgres://… (default: a file in --data)')
		.option('--upstream <url>', 'the address of the centre, where it has moved since the hub was enrolled')
		.option('--host <name>', 'a further name or address that clients reach it by (repeatable)', repeated)
		.option('--certificate <file>', 'a certificate chain of your own, PEM')
		.option('--certificate-key <file>', 'the private key of --certificate, PEM')
		.option('--handheld <dir>', 'folder of the built handheld (default: .build/handheld, where it is there)')
		.option('--origin <url>', 'a further server of the venue, whose handhelds may call this one (repeatable)', repeated)
		.addHelpText(
			'after',
			examples(
				'server run --data ./server --listen 0.0.0.0:8443 --host tickets.example.org',
				'server run --data ./server --store postgres://stileward@db.example.org/stileward',
				'server run --role hub --data ./hub --listen 0.0.0.0:8443',
			),
		)
		.action(async (options: RunOptions) => {
			terminal.outliveReader();
			const { runServer } = await import('./server-run.ts');
			await runServer(options, terminal);
		});
}

function addEnroll(server: Command, terminal: Terminal): void {
	server
		.command('enroll')
		.summary('make a folder the hub of a venue')
		.description('Enroll a hub at its centre: a server on site that grants while the centre is out of reach.')
		.requiredOption('--data <dir>', 'folder of the hub, made where there is none')
		.requiredOption('--upstream <url>', 'address of the centre')
		.requiredOption('--fingerprint <pin>', 'pin of the centre')
		.requiredOption('--code <code>', 'code of `device code --hub`')
		.option('--host <name>', 'a further name or address that devices reach the hub by (repeatable)', repeated)
		.option('--again', 'give a hub that was enrolled a new key; what it keeps stays')
		.option('--json', 'print one JSON object')
		.addHelpText(
			'after',
			examples('server enroll --data ./hub --upstream https://10.0.0.1:8443 --fingerprint PIN --code CODE'),
		)
		.action(async (options: HubEnrollOptions) => {
			const { enrollServer } = await import('./server-enroll.ts');
			await enrollServer(options, terminal);
		});
}

function addOperator(server: Command, terminal: Terminal): void {
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
}

function addRelease(server: Command, terminal: Terminal): void {
	server
		.command('release')
		.summary('keep a signed package for the gates, or list what is kept')
		.description(
			'Keep a signed package where gates can fetch it, or list what is kept. Run it where the data is: at the centre, and at each hub.',
		)
		.requiredOption('--data <dir>', 'folder of the server')
		.option('--deb <file>', 'package to keep; without it the kept ones are listed')
		.option('--release <file>', 'what `release sign` printed for it')
		.option('--json', 'print one JSON object a line')
		.addHelpText('after', releaseNotes)
		.addHelpText(
			'after',
			examples(
				'server release --data ./server --deb stileward_1.2.0_arm64.deb --release stileward_1.2.0_arm64.release',
				'server release --data ./server',
			),
		)
		.action(async (options: ServerReleaseOptions) => {
			const { keepRelease } = await import('./server-release.ts');
			await keepRelease(options, terminal);
		});
}

const releaseNotes = `
Keep the version that gates run now as well: without a way back none of them takes another. Then write into the
configuration of a few gates, and of all of them later, \`update: { version: 1.2.0, window: "02:00-05:00" }\` (\`config push\`).`;
