import type { Static } from 'typebox';
import type { ServerParts } from '../server-parts.ts';
import type { AddOfficeRoute } from './office-routes.ts';
import * as schemas from './office-schemas.ts';
import { Refusal } from './refusal.ts';

/** Adds the calls for those who say who the staff are. */
export function addStaffRoutes(add: AddOfficeRoute, parts: ServerParts): void {
	const { office, staff, venue } = parts;
	add({
		method: 'GET',
		path: '/staff',
		summary: 'Who may sign in at devices.',
		handle: async () => ({
			staff: (await office.staff(venue)).map(({ name, role, status, pinVersion }) => ({
				...{ name, role, status, pinVersion },
			})),
		}),
	});
	add({
		method: 'POST',
		path: '/staff',
		summary: 'Lets somebody sign in at devices with a PIN.',
		act: 'staff.add',
		body: schemas.staffSchema,
		subject: ({ name, role }) => `${name} ${role}`,
		handle: async ({ body: { name, role, pin } }) => {
			if (!(await staff.add({ venue, name, role, pin }))) throw new Refusal('staff_exists');
			return { name, role, status: 'active', pinVersion: 1 };
		},
	});
	addChanges(add, parts);
}

function addChanges(add: AddOfficeRoute, { office, staff, venue }: ServerParts): void {
	add({
		method: 'PUT',
		path: '/staff/:name/pin',
		summary: 'Gives somebody a new PIN, which ends that person’s sessions.',
		act: 'staff.pin',
		body: schemas.staffPinSchema,
		params: schemas.params.staff,
		subject: (_body: Static<typeof schemas.staffPinSchema>, { name }) => name,
		handle: async ({ body: { pin }, params: { name } }) => {
			const pinVersion = await staff.setPin({ venue, name }, pin);
			if (pinVersion === undefined) throw noStaff();
			return { name, pinVersion };
		},
	});
	add({
		method: 'PUT',
		path: '/staff/:name/status',
		summary: 'Turns somebody away at every device, or lets that person sign in again.',
		act: 'staff.status',
		body: schemas.staffStatusSchema,
		params: schemas.params.staff,
		subject: ({ status }, { name }) => `${name} ${status}`,
		handle: async ({ body: { status }, params: { name } }) => {
			if (!(await office.setStaffStatus({ venue, name }, status))) throw noStaff();
			return { name, status };
		},
	});
}

function noStaff(): Refusal {
	return new Refusal('not_found', { detail: 'nobody of the staff has this name' });
}
