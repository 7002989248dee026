import type { Command } from 'commander';
import { examples, integer, setting } from './arguments.ts';
import type { DevicesListOptions } from './devices-list.ts';
import type { DeviceTestOptions } from './devices-test.ts';
import type { Terminal } from './output.ts';

/** `devices list`, `devices identify` and `devices test`. */
export function addDevicesCommands(program: Command, terminal: Terminal): void {
	const devices = program
		.command('devices')
		.description(
			'What is plugged into this machine: scanners, relay boards, contacts. Nothing is sent to a device to find it.',
		);
	devices
		.command('list')
		.description('List what is plugged in, with the model that it can be and the name that outlives a re-plug.')
		.option('--json', 'print one JSON object a line')
		.addHelpText('after', examples('devices list', 'devices list --json'))
		.action(async (options: DevicesListOptions) => (await import('./devices-list.ts')).listDevices(options, terminal));
	devices
		.command('identify')
		.summary('say what a device is, and how a gate names it')
		.description(
			'Say what model a device is and how a gate’s configuration names it. Exit code 3 where nothing that is plugged in is known.',
		)
		.option('--path <path>', 'one device: its node, or a link to it')
		.option('--json', 'print one JSON object a line')
		.addHelpText('after', examples('devices identify', 'devices identify --path /dev/hidraw3'))
		.action(async (options: DevicesListOptions & { readonly path?: string }) =>
			(await import('./devices-identify.ts')).identifyDevices(options, terminal),
		);
	addTest(devices, terminal);
}

const testNotes = `
The lane must not run: a device has one program at a time. A scan is described and not shown, because a ticket is worth money;
--show prints it. The relay closes once for --pulse milliseconds: stand by the gate.`;

function addTest(devices: Command, terminal: Terminal): void {
	devices
		.command('test')
		.summary('try one device')
		.description('Try one device: wait for scans, click a relay, or watch contacts. Exit code 3 where it did not work.')
		.argument('<kind>', 'scanner, relay or inputs')
		.option('--model <name>', 'a model of device-configs')
		.option('--driver <name>', 'a driver, in the place of a model')
		.option('--set <key=value>', 'an option of the driver, e.g. path=/dev/ttyUSB0 (repeatable)', setting)
		.option('--channel <n>', 'channel of the relay', integer(1, 64), 1)
		.option('--pulse <ms>', 'length of the pulse', integer(50, 10_000), 300)
		.option('--seconds <n>', 'how long to wait or to watch', integer(1, 3_600), 30)
		.option('--show', 'print what was scanned')
		.option('--json', 'print one JSON object a line')
		.addHelpText('after', testNotes)
		.addHelpText(
			'after',
			examples(
				'devices test scanner --model honeywell-xenon',
				'devices test scanner --driver serial-line --set path=/dev/serial/by-id/usb-… --set baudRate=115200',
				'devices test relay --model lcus-1 --set path=/dev/serial/by-path/… --pulse 500',
				'devices test inputs --driver gpio --set chip=pinctrl-bcm2711 --set contacts.passage.line=23 --seconds 60',
			),
		)
		.action(async (kind: string, options: DeviceTestOptions) =>
			(await import('./devices-test.ts')).testDevice(kind, options, terminal),
		);
}
