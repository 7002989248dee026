import Type, { type Static, type TSchema } from 'typebox';
import { claimsRequestSchema, claimsResponseSchema } from './claims.ts';
import { enrollRequestSchema, enrollResponseSchema } from './enroll.ts';
import { feedPageSchema } from './feed.ts';
import { protocolVersion } from './fields.ts';
import { configQuerySchema, configResponseSchema } from './gate-config.ts';
import { type Check, lazyCheck } from './lazy-check.ts';
import { openClaimsResponseSchema } from './open-claims.ts';
import { packageQuerySchema, releaseQuerySchema, releaseResponseSchema } from './release.ts';
import { reportResponseSchema, reportSchema } from './report.ts';
import { segmentsRequestSchema, segmentsResponseSchema } from './segments.ts';
import { snapshotSchema } from './snapshot.ts';
import * as staff from './staff.ts';
import { timeQuerySchema, timeResponseSchema } from './time.ts';
import { nonceResponseSchema, tokenRequestSchema, tokenResponseSchema } from './token.ts';

/** One call of the protocol. A `GET` has its request in the query, a `POST` in a JSON body. */
export interface Route {
	readonly method: 'GET' | 'POST';
	readonly path: string;
	readonly summary: string;
	/** `device`: an access token as `Authorization: Bearer`. */
	readonly auth: 'none' | 'device';
	readonly request: TSchema;
	readonly response: TSchema;
	/** The largest request body, in bytes. */
	readonly bodyBytesMax: number;
	/** Whether `Accept: text/event-stream` gives the same entries as they come. */
	readonly stream?: true;
}

const nothing = Type.Object({}, { additionalProperties: false });
const kib = 1024;

/** `GET /v1/feed`: everything after a cursor; `waitMs` keeps the answer back until there is something to say. */
export const feedQuerySchema = Type.Object(
	{
		since: Type.String({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$', maxLength: 48, description: 'Cursor.' }),
		waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 55_000 })),
	},
	{ additionalProperties: false },
);

/** The heartbeat of a stream is a comment line this often; a stream that is silent for three of them is dead. */
export const streamHeartbeatMs = 15_000;

/** Every call, once: the server routes by it, the client calls by it, and OpenAPI is made of it. */
export const routes = {
	enroll: {
		method: 'POST',
		path: `/${protocolVersion}/enroll`,
		summary: 'Makes a device known by its key, once per code.',
		auth: 'none',
		request: enrollRequestSchema,
		response: enrollResponseSchema,
		bodyBytesMax: 4 * kib,
	},
	nonce: {
		method: 'GET',
		path: `/${protocolVersion}/nonce`,
		summary: 'A nonce for the next assertion.',
		auth: 'none',
		request: nothing,
		response: nonceResponseSchema,
		bodyBytesMax: 0,
	},
	token: {
		method: 'POST',
		path: `/${protocolVersion}/token`,
		summary: 'Exchanges a device assertion for an access token (RFC 7523).',
		auth: 'none',
		request: tokenRequestSchema,
		response: tokenResponseSchema,
		bodyBytesMax: 4 * kib,
	},
	time: {
		method: 'GET',
		path: `/${protocolVersion}/time`,
		summary: 'The time, signed for the nonce of the caller.',
		auth: 'none',
		request: timeQuerySchema,
		response: timeResponseSchema,
		bodyBytesMax: 0,
	},
	claims: {
		method: 'POST',
		path: `/${protocolVersion}/claims`,
		summary: 'May these tickets enter here now? The first wins.',
		auth: 'device',
		request: claimsRequestSchema,
		response: claimsResponseSchema,
		bodyBytesMax: 64 * kib,
	},
	openClaims: {
		method: 'GET',
		path: `/${protocolVersion}/claims/open`,
		summary: 'Claims of this device that no row of its journal has ended.',
		auth: 'device',
		request: nothing,
		response: openClaimsResponseSchema,
		bodyBytesMax: 0,
	},
	segments: {
		method: 'POST',
		path: `/${protocolVersion}/segments`,
		summary: 'Takes a run of journal rows.',
		auth: 'device',
		request: segmentsRequestSchema,
		response: segmentsResponseSchema,
		// The segment and the JSON around it.
		bodyBytesMax: 1024 * kib + kib,
	},
	report: {
		method: 'POST',
		path: `/${protocolVersion}/report`,
		summary: 'How a device stands, and how far its journal is here.',
		auth: 'device',
		request: reportSchema,
		response: reportResponseSchema,
		bodyBytesMax: 32 * kib,
	},
	feed: {
		method: 'GET',
		path: `/${protocolVersion}/feed`,
		summary: 'Changes of the venue after a cursor.',
		auth: 'device',
		request: feedQuerySchema,
		response: feedPageSchema,
		bodyBytesMax: 0,
		stream: true,
	},
	snapshot: {
		method: 'GET',
		path: `/${protocolVersion}/snapshot`,
		summary: 'The venue at its newest cursor.',
		auth: 'device',
		request: nothing,
		response: snapshotSchema,
		bodyBytesMax: 0,
	},
	config: {
		method: 'GET',
		path: `/${protocolVersion}/config`,
		summary: 'The newest configuration that was pushed to this gate.',
		auth: 'device',
		request: configQuerySchema,
		response: configResponseSchema,
		bodyBytesMax: 0,
	},
	release: {
		method: 'GET',
		path: `/${protocolVersion}/release`,
		summary: 'What the venue says of a version of the program.',
		auth: 'device',
		request: releaseQuerySchema,
		response: releaseResponseSchema,
		bodyBytesMax: 0,
	},
	package: {
		method: 'GET',
		path: `/${protocolVersion}/package`,
		summary: 'The bytes of a package; a Range of bytes=N- goes on after N bytes.',
		auth: 'device',
		request: packageQuerySchema,
		response: Type.Unknown({ description: 'application/vnd.debian.binary-package' }),
		bodyBytesMax: 0,
	},
	staffSignIn: {
		method: 'POST',
		path: `/${protocolVersion}/staff/sign-in`,
		summary: 'Signs somebody of the staff in at this device.',
		auth: 'device',
		request: staff.staffSignInSchema,
		response: staff.staffSignInResponseSchema,
		bodyBytesMax: kib,
	},
	staffStatus: {
		method: 'POST',
		path: `/${protocolVersion}/staff/status`,
		summary: 'Whether a session of staff still holds.',
		auth: 'device',
		request: staff.staffStatusSchema,
		response: staff.staffStatusResponseSchema,
		bodyBytesMax: kib,
	},
	staffTicket: {
		method: 'POST',
		path: `/${protocolVersion}/staff/ticket`,
		summary: 'What became of a ticket, for staff.',
		auth: 'device',
		request: staff.staffTicketSchema,
		response: staff.staffTicketResponseSchema,
		bodyBytesMax: kib,
	},
	staffOrder: {
		method: 'POST',
		path: `/${protocolVersion}/staff/order`,
		summary: 'The tickets of an order, for staff.',
		auth: 'device',
		request: staff.staffOrderSchema,
		response: staff.staffOrderResponseSchema,
		bodyBytesMax: kib,
	},
	staffLanes: {
		method: 'POST',
		path: `/${protocolVersion}/staff/lanes`,
		summary: 'The lanes of the venue, for staff.',
		auth: 'device',
		request: staff.staffLanesSchema,
		response: staff.staffLanesResponseSchema,
		bodyBytesMax: kib,
	},
	staffLaneOrder: {
		method: 'POST',
		path: `/${protocolVersion}/staff/lane-order`,
		summary: 'Answers a lane that waits for staff.',
		auth: 'device',
		request: staff.staffLaneOrderSchema,
		response: staff.staffLaneOrderResponseSchema,
		bodyBytesMax: kib,
	},
} as const satisfies Record<string, Route>;

/** The name of one call. */
export type RouteName = keyof typeof routes;

/** The name of one call for staff, who sign in at a device. */
export type StaffRouteName = Extract<RouteName, `staff${string}`>;

/** What a call carries. */
export type RequestOf<Name extends RouteName> = Static<(typeof routes)[Name]['request']>;

/** What a call is answered with where it is not refused. */
export type ResponseOf<Name extends RouteName> = Static<(typeof routes)[Name]['response']>;

/** Path and query of a call. */
export function addressOf<Name extends RouteName>(name: Name, request: RequestOf<Name>): string {
	const { method, path } = routes[name];
	if (method === 'POST') return path;
	const query = Object.entries(request)
		.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
		.join('&');
	return query === '' ? path : `${path}?${query}`;
}

/** The checks of every call, made of its schemas when they are first needed. */
const checks = Object.fromEntries(
	Object.entries(routes).map(([name, { request, response }]) => [
		name,
		{ request: lazyCheck(request), response: lazyCheck(response) },
	]),
) as Readonly<Record<RouteName, { readonly request: Check; readonly response: Check }>>;

/** Whether a value is what this call is answered with. Members that a newer server adds are let through. */
export function isResponse<Name extends RouteName>(name: Name, value: unknown): value is ResponseOf<Name> {
	return checks[name].response(value);
}

/** Whether a value is what this call carries. */
export function isRequest<Name extends RouteName>(name: Name, value: unknown): value is RequestOf<Name> {
	return checks[name].request(value);
}
