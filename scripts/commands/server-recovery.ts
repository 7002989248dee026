import type { Command } from 'commander';
import { examples } from './arguments.ts';
import type { Terminal } from './output.ts';
import type { BackupOptions, EpochOptions, RestoreOptions } from './server-backup.ts';

/** `server backup`, `server restore` and `server new-epoch`. */
export function addRecoveryCommands(server: Command, terminal: Terminal): void {
	dataCommand(server, 'backup')
		.summary('write a consistent copy of a server')
		.description('Write one file with the server’s store, operators, audit and keys, verified, while the server works.')
		.requiredOption('--to <file>', 'new file; an existing one is never overwritten')
		.addHelpText('after', backupNotes)
		.addHelpText('after', examples('server backup --data ./server --to /media/usb/server-2026-11-22.backup'))
		.action(async (options: BackupOptions) => (await import('./server-backup.ts')).backUpServer(options, terminal));
	dataCommand(server, 'restore')
		.summary('put a backup into a new folder')
		.description('Put a backup into a folder without a server. The server begins a new epoch when it starts.')
		.requiredOption('--from <file>', 'file of `server backup`')
		.addHelpText('after', restoreNotes)
		.addHelpText('after', examples('server restore --data ./server --from /media/usb/server-2026-11-22.backup'))
		.action(async (options: RestoreOptions) => (await import('./server-backup.ts')).restoreServer(options, terminal));
	dataCommand(server, 'new-epoch')
		.summary('begin a new epoch after a loss')
		.description('Begin a new epoch above every number that the server may have given out. Run it where the data is.')
		.option('--venue <id>', 'id of the venue', 'venue')
		.addHelpText('after', epochNotes)
		.addHelpText(
			'after',
			examples(
				'server new-epoch --data ./server --store postgres://stileward@db.example.org/stileward',
				'server new-epoch --data ./server',
			),
		)
		.action(async (options: EpochOptions) => (await import('./server-backup.ts')).newEpoch(options, terminal));
}

const backupNotes = `
The file holds private keys: keep it as you keep the server's folder. Open sessions and enrollment codes are not in it.
A store in PostgreSQL is backed up by pg_dump, and the folder --data, which then holds the keys alone, by copying it.`;

const restoreNotes = `
What happened after the backup is not in it. Gates send their journals again, so admissions come back. Tickets that were
sold since are still admitted, but their orders are unknown; refunds, new devices and new passwords of that time are to
be made again.`;

const epochNotes = `
For a store that is older than what gates have seen: after pg_restore (before the server starts), after a copy of the
folder was put back, or when the server answers stale_authority. A restored backup of \`server backup\` needs no such
step. Gates load everything anew; each event leaves ten million ticket numbers out, for those sold since the backup.`;

function dataCommand(server: Command, name: string): Command {
	return server
		.command(name)
		.requiredOption('--data <dir>', 'folder of the server')
		.option('--store <url>', 'as given to `server run`')
		.option('--json', 'print one JSON object');
}
