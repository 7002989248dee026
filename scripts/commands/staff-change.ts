import { StilewardError } from '../../gate-agent/core/errors.ts';
import { withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { jsonLine, type Terminal, table } from './output.ts';
import { readPassword } from './password.ts';

/** Which of the staff. */
export interface StaffOptions extends SessionOptions {
	readonly name: string;
}

/** The options of `staff add`. */
export interface StaffAddOptions extends StaffOptions {
	readonly role: 'steward' | 'supervisor';
}

/** Lets somebody sign in at handhelds. */
export async function addStaff(options: StaffAddOptions, terminal: Terminal): Promise<void> {
	const { name, role, profile, json } = options;
	const pin = await readPin(terminal);
	await withOffice(profile, terminal, async (office) => {
		const added = await office.call({ method: 'POST', path: '/staff', body: { name: nameOf(options), role, pin } });
		await terminal.out.write(json ? jsonLine(added) : `${name} may sign in at handhelds as ${role}\n`);
	});
}

/** Lists the staff. */
export async function listStaff({ profile, json }: SessionOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const { staff } = await office.call({ method: 'GET', path: '/staff' });
		// The server's answer has this form.
		const people = staff as readonly { name: string; role: string; status: string; pinVersion: number }[];
		const rows = people.map(({ name, role, status, pinVersion }) => [name, role, status, String(pinVersion)]);
		await terminal.out.write(
			json ? people.map(jsonLine).join('') : table([['NAME', 'ROLE', 'STATUS', 'PIN VERSION'], ...rows]),
		);
	});
}

/** Gives somebody a new PIN. */
export async function setStaffPin(options: StaffOptions, terminal: Terminal): Promise<void> {
	const { name, profile, json } = options;
	const pin = await readPin(terminal);
	await withOffice(profile, terminal, async (office) => {
		const set = await office.call({ method: 'PUT', path: `/staff/${nameOf(options)}/pin`, body: { pin } });
		await terminal.out.write(json ? jsonLine(set) : `${name} has a new PIN and signs in again\n`);
	});
}

/** Turns somebody away, or lets that person sign in again. */
export async function changeStaff(act: 'disable' | 'enable', options: StaffOptions, terminal: Terminal): Promise<void> {
	const { profile, json } = options;
	const body = { status: act === 'disable' ? 'disabled' : 'active' };
	await withOffice(profile, terminal, async (office) => {
		const set = await office.call({ method: 'PUT', path: `/staff/${nameOf(options)}/status`, body });
		await terminal.out.write(json ? jsonLine(set) : `${options.name} is ${body.status}\n`);
	});
}

/** The name becomes part of an address. */
function nameOf({ name }: StaffOptions): string {
	if (/^[a-z0-9][a-z0-9._-]{0,31}$/.test(name)) return name;
	throw new StilewardError('usage', 'a name of staff is 1 to 32 characters of a-z, 0-9, dot, _ and -');
}

async function readPin(terminal: Terminal): Promise<string> {
	const pin = await readPassword(terminal, '--pin-stdin');
	if (!/^[0-9]{4,12}$/.test(pin)) throw new StilewardError('usage', 'a PIN is 4 to 12 digits');
	return pin;
}
