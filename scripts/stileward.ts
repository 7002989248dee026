import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Command } from 'commander';
import { asJournalErrors, isJournalStream } from '../gate-agent/service/journal.ts';
import { addBleCommands } from './commands/ble.ts';
import { addDevicesCommands } from './commands/devices.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { describeFailure, describeUsage, exitCodes } from './commands/exit.ts';
import { addGateCommands } from './commands/gate.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addLedgerCommands } from './commands/ledger.ts';
import { addOfficeCommands } from './commands/office.ts';
import { openOutput, type Terminal } from './commands/output.ts';
import { addReleaseCommands } from './commands/release.ts';
import { addServerCommands } from './commands/server.ts';
import { addSetupCommand } from './commands/setup.ts';
import { addTicketCommands } from './commands/ticket.ts';
import { addUpdateCommands } from './commands/update.ts';

const epilogue = `
In a clone, npm run -s stileward -- COMMAND runs it.
Exit codes: 0 done, 1 something outside the program is wrong, 2 wrong command line, 3 a check found something wrong,
70 a bug: please report it.
Standard output carries only what was asked for; notes, progress and errors go to standard error.
`;

/** The whole command line. What a command does is imported when it runs, so that help appears at once. */
function createProgram(terminal: Terminal): Command {
	const program = new Command('stileward')
		.description('Signed tickets, offline decisions, real gates: the tools of a venue’s technician and box office.')
		.version(version(), '--version', 'show the version')
		.helpOption('-h, --help', 'show this help')
		.helpCommand('help [command]', 'show the help of a command')
		.addHelpText('after', epilogue)
		.exitOverride()
		.configureOutput({ outputError: (message, write) => write(describeUsage(message)) });
	addKeysCommands(program, terminal);
	addTicketCommands(program, terminal);
	addGateCommands(program, terminal);
	addSetupCommand(program, terminal);
	addDoctorCommand(program, terminal);
	addDevicesCommands(program, terminal);
	addBleCommands(program, terminal);
	addLedgerCommands(program, terminal);
	addServerCommands(program, terminal);
	addOfficeCommands(program, terminal);
	addReleaseCommands(program, terminal);
	addUpdateCommands(program, terminal);
	return program;
}

function version(): string {
	const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
	// The file is this package's own.
	return (JSON.parse(text) as { version: string }).version;
}

/** `npm run` moves to the package's folder; paths on the command line are relative to where the person is. */
function returnToCaller(env: NodeJS.ProcessEnv): void {
	if (env.npm_lifecycle_event === 'stileward' && env.INIT_CWD) process.chdir(env.INIT_CWD);
}

/** A reader that has seen enough (`| head`) is no error; any other failure to print is. */
function endWithReader(error: NodeJS.ErrnoException): void {
	if (error.code === 'EPIPE') process.exit();
	process.stderr.write(`error: standard output cannot be written: ${error.message}\n`);
	process.exit(exitCodes.operating);
}

function openTerminal(): Terminal {
	process.stdout.on('error', endWithReader);
	process.stderr.on('error', endWithReader);
	return {
		out: openOutput(process.stdout, process.env),
		err: openOutput(process.stderr, process.env),
		in: process.stdin,
		nowMs: () => Date.now(),
		finish: (code) => {
			process.exitCode = code;
		},
		outliveReader() {
			for (const stream of [process.stdout, process.stderr]) {
				stream.off('error', endWithReader).on('error', () => {});
			}
		},
	};
}

async function main(): Promise<void> {
	const terminal = openTerminal();
	returnToCaller(process.env);
	try {
		await createProgram(terminal).parseAsync(process.argv);
	} catch (error) {
		const { text, code } = describeFailure(error);
		const isJournal = isJournalStream(process.env.JOURNAL_STREAM, process.stderr.fd);
		process.stderr.write(isJournal ? asJournalErrors(text) : text);
		process.exitCode = code;
	}
}

await main();
