import type { FastifyRequest } from 'fastify';
import { createStatusList, type StatusList, signStatusList, withStatus } from '../../../gate-agent/core/status-list.ts';
import { nodeZlib } from '../../node/node-zlib.ts';
import { eventKeyOf } from '../issuing.ts';
import type { ServerParts } from '../server-parts.ts';
import type { App } from './app.ts';
import { params } from './office-schemas.ts';
import { Refusal } from './refusal.ts';

/** Seconds after which a reader fetches a list again. */
const ttlSeconds = 60;

/** Seconds after which a list that could not be fetched anew says nothing any more. */
const validSeconds = 86_400;

/** The status of a ticket that is revoked; any other is valid (Token Status List §7.1). */
const revokedStatus = 1;

/**
 * Adds `GET /v1/status/:evt`: which tickets of an event are revoked, as a token that the event's issuer key signs. Its
 * `sub` is the address that was asked, so a list cannot stand in for another. Anyone may read it.
 */
export function addStatusLists(app: App, parts: ServerParts, stranger: (request: FastifyRequest) => void): void {
	const schema = {
		summary: 'Revoked tickets of an event, a signed status list.',
		tags: ['anyone'],
		params: params.evt,
	};
	app.get('/v1/status/:evt', { schema }, async (request, reply) => {
		stranger(request);
		// The schema of this route has checked it.
		const { evt } = request.params as { evt: string };
		const revoked = await parts.snapshots.revoked(evt);
		if (!revoked) throw new Refusal('not_found', { detail: `there is no event ${evt}` });
		const sub = `https://${request.host}/v1/status/${evt}`;
		const iat = Math.floor(parts.nowMs() / 1000);
		const list = listOf(revoked);
		const times = { iat, exp: iat + validSeconds, ttl: ttlSeconds };
		const token = await signStatusList({ sub, ...times, list }, eventKeyOf(parts.issuer, evt), nodeZlib);
		reply.header('cache-control', `public, max-age=${ttlSeconds}`);
		return reply.type('application/statuslist+jwt').send(token);
	});
}

function listOf(revoked: readonly number[]): StatusList {
	// Ascending, so the last is the highest; the list has its full size at once.
	const list = createStatusList(1, (revoked.at(-1) ?? 0) + 1);
	for (const idx of revoked) withStatus(list, idx, revokedStatus);
	return list;
}
