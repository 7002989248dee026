import type { Command } from 'commander';
import { examples, integer, setting } from './arguments.ts';
import { exitCodes } from './exit.ts';
import type { EnrollOptions } from './gate-enroll.ts';
import type { PointOptions } from './gate-point.ts';
import type { RelaysOffOptions } from './gate-relays-off.ts';
import type { SetPinOptions } from './gate-set-pin.ts';
import { jsonLine, type Terminal } from './output.ts';

interface GateOptions {
	readonly config: string;
	readonly set?: readonly string[];
}

/** `gate run`, `gate relays-off`, `gate enroll`, `gate point`, `gate set-pin` and `gate check-config`. */
export function addGateCommands(program: Command, terminal: Terminal): void {
	const gate = program.command('gate').description('Run the agent of a gate, and check its configuration.');
	gateCommand(gate, 'run')
		.option('--config-trial <seconds>', 'how long a pushed configuration may take to be ready', integer(1, 3_600), 60)
		.summary('run the lanes of a configuration')
		.description('Run the lanes of a configuration until the process is told to end.')
		.addHelpText(
			'after',
			examples(
				'gate run --config device-configs/gates/serial-lcus.yaml',
				'gate run --config gate.yaml --set keys=./keys --set data=./data --set lanes.0.scanner.path=/dev/ttyUSB0',
			),
		)
		.action(async (options: GateOptions & { readonly configTrial: number }) => {
			terminal.outliveReader();
			const { runGate } = await import('../../gate-agent/main.ts');
			const trialMs = options.configTrial * 1000;
			await runGate({ configFile: options.config, sets: options.set ?? [], trialMs });
		});
	addRelaysOff(gate, terminal);
	addEnroll(gate, terminal);
	addPoint(gate, terminal);
	addSetPin(gate, terminal);
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

function addRelaysOff(gate: Command, terminal: Terminal): void {
	gate
		.command('relays-off')
		.summary('switch the relays of a dead agent off')
		.description(
			'Switch off the relays that the last agent of a configuration drove; those of a lane in an emergency stay. The service runs it when its agent has ended.',
		)
		.requiredOption('--config <file>', 'configuration, YAML')
		.option('--json', 'print one JSON object for each board')
		.addHelpText('after', examples('gate relays-off --config /etc/stileward/gate.yaml'))
		.action(async (options: RelaysOffOptions) => (await import('./gate-relays-off.ts')).relaysOff(options, terminal));
}

function addEnroll(gate: Command, terminal: Terminal): void {
	gate
		.command('enroll')
		.summary('make a gate a part of a venue')
		.description(
			'Make a gate a part of a venue: spends a one-time code, and loads keys, rules and lists into the data folder.',
		)
		.option('--server <url>', 'https://HOST:PORT of the server')
		.option('--fingerprint <pin>', 'what the server logs as `fingerprint` when it is ready')
		.option('--code <code>', 'one-time code of the administrator (`stileward device code`)')
		.option('--link <text>', 'the text of an enrollment QR code, in the place of the three')
		.requiredOption('--data <dir>', 'data folder of the gate')
		.option('--replace', 'enroll anew where the folder is enrolled already')
		.option('--json', 'print one JSON object')
		.addHelpText(
			'after',
			examples(
				'gate enroll --server https://10.0.0.5:8443 --fingerprint PIN --code ABCDE-FGHJK-MNPQR-STVWX --data ./data',
				"gate enroll --link 'stileward-enroll:v1?server=…&fp=…&code=…' --data ./data",
			),
		)
		.action(async (options: EnrollOptions) => (await import('./gate-enroll.ts')).enroll(options, terminal));
}

function addPoint(gate: Command, terminal: Terminal): void {
	gate
		.command('point')
		.summary('let a gate ask another server of its venue')
		.description('Let a gate ask another server of its venue, a hub or the centre. Start the gate again afterwards.')
		.requiredOption('--server <url>', 'https://HOST:PORT of that server')
		.requiredOption('--data <dir>', 'data folder of the gate')
		.option('--json', 'print one JSON object')
		.addHelpText('after', examples('gate point --server https://10.0.0.7:8443 --data ./data'))
		.action(async (options: PointOptions) => (await import('./gate-point.ts')).point(options, terminal));
}

function addSetPin(gate: Command, terminal: Terminal): void {
	gate
		.command('set-pin')
		.summary('set the PIN of the technician’s page')
		.description('Set the PIN of the technician’s page of a gate, also while it runs. Without a PIN the page is off.')
		.requiredOption('--data <dir>', 'data folder of the gate')
		.requiredOption('--pin-stdin', 'read the PIN, 6 to 12 digits, one line, from standard input')
		.addHelpText('after', examples('gate set-pin --data ./data --pin-stdin < pin'))
		.action(async (options: SetPinOptions) => (await import('./gate-set-pin.ts')).setGatePin(options, terminal));
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
