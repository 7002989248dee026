import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { readIfThere, secretMode, writeDurably } from '../../sync/server/durable-file.ts';
import type { StaffPins } from './page/practice-wire.ts';
import type { PracticeOffice } from './practice-office.ts';

/** Who signs in at handhelds of the practice; each is called as the role is. */
export const staffRoles = ['steward', 'supervisor'] as const satisfies readonly (keyof StaffPins)[];

/** The staff, and where their PINs lie. */
export interface PracticeStaff {
	readonly pins: StaffPins;
	/** Readable by this user alone. */
	readonly file: string;
	/** The PINs were made at this start. */
	readonly isNew: boolean;
}

/** A PIN of six digits. */
const pinDigits = 6;

/** The staff whose PINs lie in the server's folder; the first start makes them. */
export async function ensureStaff(office: PracticeOffice, dir: string): Promise<PracticeStaff> {
	const file = join(dir, 'server', 'staff.pins');
	const kept = readPins(await readIfThere(file));
	const pins = kept ?? { steward: makePin(), supervisor: makePin() };
	// Written first: a PIN that the server has and nobody knows would lock its owner out.
	if (kept === undefined) await writeDurably(file, formatPins(pins), secretMode);
	const { staff } = await office.call({ method: 'GET', path: '/staff' });
	// The server's answer has this form.
	const known = new Set((staff as readonly { readonly name: string }[]).map(({ name }) => name));
	for (const role of staffRoles) {
		const pin = pins[role];
		if (!known.has(role)) await office.call({ method: 'POST', path: '/staff', body: { name: role, role, pin } });
		else if (kept === undefined) await office.call({ method: 'PUT', path: `/staff/${role}/pin`, body: { pin } });
	}
	return { pins, file, isNew: kept === undefined };
}

function makePin(): string {
	return String(randomInt(10 ** pinDigits)).padStart(pinDigits, '0');
}

function formatPins(pins: StaffPins): string {
	return staffRoles.map((role) => `${role} ${pins[role]}\n`).join('');
}

function readPins(text: string | undefined): StaffPins | undefined {
	const [, steward, supervisor] = /^steward (\d{4,12})\nsupervisor (\d{4,12})\n$/.exec(text ?? '') ?? [];
	return steward === undefined || supervisor === undefined ? undefined : { steward, supervisor };
}
