import type { Command } from 'commander';
import { ticketIdxMax } from '../../gate-agent/core/ticket.ts';
import { examples, integer, repeated } from './arguments.ts';
import type { KeysInitOptions, KeysLeaseOptions, KeysOptions, KeysRotateOptions } from './keys-folder.ts';
import type { Terminal } from './output.ts';
import { untilTime } from './times.ts';

/** `keys init`, `rotate`, `issuer`, `lease`, `reset-clock` and `show`. */
export function addKeysCommands(program: Command, terminal: Terminal): void {
	const keys = program.command('keys').description('Make, renew and show the keys that tickets are signed with.');
	keysCommand(keys, 'init')
		.summary('make a root key, an issuer key and a manifest')
		.description('Make a root key, a first issuer key and the key manifest in a new folder.')
		.option('--event <id>', 'let the issuer key sign only this event')
		.addHelpText('after', initNotes)
		.addHelpText('after', examples('keys init --dir ./keys', 'keys init --dir ./keys --event lantern-2026'))
		.action(async (options: KeysInitOptions) => {
			const { initFolder } = await import('./keys-folder.ts');
			await initFolder(options, terminal);
		});
	keysCommand(keys, 'rotate')
		.summary('make a new issuer key')
		.description('Make a new issuer key and a new manifest. Tickets of the old key stay valid unless it is revoked.')
		.option('--revoke <kid>', 'refuse every ticket of this key from now on (repeatable)', repeated)
		.addHelpText('after', examples('keys rotate --dir ./keys', 'keys rotate --dir ./keys --revoke Zx81_k-Q'))
		.action(async (options: KeysRotateOptions) => {
			const { rotateFolder } = await import('./keys-folder.ts');
			await rotateFolder(options, terminal);
		});
	addWindowCommands(keys, terminal);
	keysCommand(keys, 'reset-clock')
		.summary('let gates forget a wrong time')
		.description('Sign a clock reset with the root key, for gates that a wrong clock carried into the future.')
		.addHelpText('after', resetClockNotes)
		.addHelpText('after', examples('keys reset-clock --dir ./keys', 'keys reset-clock --dir ./keys --json'))
		.action(async (options: KeysOptions) => {
			const { resetFolderClock } = await import('./keys-folder.ts');
			await resetFolderClock(options, terminal);
		});
	keysCommand(keys, 'show')
		.summary('show the keys of a folder')
		.description('Show the keys of a folder. Private keys are never printed.')
		.addHelpText('after', examples('keys show --dir ./keys', 'keys show --dir ./keys --json'))
		.action(async (options: KeysOptions) => {
			const { showFolder } = await import('./keys-folder.ts');
			await showFolder(options, terminal);
		});
}

function addWindowCommands(keys: Command, terminal: Terminal): void {
	keysCommand(keys, 'issuer')
		.summary('make the key of a ticket window')
		.description(
			'Make the key of a ticket window that issues leased numbers. Its private part never leaves the window.',
		)
		.addHelpText('after', examples('keys issuer --dir ./window-1'))
		.action(async (options: KeysOptions) => (await import('./keys-folder.ts')).makeIssuer(options, terminal));
	keysCommand(keys, 'lease')
		.summary('let a ticket window sign leased numbers')
		.description('Sign a manifest by which the key of a ticket window may sign the numbers that were leased to it.')
		.requiredOption('--event <id>', 'event of the numbers')
		.requiredOption('--from <n>', 'first number, as `range lease` gave it', integer(0, ticketIdxMax))
		.requiredOption('--to <n>', 'last number', integer(0, ticketIdxMax))
		.requiredOption('--key <file>', 'public key of the window, as `keys issuer` made it')
		.option('--until <time>', 'refuse its tickets that are valid for longer', untilTime)
		.addHelpText('after', leaseNotes)
		.addHelpText(
			'after',
			examples('keys lease --dir ./server/keys --event lantern-2026 --from 1000000 --to 1004999 --key window-1.jwk'),
		)
		.action(async (options: KeysLeaseOptions) => (await import('./keys-folder.ts')).leaseNumbers(options, terminal));
}

const leaseNotes = `
At the office: \`range lease\` takes numbers that the server never issues. At the window: \`keys issuer\` makes its key. Where
the root key is: this command, soon after the lease; then restart the server, whose newest key goes on above the lease.
Copy manifest.jws and root.public.jwk to the window; there \`ticket issue --first-idx N\` issues, without any network.`;

const initNotes = `
A gate needs manifest.jws and root.public.jwk of this folder, and nothing else. Keep the private keys away from gates,
and the root key offline: whoever has it can make tickets that every gate accepts.`;

const resetClockNotes = `
A gate believes no time before the newest that it has written down. A clock that once ran ahead therefore leaves every
right time untrusted. Run this where the clock is right; copy clock-reset.jws into the key folder of each such gate and
restart it. Each reset counts once, so it can stay there.`;

function keysCommand(keys: Command, name: string): Command {
	return keys
		.command(name)
		.requiredOption('--dir <dir>', 'folder of the keys')
		.option('--json', 'print one JSON object');
}
