import { type Command, Option } from 'commander';
import { examples } from './arguments.ts';
import { type SessionOptions, withSession } from './office-options.ts';
import type { Terminal } from './output.ts';
import type { StaffAddOptions, StaffOptions } from './staff-change.ts';

const staffNotes = `
Staff sign in at a handheld with their name and PIN; an operator's password is another thing and opens no handheld. After
five wrong PINs of one name, or at one device, the server makes them wait longer and longer. A new PIN and \`staff disable\`
end that person's sessions at once; a handheld without a network hears of it when it is back.`;

/** `staff …`: who may sign in at handhelds. */
export function addStaffCommands(program: Command, terminal: Terminal): void {
	const staff = program.command('staff').description('Say who may sign in at handhelds, and with what rights.');
	withSession(staff.command('add'))
		.summary('let somebody sign in at handhelds')
		.description('Let somebody sign in at handhelds with a PIN of 4 to 12 digits.')
		.requiredOption('--name <name>', 'name to sign in with: a-z, 0-9, dot, _ and -')
		.addOption(
			new Option('--role <role>', 'a supervisor also admits against a refusal')
				.choices(['steward', 'supervisor'])
				.makeOptionMandatory(),
		)
		.requiredOption('--pin-stdin', 'read the PIN, one line, from standard input')
		.addHelpText('after', staffNotes)
		.addHelpText('after', examples('staff add --name li.na --role steward --pin-stdin < pin'))
		.action(async (options: StaffAddOptions) => (await import('./staff-change.ts')).addStaff(options, terminal));
	withSession(staff.command('list'))
		.description('List the staff: role, state, and how often the PIN was set.')
		.addHelpText('after', examples('staff list', 'staff list --json'))
		.action(async (options: SessionOptions) => (await import('./staff-change.ts')).listStaff(options, terminal));
	withSession(staff.command('pin'))
		.description('Give somebody a new PIN, which ends that person’s sessions.')
		.requiredOption('--name <name>', 'who')
		.requiredOption('--pin-stdin', 'read the PIN, one line, from standard input')
		.addHelpText('after', examples('staff pin --name li.na --pin-stdin < pin'))
		.action(async (options: StaffOptions) => (await import('./staff-change.ts')).setStaffPin(options, terminal));
	for (const [act, description] of [
		['disable', 'Turn somebody away at every handheld, at once.'],
		['enable', 'Let somebody sign in again who was disabled.'],
	] as const) {
		withSession(staff.command(act))
			.description(description)
			.requiredOption('--name <name>', 'who')
			.addHelpText('after', examples(`staff ${act} --name li.na`))
			.action(async (options: StaffOptions) => (await import('./staff-change.ts')).changeStaff(act, options, terminal));
	}
}
