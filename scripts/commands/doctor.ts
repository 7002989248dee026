import type { Command } from 'commander';
import type { DoctorOptions } from '../doctor/doctor.ts';
import { examples, setting } from './arguments.ts';
import { addLanguage } from './language.ts';
import type { Terminal } from './output.ts';

/** Where the package keeps a gate's configuration. */
export const gateConfigFile = '/etc/stileward/gate.yaml';

const notes = `
Nothing is changed and no relay is pulsed. While the gate runs, its devices are left to it; with --devices those of a gate that
does not run are opened and asked. Run it with sudo: an ordinary user cannot see who else holds a port.
Exit code 0: no fault (warnings may be there). Exit code 3: faults, each with its fix.`;

/** `doctor`. */
export function addDoctorCommand(program: Command, terminal: Terminal): void {
	const doctor = program
		.command('doctor')
		.summary('say what is wrong with a gate, and the fix')
		.description('Look at a gate from its configuration to its server without stopping it: what is wrong, and the fix.')
		.option('--config <file>', 'configuration, YAML', gateConfigFile)
		.option('--set <path=value>', 'override one setting, as `gate run` was told (repeatable)', setting)
		.option('--devices', 'open and ask the devices of a gate that does not run')
		.option('--user <name>', 'whose rights count (default: those of the running gate, of stileward, or yours)')
		.option('--root <dir>', 'look at the machine whose sys, dev, proc and etc lie here, e.g. a mounted card')
		.option('--bundle <file>', 'write an archive for support (.tar.gz), without secrets and personal data')
		.option('--json', 'print one JSON object');
	addLanguage(doctor)
		.addHelpText('after', notes)
		.addHelpText(
			'after',
			examples(
				'doctor',
				'doctor --lang zh',
				'doctor --config gate.yaml --devices',
				'doctor --json --bundle support.tar.gz',
			),
		)
		.action(async (options: DoctorOptions) => (await import('../doctor/doctor.ts')).examine(options, terminal));
}
