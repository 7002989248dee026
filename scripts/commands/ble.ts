import { type Command, Option } from 'commander';
import { examples, integer } from './arguments.ts';
import type { BleLearnOptions } from './ble-learn.ts';
import type { BleScanOptions } from './ble-scan.ts';
import type { Terminal } from './output.ts';

const notes = `
The lane must not run: an adapter has one program at a time. The radio needs the right CAP_NET_RAW: run it as root, or name a
Node that has it (--program); handheld/ble/README.md says how to make one.`;

/** `ble scan` and `ble learn`. */
export function addBleCommands(program: Command, terminal: Terminal): void {
	const ble = program
		.command('ble')
		.description('Bluetooth handheld scanners: what is about, and how a lane names it.');
	radioOptions(ble.command('scan'))
		.description('List what advertises, nearest first. Exit code 3 where nothing was heard.')
		.option('--seconds <n>', 'how long to listen', integer(1, 600), 10)
		.option('--json', 'print one JSON object a line')
		.addHelpText('after', notes)
		.addHelpText('after', examples('ble scan', 'ble scan --adapter hci1 --seconds 30'))
		.action(async (options: BleScanOptions) => (await import('./ble-scan.ts')).scanBle(options, terminal));
	radioOptions(ble.command('learn'))
		.summary('connect to a scanner and print its part of a lane')
		.description(
			'Connect to a scanner, list what it has, wait for a test scan, and print the scanner’s part of a lane. Exit code 3 where nothing was told.',
		)
		.option('--address <address>', 'address of the scanner')
		.option('--name <name>', 'begin of the name that it advertises')
		.option('--seconds <n>', 'how long to wait for the test scan', integer(1, 600), 60)
		.addHelpText('after', notes)
		.addHelpText('after', examples('ble learn --name BS80', 'ble learn --address c0:11:22:33:44:55 > scanner.yaml'))
		.action(async (options: BleLearnOptions) => (await import('./ble-learn.ts')).learnBle(options, terminal));
}

function radioOptions(command: Command): Command {
	return command
		.addOption(new Option('--adapter <name>', 'Bluetooth adapter').default('hci0'))
		.option('--program <path>', 'a Node with CAP_NET_RAW');
}
