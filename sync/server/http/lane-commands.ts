import { randomBytes } from 'node:crypto';
import { isLaneCommand } from '../../protocol/lane-command.ts';
import type { ServerParts } from '../server-parts.ts';
import { Refusal } from './refusal.ts';

/** How long a lane command is carried out, unless it says otherwise. */
const commandMs = 5_000;

/** An order to a lane. */
export interface LaneOrder {
	readonly device: string;
	readonly lane: string;
	/** A `LaneCommand` without who gives it. */
	readonly command: { readonly kind: string };
	/** Who gives it is what this server knows, whatever the request says. */
	readonly by: string;
	readonly validMs?: number;
	readonly atMs: number;
}

/** Tells a lane to do something, soon or not at all. Throws a `Refusal`: `not_found` or `malformed`. */
export async function sendLaneCommand(
	{ store, venue }: Pick<ServerParts, 'store' | 'venue'>,
	{ device, lane, command: order, by, validMs = commandMs, atMs }: LaneOrder,
): Promise<{ readonly id: string; readonly expiresMs: number }> {
	if (!(await store.device(venue, device))) throw new Refusal('not_found', { detail: 'there is no such device' });
	const command = { ...order, by };
	if (!isLaneCommand(command))
		throw new Refusal('malformed', { detail: '`command` is none that lanes take from afar' });
	const id = randomBytes(16).toString('base64url');
	const expiresMs = atMs + validMs;
	await store.appendControl(venue, [{ kind: 'command', id, device, lane, command, expiresMs }], atMs);
	return { id, expiresMs };
}
