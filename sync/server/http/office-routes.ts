import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { Operator } from '../office/office.ts';
import type { ServerParts } from '../server-parts.ts';
import type { App } from './app.ts';
import type { Authority } from './authority.ts';
import { addAuthorityRoutes } from './authority-routes.ts';
import { bearerOf } from './device-auth.ts';
import { addEventRoutes } from './event-routes.ts';
import { addFleetRoutes } from './fleet-routes.ts';
import { addGateConfigRoutes } from './gate-config-routes.ts';
import * as schemas from './office-schemas.ts';
import { addOrderRoutes } from './order-routes.ts';
import { Refusal } from './refusal.ts';
import { addStaffRoutes } from './staff-routes.ts';

/** What the routes share with those of devices. */
export interface Doors {
	/** Throws `rate_limited` for an address that asks too often without a token. */
	stranger(request: FastifyRequest): void;
	/** Whoever asks has shown a token: the connection is no stranger's. */
	known(request: FastifyRequest): void;
	forgetDevice(device: string): void;
	readonly authority: Authority;
}

/** A privileged route: it is authenticated and audited before its handler runs. */
export interface OfficeRoute<Body extends TSchema, Params extends TSchema> {
	readonly method: 'GET' | 'POST' | 'PUT';
	readonly path: string;
	readonly summary: string;
	/** How the audit calls it; absent for what only reads. */
	readonly act?: string;
	readonly body?: Body;
	readonly params?: Params;
	/** What it is done to, for the audit. */
	readonly subject?: (body: Static<Body>, params: Static<Params>) => string;
	readonly handle: (call: {
		readonly body: Static<Body>;
		readonly params: Static<Params>;
		readonly operator: Operator;
		readonly atMs: number;
	}) => Promise<unknown>;
}

/** Adds a privileged route. */
export type AddOfficeRoute = <Body extends TSchema, Params extends TSchema>(route: OfficeRoute<Body, Params>) => void;

/** Adds the calls of operators, below `/v1/office`. */
export function addOfficeRoutes(app: App, parts: ServerParts, doors: Doors): void {
	addSessionRoutes(app, parts, doors);
	const add = officeRouteAdder(app, parts, doors);
	addOrderRoutes(add, parts);
	addEventRoutes(add, parts);
	addFleetRoutes(add, parts, doors);
	addGateConfigRoutes(add, parts);
	addStaffRoutes(add, parts);
	addAuthorityRoutes(add, parts);
	addCaseRoutes(add, parts);
}

function addSessionRoutes(app: App, { operators, venue, log }: ServerParts, doors: Doors): void {
	const login = { body: schemas.loginSchema, tags: ['office'], summary: 'Opens a session.' };
	app.post('/v1/office/login', { schema: login, bodyLimit: 4096 }, async (request) => {
		doors.stranger(request);
		const { name, password } = request.body as Static<typeof schemas.loginSchema>;
		const result = await operators.login({ venue, name, password, address: request.ip });
		log.info({ event: 'login', result: result.kind, requestId: request.id });
		if (result.kind === 'busy') throw new Refusal('rate_limited', { retryAfterMs: result.retryMs });
		if (result.kind === 'refused') throw new Refusal('forbidden', { detail: 'name or password is wrong' });
		return { token: result.token, expiresMs: result.expiresMs, role: result.role, venue };
	});
	const logout = { tags: ['office'], summary: 'Ends the session.' };
	app.post('/v1/office/logout', { schema: logout }, async (request) => {
		const token = bearerOf(request);
		if (token !== undefined) await operators.logout(token);
		return {};
	});
}

function officeRouteAdder(app: App, parts: ServerParts, doors: Doors): AddOfficeRoute {
	// Between the hooks of a request; forgotten with it.
	const operators = new WeakMap<FastifyRequest, Operator>();
	return (route) => {
		const { method, path, summary, body, params, act } = route;
		app.route({
			method,
			url: `/v1/office${path}`,
			schema: { summary, tags: ['office'], ...(body && { body }), ...(params && { params }) },
			// The session is asked for before the body is read: strangers upload nothing.
			onRequest: async (request) => {
				const token = bearerOf(request);
				const operator = token === undefined ? undefined : await parts.operators.operatorOf(token);
				if (!operator) doors.stranger(request);
				if (operator?.venue !== parts.venue) throw new Refusal('token_invalid', { detail: 'sign in again' });
				doors.known(request);
				operators.set(request, operator);
			},
			handler: async (request, reply) => {
				const operator = operators.get(request);
				if (!operator) throw new Refusal('token_invalid');
				const atMs = parts.nowMs();
				// The schemas of this route have checked both.
				const call = { body: request.body as never, params: request.params as never, operator, atMs };
				if (act !== undefined) {
					const subject = route.subject?.(call.body, call.params) ?? '';
					const row = { venue: parts.venue, atMs, operator: operator.name, act, subject };
					await parts.office.addAudit({ ...row, request: request.id });
				}
				const answer = await route.handle(call);
				if (act !== undefined) parts.feed.wake(parts.venue);
				if (answer instanceof Readable) reply.type('application/jsonl; charset=utf-8');
				return answer;
			},
		});
	};
}

function addCaseRoutes(add: AddOfficeRoute, { store, venue, office }: ServerParts): void {
	add({
		method: 'GET',
		path: '/cases',
		summary: 'What a person must look at.',
		handle: async () => ({ cases: await store.cases(venue) }),
	});
	add({
		method: 'POST',
		path: '/cases/:id/close',
		summary: 'Says what was found out about a case.',
		act: 'case.close',
		body: schemas.closeCaseSchema,
		params: schemas.params.id,
		subject: (_body, { id }) => id,
		handle: async ({ body: { text }, params: { id }, operator, atMs }) => {
			await store.closeCase({ venue, id, text, by: operator.name, atMs });
			return { id };
		},
	});
	add({
		method: 'GET',
		path: '/audit',
		summary: 'What operators did, the newest first.',
		handle: async () => ({ rows: await office.audit(venue, 1_000) }),
	});
}
