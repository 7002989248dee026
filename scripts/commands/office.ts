import type { Command } from 'commander';
import { examples, integer, repeated } from './arguments.ts';
import type { EventOptions } from './event-create.ts';
import type { CaseOptions, DeviceOptions, LoginOptions } from './office-lists.ts';
import type { IssueOrderOptions, OrderOptions } from './order-issue.ts';
import type { Terminal } from './output.ts';
import { issueCountMax } from './ticket-options.ts';
import { fromTime, untilTime } from './times.ts';

/** `login`, `event`, `order`, `device` and `case`: what an administrator does with a server. */
export function addOfficeCommands(program: Command, terminal: Terminal): void {
	addLogin(program, terminal);
	addEvent(program, terminal);
	addOrder(program, terminal);
	addDevice(program, terminal);
	addCase(program, terminal);
}

function addLogin(program: Command, terminal: Terminal): void {
	withProfile(program.command('login'))
		.description('Sign in to a server. The session is kept for this user, for the commands that follow.')
		.requiredOption('--server <url>', 'https://HOST:PORT')
		.requiredOption('--fingerprint <pin>', 'what the server logs as `fingerprint` when it is ready')
		.requiredOption('--name <name>', 'name of the operator')
		.requiredOption('--password-stdin', 'read the password, one line, from standard input')
		.addHelpText(
			'after',
			examples('login --server https://127.0.0.1:8443 --fingerprint PIN --name mina --password-stdin < pw'),
		)
		.action(async (options: LoginOptions) => (await import('./office-lists.ts')).login(options, terminal));
}

function addEvent(program: Command, terminal: Terminal): void {
	const event = program.command('event').description('Make events and their rules.');
	withProfile(event.command('create'))
		.summary('make an event, or give it new rules')
		.description('Make an event with its classes and sessions, or replace the rules of one.')
		.requiredOption('--id <event>', 'id of the event: a-z, 0-9 and -')
		.option('--class <name[,rule=value…]>', 'a class and its rules (repeatable)', repeated)
		.option('--session <name,from,until[,grace minutes]>', 'a session and its window (repeatable)', repeated)
		.option('--time-zone <zone>', 'IANA time zone of the venue (default: this machine’s)')
		.option('--day-starts <hh:mm>', 'when a venue day starts', '00:00')
		.option('--unknown-class <admit|staff>', 'what happens to tickets of other classes', 'admit')
		.addHelpText(
			'after',
			`
Rules: allowance=ticket|day|session|zone, reentry=none|after_exit, lane=open|cue|confirm, cue=check_height|…,
group=single|run, offline=admit|refuse, unverifiedPerHour=N, unverifiedLimit=alarm|refuse, homeOnly=true|false,
giveBack=true|false, passageTimeoutMs=N, clockUntrusted=admit|refuse.`,
		)
		.addHelpText(
			'after',
			examples(
				'event create --id lantern-2026 --class adult --class child,lane=cue,cue=check_height',
				'event create --id opera --class stalls,offline=refuse --session evening,2026-12-01T19:00,2026-12-01T22:00,15',
			),
		)
		.action(async (options: EventOptions) => (await import('./event-create.ts')).createEvent(options, terminal));
}

function addOrder(program: Command, terminal: Terminal): void {
	const order = program.command('order').description('Issue, refund and exchange tickets.');
	withTickets(withProfile(order.command('issue')))
		.summary('issue the tickets of an order')
		.description('Issue the tickets of an order, one a line. The same order number gives the same tickets again.')
		.requiredOption('--order <number>', 'order number of the seller')
		.addHelpText('after', examples('order issue --event lantern-2026 --class adult --count 2 --order A-1001'))
		.action(async (options: IssueOrderOptions) => (await import('./order-issue.ts')).issueOrder(options, terminal));
	withTickets(withProfile(order.command('exchange')))
		.summary('revoke an order and issue another in its place')
		.description('Revoke an order and issue another in its place, in one step. Prints the new tickets, one a line.')
		.requiredOption('--order <number>', 'order number to give up')
		.requiredOption('--into <number>', 'order number of the new tickets')
		.addHelpText(
			'after',
			examples('order exchange --order A-1001 --into A-1001-1 --event lantern-2026 --class child --count 2'),
		)
		.action(async (options: IssueOrderOptions) => (await import('./order-issue.ts')).issueOrder(options, terminal));
	for (const [act, summary] of [
		['refund', 'revoke the tickets of an order'],
		['restore', 'take a refund back'],
	] as const) {
		withProfile(order.command(act))
			.summary(summary)
			.description(`${summary[0]?.toUpperCase()}${summary.slice(1)}, or of some of them.`)
			.requiredOption('--order <number>', 'order number')
			.option('--idx <number>', 'only this ticket number (repeatable)', repeated)
			.addHelpText('after', examples(`order ${act} --order A-1001`))
			.action(async (options: OrderOptions) => (await import('./order-issue.ts')).changeOrder(act, options, terminal));
	}
}

function addDevice(program: Command, terminal: Terminal): void {
	const device = program.command('device').description('Enroll and list devices.');
	withProfile(device.command('code'))
		.summary('make a one-time code for a device')
		.description('Make a one-time code. Whoever has it enrolls a device until it ends.')
		.requiredOption('--name <name>', 'what people call the device')
		.option('--minutes <n>', 'how long it is good for', integer(1, 1_440), 15)
		.addHelpText('after', examples('device code --name gate-1'))
		.action(async (options: DeviceOptions) => (await import('./office-lists.ts')).deviceCode(options, terminal));
	withProfile(device.command('list'))
		.description('List devices: state, how far their journals are, when they were last seen.')
		.addHelpText('after', examples('device list', 'device list --json'))
		.action(async (options: DeviceOptions) => (await import('./office-lists.ts')).listDevices(options, terminal));
}

function addCase(program: Command, terminal: Terminal): void {
	const cases = program.command('case').description('Look at double entries and other cases.');
	withProfile(cases.command('list'))
		.description('List what a person must look at.')
		.addHelpText('after', examples('case list', 'case list --json'))
		.action(async (options: CaseOptions) => (await import('./office-lists.ts')).listCases(options, terminal));
}

function withProfile(command: Command): Command {
	return command
		.option('--profile <name>', 'which kept session', 'default')
		.option('--json', 'print JSON, one object a line');
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
