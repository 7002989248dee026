import type { Command } from 'commander';
import { examples, integer, repeated } from './arguments.ts';
import { addAuthorityCommands } from './office-authority.ts';
import { addCaseCommands } from './office-cases.ts';
import { addConfigCommands } from './office-configs.ts';
import { addDeviceCommands } from './office-devices.ts';
import { addEventCommands } from './office-events.ts';
import type { LoginOptions } from './office-login.ts';
import { withSession } from './office-options.ts';
import { addStaffCommands } from './office-staff.ts';
import type { IssueOrderOptions, OrderOptions } from './order-issue.ts';
import type { LeaseOptions, OrderShowOptions } from './order-show.ts';
import type { Terminal } from './output.ts';
import { issueCountMax } from './ticket-options.ts';
import { fromTime, untilTime } from './times.ts';

/** What an administrator does with a server: sign in, events, orders, devices, cases. */
export function addOfficeCommands(program: Command, terminal: Terminal): void {
	addLogin(program, terminal);
	addEventCommands(program, terminal);
	addOrder(program, terminal);
	addRange(program, terminal);
	addDeviceCommands(program, terminal);
	addConfigCommands(program, terminal);
	addStaffCommands(program, terminal);
	addCaseCommands(program, terminal);
	addAuthorityCommands(program, terminal);
}

function addLogin(program: Command, terminal: Terminal): void {
	withSession(program.command('login'))
		.description('Sign in to a server. The session is kept for this user, for the commands that follow.')
		.requiredOption('--server <url>', 'https://HOST:PORT')
		.requiredOption('--fingerprint <pin>', 'what the server logs as `fingerprint` when it is ready')
		.requiredOption('--name <name>', 'name of the operator')
		.requiredOption('--password-stdin', 'read the password, one line, from standard input')
		.addHelpText(
			'after',
			examples('login --server https://127.0.0.1:8443 --fingerprint PIN --name mina --password-stdin < pw'),
		)
		.action(async (options: LoginOptions) => (await import('./office-login.ts')).login(options, terminal));
}

function addOrder(program: Command, terminal: Terminal): void {
	const order = program.command('order').description('Issue, show, refund and exchange tickets.');
	withTickets(withSession(order.command('issue')))
		.summary('issue the tickets of an order')
		.description('Issue the tickets of an order, one a line. The same order number gives the same tickets again.')
		.requiredOption('--order <number>', 'order number of the seller')
		.addHelpText('after', examples('order issue --event lantern-2026 --class adult --count 2 --order A-1001'))
		.action(async (options: IssueOrderOptions) => (await import('./order-issue.ts')).issueOrder(options, terminal));
	withTickets(withSession(order.command('exchange')))
		.summary('revoke an order and issue another in its place')
		.description('Revoke an order and issue another in its place, in one step. Prints the new tickets, one a line.')
		.requiredOption('--order <number>', 'order number to give up')
		.requiredOption('--into <number>', 'order number of the new tickets')
		.addHelpText(
			'after',
			examples('order exchange --order A-1001 --into A-1001-1 --event lantern-2026 --class child --count 2'),
		)
		.action(async (options: IssueOrderOptions) => (await import('./order-issue.ts')).issueOrder(options, terminal));
	withSession(order.command('show'))
		.description('Show an order: its state, its ticket numbers and what the tickets say.')
		.requiredOption('--order <number>', 'order number')
		.addHelpText('after', examples('order show --order A-1001', 'order show --order A-1001 --json'))
		.action(async (options: OrderShowOptions) => (await import('./order-show.ts')).showOrder(options, terminal));
	for (const [act, summary] of [
		['refund', 'revoke the tickets of an order'],
		['restore', 'take a refund back'],
	] as const) {
		withSession(order.command(act))
			.summary(summary)
			.description(`${summary[0]?.toUpperCase()}${summary.slice(1)}, or of some of them.`)
			.requiredOption('--order <number>', 'order number')
			.option('--idx <number>', 'only this ticket number (repeatable)', repeated)
			.addHelpText('after', examples(`order ${act} --order A-1001`))
			.action(async (options: OrderOptions) => (await import('./order-issue.ts')).changeOrder(act, options, terminal));
	}
}

function addRange(program: Command, terminal: Terminal): void {
	const range = program.command('range').description('Lease ticket numbers to ticket windows that work offline.');
	withSession(range.command('lease'))
		.description('Lease a run of ticket numbers. The server never issues them; `keys lease` lets the window sign them.')
		.requiredOption('--event <id>', 'event of the tickets')
		.requiredOption('--count <n>', 'how many', integer(1, 10_000_000))
		.requiredOption('--holder <name>', 'who gets them: a-z, 0-9, _ and -')
		.addHelpText('after', examples('range lease --event lantern-2026 --count 5000 --holder window-1'))
		.action(async (options: LeaseOptions) => (await import('./order-show.ts')).leaseRange(options, terminal));
}

function withTickets(command: Command): Command {
	return command
		.requiredOption('--event <id>', 'event of the tickets')
		.requiredOption('--class <name>', 'class of the tickets')
		.requiredOption('--count <n>', 'how many', integer(1, issueCountMax))
		.option('--use <n>', 'admissions per allowance of each', integer(1, 10_000))
		.option('--from <time>', 'valid from', fromTime)
		.option('--until <time>', 'valid until', untilTime)
		.option('--session <name>', 'session whose window holds')
		.option('--zone <name>', 'a zone that it opens (repeatable)', repeated)
		.option('--home <agent>', 'the one agent that admits it')
		.option('--seat <text>', 'seat; {n} becomes the ticket’s place in the order');
}
