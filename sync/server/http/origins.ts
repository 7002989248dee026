import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Route, routes } from '../../protocol/paths.ts';
import { Refusal } from './refusal.ts';

/** Origins of one hub: a hub listens at one port and has few names. */
const perHubMax = 16;

/** How long a browser may remember what it was allowed, in seconds. */
const preflightSeconds = 600;

/** The header by which a hub tells its centre where it listens. A centre that does not know it lets it pass. */
export const hubOriginsHeader = 'stileward-origins';

/** Web origins of a venue's servers: a handheld that came from one of them may call the others. */
export interface Origins {
	allows(origin: string): boolean;
	/** Takes what a hub says of itself; it replaces what that hub said before. */
	learn(hub: string, header: string | undefined): void;
}

/** Makes the origins of a server that is told some of them at its start. */
export function createOrigins(fixed: readonly string[]): Origins {
	const own = new Set(fixed.flatMap((url) => originOf(url) ?? []));
	const hubs = new Map<string, ReadonlySet<string>>();
	return {
		allows: (origin) => own.has(origin) || [...hubs.values()].some((each) => each.has(origin)),
		learn: (hub, header) => {
			if (header === undefined) return;
			const told = header.split(' ').slice(0, perHubMax);
			hubs.set(hub, new Set(told.flatMap((url) => originOf(url) ?? [])));
		},
	};
}

/** The origin of an address with TLS; undefined for any other text. */
export function originOf(url: string): string | undefined {
	if (!URL.canParse(url)) return undefined;
	const { origin, protocol } = new URL(url);
	return protocol === 'https:' ? origin : undefined;
}

/** Answers browsers that ask whether a page of another origin may call (CORS, the Fetch standard). No cookie is ever sent. */
export function addCors(app: FastifyInstance, origins: Origins): void {
	const paths = new Set(Object.values(routes).map(({ path }: Route) => path));
	const allowed = ({ headers: { origin } }: FastifyRequest) =>
		origin !== undefined && origins.allows(origin) ? origin : undefined;
	app.addHook('onRequest', async (request, reply) => {
		if (!paths.has(request.routeOptions.url ?? '')) return;
		reply.header('vary', 'origin');
		const origin = allowed(request);
		if (origin === undefined) return;
		reply.header('access-control-allow-origin', origin);
		reply.header('access-control-expose-headers', 'etag, retry-after, x-request-id');
	});
	for (const path of paths) {
		app.options(path, { schema: { hide: true } }, async (request, reply) => {
			if (allowed(request) === undefined) throw new Refusal('forbidden', { detail: 'this origin is not of the venue' });
			reply.header('access-control-allow-methods', 'GET, POST');
			reply.header('access-control-allow-headers', 'accept, authorization, content-type, if-none-match, last-event-id');
			reply.header('access-control-max-age', String(preflightSeconds));
			// A server on the local network, called from a page of the public one (Private Network Access).
			if (request.headers['access-control-request-private-network'] === 'true') {
				reply.header('access-control-allow-private-network', 'true');
			}
			return reply.code(204).send();
		});
	}
}
