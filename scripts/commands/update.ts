import type { Command } from 'commander';
import { examples } from './arguments.ts';
import type { Terminal } from './output.ts';
import type { UpdateApplyOptions } from './update-apply.ts';
import type { UpdateTrustOptions } from './update-trust.ts';

/** Where the package keeps what the updater works with; the unit file and the gate say the same. */
export const updatePlaces = {
	data: '/var/lib/stileward/gate',
	state: '/var/lib/stileward/updates',
	rootKey: '/etc/stileward/root.public.jwk',
	url: 'http://127.0.0.1:8480',
} as const;

/** `update trust` and `update apply`. */
export function addUpdateCommands(program: Command, terminal: Terminal): void {
	const update = program.command('update').description('Let a gate be updated from afar. As root, at the gate.');
	update
		.command('trust')
		.summary('let the venue of this gate update it')
		.description(
			'Keep the root key of the venue where only root may change it, and wait for packages that it has signed: they are installed.',
		)
		.option('--data <dir>', 'data folder of the enrolled gate', updatePlaces.data)
		.option('--root-key <file>', 'where to keep the key', updatePlaces.rootKey)
		.option('--json', 'print one JSON object')
		.addHelpText('after', examples('update trust', 'update trust --data /var/lib/stileward/gate --json'))
		.action(async (options: UpdateTrustOptions) => (await import('./update-trust.ts')).trustVenue(options, terminal));
	update
		.command('apply')
		.summary('install what the gate asks for, and go back where it is not well')
		.description(
			'Install the package that the gate has fetched, once it is checked against the root key; go back where a lane stops working.',
		)
		.option('--data <dir>', 'data folder of the gate', updatePlaces.data)
		.option('--state <dir>', 'folder of the updater, which only root may write to', updatePlaces.state)
		.option('--root-key <file>', 'the venue’s root key, as `update trust` kept it', updatePlaces.rootKey)
		.option('--url <url>', 'address of the agent', updatePlaces.url)
		.option('--json', 'print one JSON object')
		.addHelpText('after', applyNotes)
		.addHelpText('after', examples('update apply', 'update apply --json'))
		.action(async (options: UpdateApplyOptions) => (await import('./update-apply.ts')).applyWanted(options, terminal));
}

const applyNotes = `
stileward-update.service runs it whenever the gate has left a request. Exit code 3 where the version before came back, or
somebody must come; then the gate says so to its venue.`;
