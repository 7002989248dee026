import { type Command, Option } from 'commander';
import { examples, integer, repeated } from './arguments.ts';
import type { ClaimListOptions, ClaimReleaseOptions } from './claim-list.ts';
import type { DeviceCommandOptions, DeviceStatusOptions } from './device-change.ts';
import type { DeviceCodeOptions } from './device-code.ts';
import { type SessionOptions, withSession } from './office-options.ts';
import type { Terminal } from './output.ts';

/** How a code is shown. Without one it is drawn where a terminal has the room. */
const codeFormats = ['text', 'qr', 'png', 'svg'] as const;
/** One of them. */
export type CodeFormat = (typeof codeFormats)[number];

/** `device …` and `claim …`. */
export function addDeviceCommands(program: Command, terminal: Terminal): void {
	const device = program.command('device').description('Enroll devices, look after them, and give lanes orders.');
	addCode(device, terminal);
	withSession(device.command('list'))
		.description('List devices: state, last seen, version, queue, age of their lists, clock and lanes.')
		.addHelpText('after', examples('device list', 'device list --json'))
		.action(async (options: SessionOptions) => (await import('./device-list.ts')).listDevices(options, terminal));
	addStatuses(device, terminal);
	addOrders(device, terminal);
	addClaims(program, terminal);
}

const codeNotes = `
Whoever has the code enrolls a device until it ends. On a terminal it is drawn as a QR code, which carries the address and
the pin of the server as well; \`gate enroll --link TEXT\` takes its text.
--replace: the device that has the name now is disabled once the code is used, also where it is the same device again.
The new one is its successor: it admits no home_only tickets of that name until \`device enable\` says that the old one is
off for good.
--handheld: the phone opens the address in its browser. It has to trust the venue's certificate first, once; the page
/handheld/trust of the server says how.`;

function addCode(device: Command, terminal: Terminal): void {
	withSession(device.command('code'))
		.summary('make a one-time code for a device')
		.description('Make a one-time code that enrolls a device.')
		.requiredOption('--name <name>', 'what people call the device')
		.option('--minutes <n>', 'how long it is good for', integer(1, 1_440), 15)
		.option('--replace', 'for a device that takes the place of the one with this name')
		.option('--hub', 'for a server on site: `server enroll` spends it, and --name becomes the id of the hub')
		.option('--handheld', 'for a phone: the code is an address that its camera opens')
		.addOption(new Option('--format <format>', 'how it is shown (default: by where it goes)').choices(codeFormats))
		.option('--out <file>', 'file of png and svg')
		.addHelpText('after', codeNotes)
		.addHelpText(
			'after',
			examples(
				'device code --name gate-1',
				'device code --name gate-1 --replace',
				'device code --name hub-1 --hub',
				'device code --name phone-1 --handheld',
				'device code --name gate-1 --format svg --out gate-1.svg',
			),
		)
		.action(async (options: DeviceCodeOptions) => (await import('./device-code.ts')).deviceCode(options, terminal));
}

function addStatuses(device: Command, terminal: Terminal): void {
	for (const [act, description] of [
		[
			'enable',
			'Let a device work that was disabled, is in quarantine, or is the successor of one that is off for good.',
		],
		['disable', 'Put a device out of work: it is turned away, and refunds do not wait for it.'],
		['quarantine', 'Let a device admit on the authority’s word alone, until somebody has looked at it.'],
	] as const) {
		withSession(device.command(act))
			.description(description)
			.requiredOption('--device <name>', 'name or id of the device')
			.addHelpText('after', examples(`device ${act} --device gate-1`))
			.action(async (options: DeviceStatusOptions) =>
				(await import('./device-change.ts')).changeDevice(act, options, terminal),
			);
	}
}

const laneOrders = ['set_mode', 'staff_entry', 'confirm', 'reject', 'stop_group', 'emergency_open'];
const laneModes = ['entry', 'exit', 'both', 'free', 'locked', 'drop_arm'];

const orderNotes = `
The order reaches the lane by the feed and is journalled with your name. A lane that hears of it too late does nothing. An
emergency is ended at the lane alone, by somebody who sees it.`;

function addOrders(device: Command, terminal: Terminal): void {
	withSession(device.command('command'))
		.summary('give a lane an order')
		.description('Give a lane an order that is carried out within seconds or not at all.')
		.requiredOption('--device <name>', 'name or id of the device')
		.requiredOption('--lane <name>', 'the lane')
		.addOption(new Option('--order <order>', 'what it is to do').choices(laneOrders).makeOptionMandatory())
		.addOption(new Option('--mode <mode>', 'with set_mode').choices(laneModes))
		.option('--class <name>', 'with staff_entry: class of the visitors')
		.option('--count <n>', 'with staff_entry: how many', integer(1, 100))
		.option('--reason <text>', 'with staff_entry: why they enter without a ticket')
		.option('--seconds <n>', 'how long it may take to get there', integer(1, 60), 5)
		.addHelpText('after', orderNotes)
		.addHelpText(
			'after',
			examples(
				'device command --device gate-1 --lane lane-1 --order set_mode --mode locked',
				'device command --device gate-1 --lane lane-1 --order staff_entry --class infant --count 2 --reason "with parents"',
			),
		)
		.action(async (options: DeviceCommandOptions) =>
			(await import('./device-change.ts')).commandDevice(options, terminal),
		);
}

const releaseNotes = `
A claim holds a use between the authority's word and the gate's journal. A device that lives answers for its own; one that
was here in the last two minutes is refused without --force. If a visitor entered on a claim that is released, the same
ticket may enter once more, and that becomes a case as soon as the device's journal arrives.`;

function addClaims(program: Command, terminal: Terminal): void {
	const claim = program.command('claim').description('See claims that hold uses, and release those of a dead device.');
	withSession(claim.command('list'))
		.description('List claims that no journal has answered yet.')
		.option('--device <name>', 'only of this device')
		.addHelpText('after', examples('claim list', 'claim list --device gate-1 --json'))
		.action(async (options: ClaimListOptions) => (await import('./claim-list.ts')).listClaims(options, terminal));
	withSession(claim.command('release'))
		.summary('give back what a dead device holds')
		.description('Give back what a dead device holds, or some of it.')
		.requiredOption('--device <name>', 'name or id of the device')
		.option('--redemption <id>', 'only this claim (repeatable)', repeated)
		.option('--force', 'also where the device was here just now')
		.addHelpText('after', releaseNotes)
		.addHelpText('after', examples('claim release --device gate-1'))
		.action(async (options: ClaimReleaseOptions) => (await import('./claim-list.ts')).releaseClaims(options, terminal));
}
