import type { Command } from 'commander';
import { examples } from './arguments.ts';
import type { Terminal } from './output.ts';
import type { ReleaseSignOptions } from './release-sign.ts';

/** `release sign`. */
export function addReleaseCommands(program: Command, terminal: Terminal): void {
	const release = program.command('release').description('Vouch for the packages that gates may install.');
	release
		.command('sign')
		.summary('sign a package for the gates of this venue')
		.description('Sign a Debian package with the root key. Prints the release, which travels beside the package.')
		.requiredOption('--dir <dir>', 'key folder with the root key')
		.requiredOption('--deb <file>', 'package, as `npm run package` made it')
		.option('--json', 'print one JSON object')
		.addHelpText('after', signNotes)
		.addHelpText(
			'after',
			examples('release sign --dir ./root-keys --deb stileward_1.2.0_arm64.deb > stileward_1.2.0_arm64.release'),
		)
		.action(async (options: ReleaseSignOptions) => (await import('./release-sign.ts')).signPackage(options, terminal));
}

const signNotes = `
Try a package on a bench first: with this signature every gate that is offered the package may install it by itself. Where the
root key is there is no network; carry the package there, and the release back.`;
