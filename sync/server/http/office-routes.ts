import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { Operator } from '../office/office.ts';
import type { ServerParts } from '../server-parts.ts';
import type { App } from './app.ts';
import { bearerOf } from './device-auth.ts';
import { hashCode } from './device-routes.ts';
import * as schemas from './office-schemas.ts';
import { addOrderRoutes } from './order-routes.ts';
import { Refusal } from './refusal.ts';

/** How long an enrolment code is good for, unless it says otherwise. */
const codeMinutes = 15;

/** How long a lane command is carried out, unless it says otherwise. */
const commandMs = 5_000;

/** Letters of a code: none that is taken for another (Crockford's base 32). */
const codeLetters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** What the routes share with those of devices. */
export interface Doors {
	/** Throws `rate_limited` for an address that asks too often without a token. */
	stranger(request: FastifyRequest): void;
	forgetDevice(device: string): void;
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
	addDeviceRoutes(add, parts, doors);
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

function addEventRoutes(add: AddOfficeRoute, { store, venue, issuer }: ServerParts): void {
	add({
		method: 'PUT',
		path: '/events/:evt',
		summary: 'Makes an event, or gives it new rules.',
		act: 'event.put',
		body: schemas.eventSchema,
		params: schemas.params.evt,
		subject: (_body, { evt }) => evt,
		handle: async ({ body, params: { evt }, atMs }) => {
			if (body.policy.evt !== evt) {
				throw new Refusal('malformed', { detail: '`policy.evt` must name this event' });
			}
			issuer.keyFor(evt, 0);
			await store.putEvent(venue, { evt, policy: body.policy }, atMs);
			return { evt };
		},
	});
	add({
		method: 'GET',
		path: '/events',
		summary: 'Events and their rules.',
		handle: async () => ({ events: await store.events(venue) }),
	});
}

function addDeviceRoutes(add: AddOfficeRoute, { store, venue }: ServerParts, { forgetDevice }: Doors): void {
	add({
		method: 'POST',
		path: '/codes',
		summary: 'Makes a one-time code that enrolls a device.',
		act: 'device.code',
		body: schemas.codeSchema,
		subject: ({ name }) => name,
		handle: async ({ body: { name, minutes = codeMinutes }, atMs }) => {
			const code = makeCode();
			const expiresMs = atMs + minutes * 60_000;
			await store.addEnrollmentCode({ venue, name, codeHash: hashCode(code), expiresMs });
			return { name, code, expiresMs };
		},
	});
	add({
		method: 'GET',
		path: '/devices',
		summary: 'Devices, and how far their journals are here.',
		handle: async () => ({ devices: await store.devices(venue) }),
	});
	add({
		method: 'PUT',
		path: '/devices/:device/status',
		summary: 'Disables a device, enables it or puts it into quarantine.',
		act: 'device.status',
		body: schemas.statusSchema,
		params: schemas.params.device,
		subject: ({ status }, { device }) => `${device} ${status}`,
		handle: async ({ body: { status }, params: { device }, atMs }) => {
			await store.setDeviceStatus({ venue, device, status, atMs });
			await store.appendControl(venue, [{ kind: 'device', device, status }], atMs);
			forgetDevice(device);
			return { device, status };
		},
	});
	add({
		method: 'POST',
		path: '/devices/:device/commands',
		summary: 'Tells a lane to do something, soon or not at all.',
		act: 'device.command',
		body: schemas.commandSchema,
		params: schemas.params.device,
		subject: ({ lane, command }, { device }) => `${device} ${lane} ${command.kind}`,
		handle: async ({ body: { lane, command, validMs = commandMs }, params: { device }, atMs }) => {
			const id = randomBytes(16).toString('base64url');
			const expiresMs = atMs + validMs;
			await store.appendControl(venue, [{ kind: 'command', id, device, lane, command, expiresMs }], atMs);
			return { id, expiresMs };
		},
	});
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

/** 100 random bits as four groups of five letters. */
function makeCode(): string {
	const letters = [...randomBytes(20)].map((byte) => codeLetters[byte & 31]).join('');
	return letters.replace(/.{5}(?=.)/g, '$&-');
}
