import { type Command, Option } from 'commander';
import { ticketIdxMax, ticketUseMax } from '../../gate-agent/core/ticket.ts';
import { examples, integer, repeated } from './arguments.ts';
import type { Terminal } from './output.ts';
import type { InspectOptions } from './ticket-inspect.ts';
import { type IssueOptions, issueCountMax, ticketFormats } from './ticket-options.ts';
import { fromTime, untilTime } from './times.ts';

/** `ticket issue` and `ticket inspect`. */
export function addTicketCommands(program: Command, terminal: Terminal): void {
	const ticket = program.command('ticket').description('Issue tickets, and examine one.');
	addIssue(ticket, terminal);
	addInspect(ticket, terminal);
}

const issueNotes = `
A time without a zone is read in this machine's zone; a plain date in --until includes that day.
{n} in --seat becomes 1 … count, so that every ticket has its own seat; without it all carry the same text.
Formats: compact and jws print one ticket to a line; json one object to a line (ticket, idx, typed, code); csv a header
and one row to a ticket; qr draws in the terminal; svg and png write one file to a ticket into --out.
Codes may hold several spaces in a row: keep them when copying.`;

function addIssue(ticket: Command, terminal: Terminal): void {
	ticket
		.command('issue')
		.summary('sign tickets and print them')
		.description('Sign tickets and print them. Their numbers continue after the highest one issued for the event.')
		.requiredOption('--keys <dir>', 'folder of the issuer’s keys')
		.requiredOption('--event <id>', 'event, e.g. lantern-2026')
		.requiredOption('--class <name>', 'ticket class, e.g. adult')
		.option('--count <n>', `how many tickets, 1 to ${issueCountMax}`, integer(1, issueCountMax), 1)
		.option('--from <time>', 'valid from, ISO 8601', fromTime)
		.option('--until <time>', 'valid until, ISO 8601', untilTime)
		.option('--session <name>', 'session whose window the gates’ policy knows; then the times may be left out')
		.option('--use <n>', 'admissions that each ticket carries, e.g. 20 for a group', integer(1, ticketUseMax))
		.option('--zone <name>', 'zone that it opens (repeatable; none given means all)', repeated)
		.option('--home <agent>', 'the one gate that may admit it')
		.option('--seat <text>', 'text for visitor and usher')
		.option('--first-idx <n>', 'number of the first ticket', integer(0, ticketIdxMax))
		.addOption(new Option('--format <format>', 'what is printed').choices(ticketFormats).default('compact'))
		.option('--out <dir>', 'folder for svg and png files')
		.addHelpText('after', issueNotes)
		.addHelpText(
			'after',
			examples(
				'ticket issue --keys ./keys --event lantern-2026 --class adult --count 3 --from 2026-02-01 --until 2026-03-01',
				'ticket issue --keys ./keys --event lantern-2026 --class group --use 20 --from 2026-02-01 --until 2026-02-01 --format qr',
				"ticket issue --keys ./keys --event lantern-2026 --class adult --count 30 --session evening --seat 'Row 3 Seat {n}' --format svg --out ./print",
			),
		)
		.action(async (options: IssueOptions) => {
			const { issueTickets } = await import('./ticket-issue.ts');
			await issueTickets(options, terminal);
		});
}

function addInspect(ticket: Command, terminal: Terminal): void {
	ticket
		.command('inspect')
		.summary('show what tickets say, and verify them')
		.description('Show what tickets say. With --keys their signatures are verified; exit code 3 when one is refused.')
		.argument('[code...]', 'the ticket, in single quotes; without it tickets are read from standard input, one a line')
		.option('--keys <dir>', 'folder with manifest.jws and root.public.jwk')
		.option('--json', 'print one JSON object per ticket')
		.addHelpText(
			'after',
			examples(
				"ticket inspect --keys ./keys 'SW1:…'",
				'ticket issue --keys ./keys … | stileward ticket inspect --keys ./keys --json',
			),
		)
		.action(async (codes: readonly string[], options: InspectOptions) => {
			const { inspectTickets } = await import('./ticket-inspect.ts');
			await inspectTickets(codes, options, terminal);
		});
}
