import { randomUUID } from 'node:crypto';
import type { Server } from 'node:https';
import swagger from '@fastify/swagger';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, fastify, LogController } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Route, type RouteName, routes } from '../../protocol/paths.ts';
import type { DeviceParts, ServerParts } from '../server-parts.ts';
import type { Device } from '../store.ts';
import type { ServerTls } from '../tls/venue-tls.ts';
import { type Authority, createAuthority } from './authority.ts';
import { createDeviceAuth } from './device-auth.ts';
import { type Answers, deviceAnswers } from './device-routes.ts';
import { addDocs } from './docs.ts';
import { addHandheld } from './handheld-routes.ts';
import { addHubRoutes } from './hub-routes.ts';
import { closeOnceSent } from './idle-connections.ts';
import { refuseAddress, refuseConnection } from './no-request.ts';
import { addOfficeRoutes, type Doors } from './office-routes.ts';
import { addCors } from './origins.ts';
import { createRateLimit } from './rate-limit.ts';
import { addRefusals, Refusal } from './refusal.ts';
import { addStatusLists } from './status-lists.ts';
import { limitStrangers } from './stranger-connections.ts';

/** Limits of every connection. */
export const httpLimits = {
	connectionsMax: 5_000,
	strangers: { perAddressMax: 1_000, max: 4_000 },
	handshakeMs: 10_000,
	headMs: 10_000,
	headerBytesMax: 16 * 1024,
	bodyBytesMax: 1024 * 1024,
	requestMs: 30_000,
	keepAliveMs: 75_000,
	/** How often connections are looked at that take too long. */
	lookMs: 1_000,
} as const;

/** Requests without a token, by address: enrolment, nonces, time, logins. A whole venue may share one address. */
const strangerRule = { burst: 200, perSecond: 50 } as const;

/** A server's app: its TLS is served by Node, and every route has a schema. */
export type App = FastifyInstance<Server>;

/** What one kind of server adds to the calls of devices. */
export interface Role {
	answers(authority: Authority): Answers;
	addRoutes(app: App, doors: Doors): void;
}

/** The role of the centre: it has operators, issues tickets, and hubs follow it. */
export function centreRole(parts: ServerParts): Role {
	return {
		answers: (authority) => deviceAnswers(parts, authority),
		addRoutes: (app, doors) => {
			addOfficeRoutes(app, parts, doors);
			addStatusLists(app, parts, doors.stranger);
			addHubRoutes(app, parts, doors);
		},
	};
}

/** Makes the app of a server; it does not listen yet. */
export async function createApp(parts: DeviceParts, tls: Pick<ServerTls, 'key' | 'cert'>, role: Role): Promise<App> {
	const app: App = fastify({
		https: {
			...{ key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2', maxHeaderSize: httpLimits.headerBytesMax },
			...{ handshakeTimeout: httpLimits.handshakeMs, headersTimeout: httpLimits.headMs },
			connectionsCheckingInterval: httpLimits.lookMs,
		},
		// Its own notes have no event; its type of a logger lacks what pino has beyond it.
		loggerInstance: parts.log.child({}, { level: 'error' }) as FastifyBaseLogger,
		// A line for each request would fill a hub's card; figures and refusals say the same.
		logController: new LogController({ disableRequestLogging: true }),
		bodyLimit: httpLimits.bodyBytesMax,
		requestTimeout: httpLimits.requestMs,
		keepAliveTimeout: httpLimits.keepAliveMs,
		forceCloseConnections: 'idle',
		return503OnClosing: false,
		genReqId: () => randomUUID(),
		// The name of a gate has 64 characters, and an address writes each with up to twelve.
		routerOptions: { maxParamLength: 768 },
		clientErrorHandler: refuseConnection,
		frameworkErrors: refuseAddress,
	});
	app.server.maxConnections = httpLimits.connectionsMax;
	closeOnceSent(app.server);
	await app.register(swagger, {
		openapi: { info: { title: 'Stileward server', version: '1', description: 'The calls of a venue’s server.' } },
	});
	const { known } = limitStrangers(app.server, httpLimits.strangers);
	// The calls of devices are the same on every kind of Node's servers.
	const doors = addDeviceCalls(app as unknown as FastifyInstance, { parts, role, known: ({ raw }) => known(raw) });
	role.addRoutes(app, doors);
	addHandheld(app, parts, tls.cert);
	addDocs(app, parts);
	await app.ready();
	return app;
}

/** Makes an app that answers devices alone and never listens: the simulator calls it by `inject`. */
export async function createDeviceApp(parts: ServerParts): Promise<FastifyInstance> {
	const app = fastify({ logger: false, bodyLimit: httpLimits.bodyBytesMax, return503OnClosing: false });
	addDeviceCalls(app, { parts, role: centreRole(parts), known: () => {} });
	await app.ready();
	return app;
}

/** Adds every call of the protocol, with its checks, its limits and the form of its refusals. */
function addDeviceCalls(
	app: FastifyInstance,
	{ parts, role, known }: { parts: DeviceParts; role: Pick<Role, 'answers'>; known: Doors['known'] },
): Doors {
	app.setValidatorCompiler(({ schema, httpPart }) => checkOf(schema as TSchema, httpPart !== 'body'));
	// What a route gives is sent as it is: a schema that hid a member would hide a mistake.
	app.setSerializerCompiler(() => (value) => JSON.stringify(value));
	addRefusals(app);
	addFigures(app, parts);
	addCors(app, parts.origins);
	const auth = createDeviceAuth(parts);
	const strangers = createRateLimit(strangerRule);
	const stranger = (request: FastifyRequest) => {
		const retryAfterMs = strangers.take(request.ip, parts.nowMs());
		if (retryAfterMs > 0) throw new Refusal('rate_limited', { retryAfterMs });
	};
	const authority = createAuthority(parts);
	const answers = role.answers(authority);
	// Between the hooks of a request; forgotten with it.
	const devices = new WeakMap<FastifyRequest, Device>();
	const enter = async (request: FastifyRequest) => {
		try {
			devices.set(request, await auth.authenticate(request));
			known(request);
		} catch (error) {
			if (error instanceof Refusal && error.code === 'token_invalid') stranger(request);
			throw error;
		}
	};
	for (const name of Object.keys(routes) as RouteName[]) {
		const route: Route = routes[name];
		app.route({
			method: route.method,
			url: route.path,
			schema: schemaOf(route),
			...(route.bodyBytesMax > 0 && { bodyLimit: route.bodyBytesMax }),
			// Before the body is read: strangers upload nothing.
			onRequest: async (request) => (route.auth === 'device' ? enter(request) : stranger(request)),
			handler: async (request, reply) => {
				const device = devices.get(request);
				const input = route.method === 'GET' ? request.query : request.body;
				// The schema of this very route has checked the input, and its auth says whether there is a device.
				const answer = answers[name] as unknown as (call: unknown) => Promise<unknown>;
				return answer({ input, device, request, reply });
			},
		});
	}
	return { stranger, known, forgetDevice: auth.forget, authority };
}

function schemaOf({ method, request, response, summary, auth }: Route) {
	return {
		summary,
		tags: [auth === 'device' ? 'device' : 'anyone'],
		...(method === 'GET' ? { querystring: request } : { body: request }),
		response: { 200: response },
	};
}

/** Checks with TypeBox; an address is text, which becomes a number where the schema wants one. */
function checkOf(schema: TSchema, isText: boolean) {
	const compiled = Compile(schema);
	return (input: unknown) => {
		const value = !isText || compiled.Check(input) ? input : compiled.Convert(input);
		if (compiled.Check(value)) return { value };
		const [first] = compiled.Errors(value);
		const where = first?.instancePath === '' ? 'the request' : `\`${first?.instancePath}\``;
		return { error: new Refusal('malformed', { detail: `${where} ${first?.message ?? 'does not fit'}` }) };
	};
}

function addFigures(app: FastifyInstance, { metrics, log }: DeviceParts): void {
	app.addHook('onRequest', async (request, reply) => {
		reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
	});
	app.addHook('onResponse', async (request, reply) => {
		const route = request.routeOptions.url ?? 'none';
		const status = String(reply.statusCode);
		metrics.requestSeconds.observe({ route, status }, reply.elapsedTime / 1000);
		if (reply.statusCode < 400) return;
		log.info({ event: 'request_refused', requestId: request.id, route, status: reply.statusCode });
	});
}
