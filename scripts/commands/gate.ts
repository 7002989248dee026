import type { Command } from 'commander';
import { examples, setting } from './arguments.ts';
import { exitCodes } from './exit.ts';
import { jsonLine, type Terminal } from './output.ts';

interface GateOptions {
	readonly config: string;
	readonly set?: readonly string[];
}

/** `gate run` and `gate check-config`. */
export function addGateCommands(program: Command, terminal: Terminal): void {
	const gate = program.command('gate').description('Run the agent of a gate, and check its configuration.');
	gateCommand(gate, 'run')
		.summary('run the lanes of a configuration')
		.description('Run the lanes of a configuration until the process is told to end.')
		.addHelpText(
			'after',
			examples(
				'gate run --config device-configs/gates/serial-lcus.yaml',
				'gate run --config gate.yaml --set keys=./keys --set data=./data --set lanes.0.scanner.path=/dev/ttyUSB0',
			),
		)
		.action(async (options: GateOptions) => {
			terminal.outliveReader();
			const { runGate } = await import('../../gate-agent/main.ts');
			await runGate({ configFile: options.config, sets: options.set ?? [] });
		});
	gateCommand(gate, 'check-config')
		.summary('check a configuration')
		.description('Check a configuration without opening a device. Exit code 3 when it is not valid.')
		.option('--json', 'print one JSON object: valid, problems')
		.addHelpText(
			'after',
			examples('gate check-config --config gate.yaml', 'gate check-config --config gate.yaml --json'),
		)
		.action((options: GateOptions & { readonly json?: true }) => checkConfig(options, terminal));
}

function gateCommand(gate: Command, name: string): Command {
	return gate
		.command(name)
		.requiredOption('--config <file>', 'configuration, YAML')
		.option('--set <path=value>', 'override one setting, e.g. lanes.0.relay.path=/dev/ttyUSB1 (repeatable)', setting);
}

async function checkConfig(options: GateOptions & { readonly json?: true }, terminal: Terminal): Promise<void> {
	const [{ loadConfig }, { StilewardError }] = await Promise.all([
		import('../../gate-agent/config.ts'),
		import('../../gate-agent/core/errors.ts'),
	]);
	try {
		loadConfig({ file: options.config, sets: options.set ?? [] });
		await terminal.out.write(options.json ? jsonLine({ valid: true, problems: [] }) : `${options.config} is valid\n`);
	} catch (error) {
		if (!(error instanceof StilewardError) || error.code !== 'config_invalid') throw error;
		terminal.finish(exitCodes.found);
		if (options.json) await terminal.out.write(jsonLine({ valid: false, problems: problemsOf(error.message) }));
		else await terminal.err.write(`error: ${error.message}\n`);
	}
}

/** The message of `config_invalid` has a line that counts, and one line for each problem. */
function problemsOf(message: string): readonly string[] {
	return message
		.split('\n')
		.slice(1)
		.map((line) => line.trim());
}
