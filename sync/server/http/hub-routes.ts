import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { type HubRoute, type HubRouteName, hubRoutes, hubStatePath } from '../../protocol/hub.ts';
import type { Hub } from '../replication.ts';
import type { ServerParts } from '../server-parts.ts';
import type { App } from './app.ts';
import { bearerOf } from './device-auth.ts';
import { hubAnswers } from './hub-answers.ts';
import type { Doors } from './office-routes.ts';
import { hubOriginsHeader } from './origins.ts';
import { Refusal } from './refusal.ts';

/** Adds the calls between a hub and this centre. Only the token of a hub opens them. */
export function addHubRoutes(app: App, parts: ServerParts, doors: Doors): void {
	const { stranger, authority, known } = doors;
	const answers = hubAnswers(parts, authority);
	const enter = async (request: FastifyRequest): Promise<Hub> => {
		try {
			const hub = await hubOf(parts, request);
			known(request);
			const told = request.headers[hubOriginsHeader];
			parts.origins.learn(hub.device, typeof told === 'string' ? told : undefined);
			return hub;
		} catch (error) {
			if (error instanceof Refusal && error.code === 'token_invalid') stranger(request);
			throw error;
		}
	};
	for (const name of Object.keys(hubRoutes) as HubRouteName[]) {
		const route: HubRoute = hubRoutes[name];
		app.route({
			method: route.method,
			url: route.path,
			schema: schemaOf(route),
			...(route.bodyBytesMax > 0 && { bodyLimit: route.bodyBytesMax }),
			// Who asks is known before the body is read: strangers upload nothing.
			onRequest: async (request) => {
				if (route.auth === 'none') stranger(request);
				else await enter(request);
			},
			handler: async (request) => {
				const hub = route.auth === 'hub' ? await hubOf(parts, request) : undefined;
				const input = route.method === 'GET' ? request.query : request.body;
				// The schema of this very route has checked the input, and its auth says whether there is a hub.
				const answer = answers[name] as unknown as (call: unknown) => Promise<unknown>;
				return answer({ input, hub, requestId: request.id });
			},
		});
	}
	const schema = { summary: 'All that counts, as JSON lines.', tags: ['hub'] };
	app.get(hubStatePath, { schema }, async (request, reply) => {
		await enter(request);
		const lines = await parts.store.exportState(parts.venue, parts.issuer.manifest);
		const body = await promisify(gzip)(lines.map((line) => `${line}\n`).join(''), { level: 1 });
		return reply.type('application/jsonl; charset=utf-8').header('content-encoding', 'gzip').send(body);
	});
}

function schemaOf({ method, request, response, summary }: HubRoute) {
	return {
		summary,
		tags: ['hub'],
		...(method === 'GET' ? { querystring: request } : { body: request }),
		response: { 200: response },
	};
}

/** The hub that a request speaks for. Throws `token_invalid`. */
async function hubOf({ tokens, store, venue, nowMs }: ServerParts, request: FastifyRequest): Promise<Hub> {
	const token = bearerOf(request);
	const access = token === undefined ? undefined : tokens.verify(token, nowMs());
	const hub = access && (await store.hub(venue, access.device));
	if (!hub) throw new Refusal('token_invalid');
	return hub;
}
