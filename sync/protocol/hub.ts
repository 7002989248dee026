import Type, { type Static, type TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { claimSchema, claimsPerRequestMax, claimsResponseSchema } from './claims.ts';
import { cursorSchema } from './cursor.ts';
import { enrollRequestSchema, enrollResponseSchema } from './enroll.ts';
import {
	allowanceName,
	deviceEpoch,
	deviceId,
	deviceStatus,
	eventId,
	laneName,
	protocolVersion,
	redemptionId,
	serverId,
	sha256Text,
	ticketNumber,
	timeMs,
} from './fields.ts';
import { configQuerySchema, configResponseSchema } from './gate-config.ts';
import { openClaimsResponseSchema } from './open-claims.ts';
import { publicJwkSchema } from './public-key.ts';
import { reportSchema } from './report.ts';
import { segmentBytesMax } from './segments.ts';

/** Segments in one exchange between two servers, and about how many bytes of them. */
export const hubSegmentsMax = 64;
/** @see hubSegmentsMax */
export const hubSegmentsBytesMax = 3 * 1024 * 1024;

/** Entries of one log in one exchange. */
export const hubEntriesMax = 1_000;

/** Reports of devices in one report of a hub. */
export const hubReportsMax = 1_000;

/** Contacts that a hub remembers; it adds one after each answer of its centre and at each start. */
export const hubContactsMax = 256;

const closed = { additionalProperties: false };
const count = Type.Integer({ minimum: 0 });
const epoch = Type.Integer({ minimum: 1 });
const pem = Type.String({ maxLength: 16_384, pattern: '^-----BEGIN ' });

/** A request for a certificate (RFC 2986, PEM), signed by the key that it is for; it names the hosts. */
const certificateRequest = { ...pem, description: 'Certificate request of RFC 2986, PEM.' };

/** Where a server stands, and who grants in this epoch as far as it knows. */
const headSchema = Type.Object({ ...cursorSchema.properties, authority: serverId });

/** A device as one server tells another of it. */
export const hubDeviceSchema = Type.Object({
	device: deviceId,
	name: Type.String({ minLength: 1, maxLength: 64 }),
	jwk: publicJwkSchema,
	status: deviceStatus,
	enrolledMs: timeMs('When it was enrolled'),
});
/** @see hubDeviceSchema */
export type HubDevice = Static<typeof hubDeviceSchema>;

/** An entry of a log as it stands in it: `change` is its JSON text, verbatim, so that every server has the same bytes. */
export const hubEntrySchema = Type.Object(
	{ n: epoch, change: Type.String({ maxLength: 1024 * 1024 }) },
	{ additionalProperties: true },
);

/** A signed segment on its way between servers. */
export const hubSegmentSchema = Type.Object(
	{ device: deviceId, segment: Type.String({ maxLength: segmentBytesMax }) },
	{ additionalProperties: true },
);

/** A claim that is open when an epoch ends: the next authority holds its uses until the device's journal ends it. */
export const hubClaimSchema = Type.Object(
	{
		device: deviceId,
		redemption: redemptionId,
		journal: deviceEpoch,
		evt: eventId,
		idx: ticketNumber,
		allowance: allowanceName,
		use: Type.Integer({ minimum: 1, maximum: 10_000 }),
		uses: Type.Integer({ minimum: 0, maximum: 10_000 }),
		lane: laneName,
		atMs: timeMs('When it was granted'),
	},
	closed,
);
/** @see hubClaimSchema */
export type HubClaim = Static<typeof hubClaimSchema>;

/** An epoch: who grants in it and, once it is over, the last number of its admissions log. */
export const hubEpochSchema = Type.Object({ epoch, server: serverId, ended: Type.Optional(count) });
/** @see hubEpochSchema */
export type HubEpoch = Static<typeof hubEpochSchema>;

/** `POST /v1/hub/join`: a server shows the code of a hub once. */
export const hubJoinSchema = Type.Object(
	{ code: enrollRequestSchema.properties.code, key: publicJwkSchema, certificateRequest },
	closed,
);
/** What a hub keeps: all that it trusts later, and its certificate, under the pin that the venue's devices have. */
export const hubJoinResponseSchema = Type.Object({
	...enrollResponseSchema.properties,
	server: { ...serverId, description: 'The id of the hub itself, from its code.' },
	centre: { ...serverId, description: 'The id of the centre.' },
	certificate: Type.Optional({ ...pem, description: 'Certificate chain; absent where the centre uses its own one.' }),
});

/** `GET /v1/hub/follow`: where a hub stands in what it follows. */
export const hubFollowSchema = Type.Object(
	{
		control: count,
		/** SHA-256 of entry `control`: a centre that was restored may have written another one under its number. */
		controlHash: Type.Optional(sha256Text),
		epoch,
		admissions: count,
		// The members of a query are read from text, which needs the schema's own kind: none is spread.
		arrival: Type.Integer({
			minimum: 0,
			description: 'Newest segment of the centre that is here, as it arrived there.',
		}),
		all: Type.Integer({
			minimum: 0,
			description: 'Up to this arrival also segments that came through this hub are sent.',
		}),
		waitMs: Type.Integer({ minimum: 0, maximum: 55_000 }),
	},
	closed,
);
/** What follows. Entries of the admissions log come after every segment whose rows they name. */
export const hubFollowResponseSchema = Type.Object({
	head: headSchema,
	control: Type.Array(Type.Object({ ...hubEntrySchema.properties, atMs: timeMs('When it was written') })),
	devices: Type.Array(hubDeviceSchema),
	segments: Type.Array(hubSegmentSchema),
	arrival: count,
	admissions: Type.Array(hubEntrySchema),
	epochs: Type.Array(hubEpochSchema),
});
/** @see hubFollowResponseSchema */
export type HubFollowPage = Static<typeof hubFollowResponseSchema>;

/** `POST /v1/hub/report`: sent at each contact, before anything else. */
export const hubReportSchema = Type.Object(
	{
		head: headSchema,
		grants: Type.Boolean(),
		contacts: Type.Array(redemptionId, {
			minItems: 1,
			maxItems: hubContactsMax,
			description: 'Random ids of its contacts, the newest last: without the last one of the centre it was restored.',
		}),
		waiting: Type.Object({ segments: count, entries: count }),
		devices: Type.Array(Type.Object({ device: deviceId, report: reportSchema, atMs: timeMs('When it came') }), {
			maxItems: hubReportsMax,
			description: 'New reports of devices, once all rows that the hub had by then are passed on.',
		}),
		claims: Type.Array(hubClaimSchema, {
			maxItems: 1_000,
			description: 'Claims that no row has ended for a while: whose device may be dead.',
		}),
	},
	closed,
);
/** `stale`: the hub lost what it once had. It grants no more in this epoch. */
export const hubReportResponseSchema = Type.Object({
	head: headSchema,
	stale: Type.Boolean(),
});

/** What became of log entries or of the end of an epoch. */
export const hubLogAnswerSchema = Type.Union([
	Type.Object({ kind: Type.Literal('stored'), admissions: count }),
	/** Entries are missing before those that were sent. */
	Type.Object({ kind: Type.Literal('gap'), admissions: count }),
	/** Rows are missing that an entry names: segments are sent anew. */
	Type.Object({ kind: Type.Literal('rows_missing') }),
	/** An operator ended the epoch without this hub: what the hub has beyond `admissions` counts in a later epoch. */
	Type.Object({ kind: Type.Literal('abandoned'), admissions: count }),
	/** Other entries stand under these numbers: one of the two servers was restored. */
	Type.Object({ kind: Type.Literal('forked') }),
]);
/** @see hubLogAnswerSchema */
export type HubLogAnswer = Static<typeof hubLogAnswerSchema>;

/** One call between a hub and its centre. */
export interface HubRoute {
	readonly method: 'GET' | 'POST';
	readonly path: string;
	readonly summary: string;
	/** `hub`: the access token of a hub. */
	readonly auth: 'none' | 'hub';
	readonly request: TSchema;
	readonly response: TSchema;
	readonly bodyBytesMax: number;
}

const kib = 1024;

/**
 * Every call between a hub and its centre, once. A hub proves who it is like a device: a nonce, an assertion by its
 * key, a token. Devices have no right to any of these.
 */
export const hubRoutes = {
	join: {
		method: 'POST',
		path: `/${protocolVersion}/hub/join`,
		summary: 'Makes a hub known by its key, once per code, and signs its certificate.',
		auth: 'none',
		request: hubJoinSchema,
		response: hubJoinResponseSchema,
		bodyBytesMax: 32 * kib,
	},
	certificate: {
		method: 'POST',
		path: `/${protocolVersion}/hub/certificate`,
		summary: 'Renews the certificate of a hub.',
		auth: 'hub',
		request: Type.Object({ certificateRequest }, closed),
		response: Type.Object({ certificate: pem }),
		bodyBytesMax: 32 * kib,
	},
	report: {
		method: 'POST',
		path: `/${protocolVersion}/hub/report`,
		summary: 'How a hub stands; says whether it lost something.',
		auth: 'hub',
		request: hubReportSchema,
		response: hubReportResponseSchema,
		bodyBytesMax: 4 * 1024 * kib,
	},
	follow: {
		method: 'GET',
		path: `/${protocolVersion}/hub/follow`,
		summary: 'What a hub does not have yet: control log, segments, admissions of another authority.',
		auth: 'hub',
		request: hubFollowSchema,
		response: hubFollowResponseSchema,
		bodyBytesMax: 0,
	},
	segments: {
		method: 'POST',
		path: `/${protocolVersion}/hub/segments`,
		summary: 'Takes segments of devices as they came to the hub.',
		auth: 'hub',
		request: Type.Object({ segments: Type.Array(hubSegmentSchema, { minItems: 1, maxItems: hubSegmentsMax }) }, closed),
		response: Type.Object({ taken: count }),
		bodyBytesMax: 6 * 1024 * kib,
	},
	admissions: {
		method: 'POST',
		path: `/${protocolVersion}/hub/admissions`,
		summary: 'Takes entries of the log that the hub writes, with their numbers.',
		auth: 'hub',
		request: Type.Object(
			{ epoch, entries: Type.Array(hubEntrySchema, { minItems: 1, maxItems: hubEntriesMax }) },
			closed,
		),
		response: hubLogAnswerSchema,
		bodyBytesMax: 2 * 1024 * kib,
	},
	end: {
		method: 'POST',
		path: `/${protocolVersion}/hub/end`,
		summary: 'Ends an epoch of the hub: nothing more comes in it. Without `admissions` the hub lost its log.',
		auth: 'hub',
		request: Type.Object(
			{ epoch, admissions: Type.Optional(count), claims: Type.Array(hubClaimSchema, { maxItems: 20_000 }) },
			closed,
		),
		response: hubLogAnswerSchema,
		bodyBytesMax: 8 * 1024 * kib,
	},
	begin: {
		method: 'POST',
		path: `/${protocolVersion}/hub/begin`,
		summary: 'Begins an epoch that names the hub, once; gives the claims that are open.',
		auth: 'hub',
		request: Type.Object({ epoch, instance: redemptionId }, closed),
		response: Type.Union([
			Type.Object({ kind: Type.Literal('begun'), claims: Type.Array(hubClaimSchema) }),
			/** The epoch before is not over at the centre. */
			Type.Object({ kind: Type.Literal('waits') }),
		]),
		bodyBytesMax: kib,
	},
	claims: {
		method: 'POST',
		path: `/${protocolVersion}/hub/claims`,
		summary: 'Relays claims of a device.',
		auth: 'hub',
		request: Type.Object(
			{
				device: deviceId,
				claims: Type.Array(claimSchema, { minItems: 1, maxItems: claimsPerRequestMax }),
				cursor: Type.Optional(cursorSchema),
			},
			closed,
		),
		response: claimsResponseSchema,
		bodyBytesMax: 64 * kib,
	},
	openClaims: {
		method: 'POST',
		path: `/${protocolVersion}/hub/claims/open`,
		summary: 'Claims of a device that no row of its journal has ended.',
		auth: 'hub',
		request: Type.Object({ device: deviceId }, closed),
		response: openClaimsResponseSchema,
		bodyBytesMax: kib,
	},
	config: {
		method: 'POST',
		path: `/${protocolVersion}/hub/config`,
		summary: 'Relays the question of a device for its configuration.',
		auth: 'hub',
		request: Type.Object({ device: deviceId, ...configQuerySchema.properties }, closed),
		response: configResponseSchema,
		bodyBytesMax: kib,
	},
	staff: {
		method: 'POST',
		path: `/${protocolVersion}/hub/staff`,
		summary: 'Relays a call of staff at a device, as it came.',
		auth: 'hub',
		request: Type.Object(
			{
				device: deviceId,
				call: Type.String({ maxLength: 32, description: 'Name of the call.' }),
				request: Type.Unknown({ description: 'What the device sent.' }),
			},
			closed,
		),
		response: Type.Object({}, { description: 'The answer to that call.' }),
		bodyBytesMax: 2 * kib,
	},
	enroll: {
		method: 'POST',
		path: `/${protocolVersion}/hub/enroll`,
		summary: 'Relays the enrollment of a device.',
		auth: 'hub',
		request: enrollRequestSchema,
		response: hubDeviceSchema,
		bodyBytesMax: 4 * kib,
	},
} as const satisfies Record<string, HubRoute>;

/** Where a hub loads what its centre counts, as JSON lines that end with `{"kind":"done"}`. */
export const hubStatePath = `/${protocolVersion}/hub/state`;

/** The name of one call between servers. */
export type HubRouteName = keyof typeof hubRoutes;

/** What a call between servers carries. */
export type HubRequestOf<Name extends HubRouteName> = Static<(typeof hubRoutes)[Name]['request']>;

/** What it is answered with where it is not refused. */
export type HubResponseOf<Name extends HubRouteName> = Static<(typeof hubRoutes)[Name]['response']>;

/** Whether a value is what this call is answered with. */
export function isHubResponse<Name extends HubRouteName>(name: Name, value: unknown): value is HubResponseOf<Name> {
	return Check(hubRoutes[name].response, value);
}
