import { type Command, InvalidArgumentError, Option } from 'commander';
import { examples, integer, repeated } from './arguments.ts';
import type { EventOptions } from './event-create.ts';
import type { EventShowOptions, PostponeOptions } from './event-show.ts';
import { type SessionOptions, withSession } from './office-options.ts';
import type { Terminal } from './output.ts';

/** `event create`, `list`, `show` and `postpone`. */
export function addEventCommands(program: Command, terminal: Terminal): void {
	const event = program
		.command('event')
		.description('Make events and their rules, see who is inside, postpone sessions.');
	addCreate(event, terminal);
	withSession(event.command('list'))
		.description('List events with their classes and sessions.')
		.addHelpText('after', examples('event list', 'event list --json'))
		.action(async (options: SessionOptions) => (await import('./event-show.ts')).listEvents(options, terminal));
	withSession(event.command('show'))
		.description('Show the rules of an event and how many people are inside.')
		.requiredOption('--id <event>', 'id of the event')
		.addHelpText('after', examples('event show --id lantern-2026', 'event show --id lantern-2026 --json'))
		.action(async (options: EventShowOptions) => (await import('./event-show.ts')).showEvent(options, terminal));
	withSession(event.command('postpone'))
		.summary('move the window of a session')
		.description('Move the window of a session. Its tickets stay as they are and are valid by the new window at once.')
		.requiredOption('--id <event>', 'id of the event')
		.requiredOption('--session <name>', 'the session')
		.requiredOption('--minutes <n>', 'by how much from where the rules first put it; 0 takes it back', minutes)
		.addHelpText(
			'after',
			examples(
				'event postpone --id opera --session evening --minutes 45',
				'event postpone --id opera --session evening --minutes 0',
			),
		)
		.action(async (options: PostponeOptions) => (await import('./event-show.ts')).postponeSession(options, terminal));
}

const rulesNote = `
Rules: allowance=ticket|day|session|zone, reentry=none|after_exit, lane=open|cue|confirm, cue=check_height|…,
group=single|run, offline=admit|refuse, unverifiedPerHour=N, unverifiedLimit=alarm|refuse, homeOnly=true|false,
giveBack=true|false, passageTimeoutMs=N, clockUntrusted=admit|refuse.`;

function addCreate(event: Command, terminal: Terminal): void {
	withSession(event.command('create'))
		.summary('make an event, or give it new rules')
		.description('Make an event with its classes and sessions, or replace the rules of one.')
		.requiredOption('--id <event>', 'id of the event: a-z, 0-9 and -')
		.option('--class <name[,rule=value…]>', 'a class and its rules (repeatable)', repeated)
		.option('--session <name,from,until[,grace minutes]>', 'a session and its window (repeatable)', repeated)
		.option('--time-zone <zone>', 'IANA time zone of the venue (default: this machine’s)')
		.option('--day-starts <hh:mm>', 'when a venue day starts', '00:00')
		.option('--unknown-class <admit|staff>', 'what happens to tickets of other classes', 'admit')
		.option('--capacity <n>', 'how many people may be inside at most', integer(1, 10_000_000))
		.option('--list-age-max <minutes>', 'after which a gate’s list of refunds counts as stale', integer(1, 525_600))
		.addOption(new Option('--stale-list <act>', 'what a stale list does').choices(['alarm', 'refuse']))
		.addHelpText('after', rulesNote)
		.addHelpText(
			'after',
			examples(
				'event create --id lantern-2026 --class adult --class child,lane=cue,cue=check_height --capacity 8000',
				'event create --id opera --class stalls,offline=refuse --session evening,2026-12-01T19:00,2026-12-01T22:00,15',
			),
		)
		.action(async (options: EventOptions) => (await import('./event-create.ts')).createEvent(options, terminal));
}

/** A session may also begin earlier than it was announced. */
function minutes(text: string): number {
	if (/^-?\d{1,6}$/.test(text)) return Number(text);
	throw new InvalidArgumentError('It must be a whole number of minutes.');
}
