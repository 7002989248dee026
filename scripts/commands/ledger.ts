import { type Command, InvalidArgumentError } from 'commander';
import { examples, integer } from './arguments.ts';
import type { LedgerListOptions, LedgerOptions } from './ledger-read.ts';
import type { Terminal } from './output.ts';

/** `ledger list`, `ledger verify` and `ledger backup`. All of them may run beside a working gate. */
export function addLedgerCommands(program: Command, terminal: Terminal): void {
	const ledger = program.command('ledger').description('Read, check and back up the journal of a gate.');
	addList(ledger, terminal);
	addVerify(ledger, terminal);
	addBackup(ledger, terminal);
}

function addList(ledger: Command, terminal: Terminal): void {
	ledgerCommand(ledger, 'list')
		.summary('print the journal')
		.description('Print the journal, oldest row first.')
		.option('--after <seq>', 'only rows after this one', integer(0, Number.MAX_SAFE_INTEGER), 0)
		.option('--limit <n>', 'at most this many rows', integer(1, Number.MAX_SAFE_INTEGER))
		.option('--kind <kind>', 'only rows of this kind, e.g. denied', kind)
		.option('--json', 'one JSON object per row, with seq, kind, ticket, reason, rung, lane and at')
		.addHelpText(
			'after',
			examples('ledger list --data ./data', 'ledger list --data ./data --kind denied --json | jq -r .reason'),
		)
		.action(async (options: LedgerListOptions) => {
			const { listRows } = await import('./ledger-read.ts');
			await listRows(options, terminal);
		});
}

function addVerify(ledger: Command, terminal: Terminal): void {
	ledgerCommand(ledger, 'verify')
		.summary('check database and hash chain')
		.description('Check the database and the hash chain of the journal. Exit code 3 when one is broken.')
		.option('--json', 'print one JSON object')
		.addHelpText('after', examples('ledger verify --data ./data'))
		.action(async (options: LedgerOptions & { readonly json?: true }) => {
			const { verifyRows } = await import('./ledger-read.ts');
			await verifyRows(options, terminal);
		});
}

function addBackup(ledger: Command, terminal: Terminal): void {
	ledgerCommand(ledger, 'backup')
		.summary('write a consistent copy')
		.description('Write a whole, consistent copy of the ledger while the gate goes on working.')
		.requiredOption('--to <file>', 'new file; an existing one is never overwritten')
		.option('--json', 'print one JSON object')
		.addHelpText('after', examples('ledger backup --data ./data --to /media/usb/gate-2026-11-22.db'))
		.action(async (options: LedgerOptions & { readonly to: string; readonly json?: true }) => {
			const { backUp } = await import('./ledger-read.ts');
			await backUp(options, terminal);
		});
}

function ledgerCommand(ledger: Command, name: string): Command {
	return ledger.command(name).requiredOption('--data <dir>', 'data folder of the gate');
}

function kind(text: string): string {
	if (/^[a-z_]{1,32}$/.test(text)) return text;
	throw new InvalidArgumentError('Kinds are granted, settled, denied, denied_many, exited, staff_entry, passages …');
}
