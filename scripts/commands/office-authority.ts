import type { Command } from 'commander';
import { examples } from './arguments.ts';
import type { AuthorityOptions } from './authority-show.ts';
import { type SessionOptions, withSession } from './office-options.ts';
import type { Terminal } from './output.ts';

const setNotes = `
The server that grants now stops as soon as it hears of it, passes on the rest of its log, and only then the new one
begins; until then gates decide by policy. --abandon does not wait for it: for a hub that is dead. What it had granted and
not passed on may then be granted again, and its gates send their journals to the server that they are pointed to
(\`gate point\`).`;

/** `authority show` and `authority set`. */
export function addAuthorityCommands(program: Command, terminal: Terminal): void {
	const authority = program.command('authority').description('See and say which server of the venue grants.');
	withSession(authority.command('show'))
		.description('Show which server grants, which one is to, and how the hubs stand.')
		.addHelpText('after', examples('authority show', 'authority show --json'))
		.action(async (options: SessionOptions) => (await import('./authority-show.ts')).showAuthority(options, terminal));
	withSession(authority.command('set'))
		.summary('move the authority to another server')
		.description('Move the authority to the centre or to a hub: a new epoch.')
		.requiredOption('--server <id>', 'centre, or the name of a hub')
		.option('--abandon', 'the server that grants now is lost')
		.addHelpText('after', setNotes)
		.addHelpText('after', examples('authority set --server hub-1', 'authority set --server centre --abandon'))
		.action(async (options: AuthorityOptions) => (await import('./authority-show.ts')).setAuthority(options, terminal));
}
