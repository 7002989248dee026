import { randomBytes } from 'node:crypto';
import type { ServerParts } from '../server-parts.ts';
import type { Device, OpenClaim } from '../store.ts';
import type { Authority } from './authority.ts';
import { hashCode } from './device-routes.ts';
import { isHubName } from './hub-answers.ts';
import { sendLaneCommand } from './lane-commands.ts';
import type { AddOfficeRoute, Doors } from './office-routes.ts';
import * as schemas from './office-schemas.ts';
import { Refusal } from './refusal.ts';

/** How long an enrolment code is good for, unless it says otherwise. */
const codeMinutes = 15;

/** Letters of a code: none that is taken for another (Crockford's base 32). */
const codeLetters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A device that was heard of within this time answers its open claims itself. */
const aliveMs = 120_000;

/** Adds the calls for those who look after devices. */
export function addFleetRoutes(add: AddOfficeRoute, parts: ServerParts, doors: Doors): void {
	addDevices(add, parts, doors);
	addCommands(add, parts);
	addClaims(add, parts, doors.authority);
}

function addDevices(add: AddOfficeRoute, { store, venue, server }: ServerParts, { forgetDevice }: Doors): void {
	add({
		method: 'POST',
		path: '/codes',
		summary: 'Makes a one-time code that enrolls a device, also in the place of another.',
		act: 'device.code',
		body: schemas.codeSchema,
		subject: ({ name, replace, hub }) => [name, ...(replace ? ['replace'] : []), ...(hub ? ['hub'] : [])].join(' '),
		handle: async ({ body: { name, minutes = codeMinutes, replace = false, hub = false }, atMs }) => {
			if (hub && !isHubName(name, server)) {
				throw new Refusal('malformed', { detail: 'the name of a hub is 1 to 64 of a-z, 0-9, dot and -' });
			}
			const code = makeCode();
			const expiresMs = atMs + minutes * 60_000;
			await store.addEnrollmentCode({ venue, name, codeHash: hashCode(code), expiresMs, replaces: replace, hub });
			return { name, code, expiresMs };
		},
	});
	add({
		method: 'GET',
		path: '/devices',
		summary: 'Devices: how far their journals are here, and what they last said of themselves.',
		handle: async () => ({ devices: await store.devices(venue) }),
	});
	add({
		method: 'PUT',
		path: '/devices/:device/status',
		summary: 'Disables a device, puts it into quarantine, or lets it work again.',
		act: 'device.status',
		body: schemas.statusSchema,
		params: schemas.params.device,
		subject: ({ status }, { device }) => `${device} ${status}`,
		handle: async ({ body: { status }, params: { device }, atMs }) => {
			await store.setDeviceStatus({ venue, device, status, atMs });
			forgetDevice(device);
			return { device, status };
		},
	});
}

function addCommands(add: AddOfficeRoute, parts: ServerParts): void {
	add({
		method: 'POST',
		path: '/devices/:device/commands',
		summary: 'Tells a lane to do something, soon or not at all.',
		act: 'device.command',
		body: schemas.commandSchema,
		params: schemas.params.device,
		subject: ({ lane, command }, { device }) => `${device} ${lane} ${command.kind}`,
		handle: ({ body: { lane, command, validMs }, params: { device }, operator, atMs }) => {
			const order = { device, lane, command, by: operator.name, atMs };
			return sendLaneCommand(parts, { ...order, ...(validMs !== undefined && { validMs }) });
		},
	});
}

function addClaims(add: AddOfficeRoute, parts: ServerParts, authority: Authority): void {
	const { store, venue } = parts;
	add({
		method: 'GET',
		path: '/devices/:device/claims',
		summary: 'Claims of a device that no row of its journal has ended: they hold uses.',
		params: schemas.params.device,
		handle: async ({ params: { device } }) => {
			await needDevice(parts, device);
			return { claims: await openClaims(parts, device) };
		},
	});
	add({
		method: 'POST',
		path: '/devices/:device/claims/release',
		summary: 'Gives back what a dead device holds, or some of it.',
		act: 'claim.release',
		body: schemas.releaseSchema,
		params: schemas.params.device,
		subject: ({ redemptions = ['all'] }, { device }) => `${device} ${redemptions.join(' ')}`.slice(0, 500),
		handle: async ({ body: { redemptions, force = false }, params: { device }, operator, atMs }) => {
			const { grants, behind } = (await store.head(venue)) ?? {};
			if (grants || behind) await authority.mayGrant();
			const { status, lastSeenMs = 0 } = await needDevice(parts, device);
			// What it has granted is on its way here; a visitor may be walking through on it.
			if (!force && status !== 'disabled' && atMs - lastSeenMs < aliveMs) throw new Refusal('device_alive');
			const open = redemptions ?? (await openClaims(parts, device)).map(({ redemption }) => redemption);
			if (open.length === 0) return { device, released: [] };
			const released = await store.releaseClaims({ venue, device, redemptions: open, by: operator.name, atMs });
			// Where a hub grants, it hears of them by the control log and gives them back.
			return { device, released, ...(!grants && { asked: open }) };
		},
	});
}

/** Where a hub grants, what it said last: claims that have been open for a while. */
async function openClaims({ store, venue }: ServerParts, device: string): Promise<readonly OpenClaim[]> {
	const head = await store.head(venue);
	if (head?.grants) return store.openClaims(venue, device);
	const hub = (await store.hubs(venue)).find(({ server }) => server === head?.authority);
	return (hub?.report?.claims ?? []).filter((claim) => claim.device === device);
}

async function needDevice({ store, venue }: ServerParts, device: string): Promise<Device> {
	const found = await store.device(venue, device);
	if (!found) throw new Refusal('not_found', { detail: 'there is no such device' });
	return found;
}

/** 100 random bits as four groups of five letters. */
function makeCode(): string {
	const letters = [...randomBytes(20)].map((byte) => codeLetters[byte & 31]).join('');
	return letters.replace(/.{5}(?=.)/g, '$&-');
}
