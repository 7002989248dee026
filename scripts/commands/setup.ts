import type { Command } from 'commander';
import type { SetupOptions } from '../setup/setup.ts';
import { examples, setting } from './arguments.ts';
import { gateConfigFile } from './doctor.ts';
import { addLanguage } from './language.ts';
import type { Terminal } from './output.ts';

const notes = `
It finds scanner and relay board, lets you try both, learns the contacts by what you work, enrolls the gate by the QR code that
its own scanner reads, checks machine and network, writes the configuration, starts the service, and leaves a report to sign off.
Ctrl+C at any time leaves nothing behind. With --answers nothing is asked: what is missing is named, all of it at once.
Exit code 3: the gate was set up and has faults, or its code was used before.`;

/** `setup`. */
export function addSetupCommand(program: Command, terminal: Terminal): void {
	const setup = program
		.command('setup')
		.summary('set a gate up, from bare box to open lane')
		.description('Set a gate up, from what is plugged in to a lane that is ready, in Chinese or English.')
		.option('--config <file>', 'where the configuration is written', gateConfigFile)
		.option('--data <dir>', 'data folder of the gate', '/var/lib/stileward/gate')
		.option('--answers <file>', 'all answers beforehand, YAML')
		.option('--no-service', 'write everything, but leave the service alone')
		.option('--set <path=value>', 'one more setting for the configuration (repeatable)', setting)
		.option('--root <dir>', 'look for devices below this folder: sys, dev, proc and etc of another machine')
		.option('--json', 'print the report as one JSON object');
	addLanguage(setup)
		.addHelpText('after', notes)
		.addHelpText(
			'after',
			examples(
				'setup',
				'setup --lang zh',
				'setup --answers gate-7.yaml',
				'setup --config gate.yaml --data data --no-service',
			),
		)
		.action(async (options: SetupOptions) => (await import('../setup/setup.ts')).setUp(options, terminal));
}
