import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { type Cursor, parseCursor } from '../../protocol/cursor.ts';
import { verifyDeviceAssertion } from '../../protocol/device-assertion.ts';
import { deviceIdOf } from '../../protocol/enroll.ts';
import { openClaimsMax } from '../../protocol/open-claims.ts';
import type { RequestOf, ResponseOf, RouteName, StaffRouteName } from '../../protocol/paths.ts';
import { openSegment } from '../../protocol/segment-jws.ts';
import { signTime } from '../../protocol/signed-time.ts';
import { rowHash } from '../row-hash.ts';
import type { DeviceParts, ServerParts } from '../server-parts.ts';
import type { Device, VenueHead } from '../store.ts';
import { accessTokenMs } from './access-tokens.ts';
import type { Authority } from './authority.ts';
import { answerFeed } from './feed-route.ts';
import { configFor } from './gate-config-answers.ts';
import { Refusal } from './refusal.ts';
import { releaseAnswers } from './release-answers.ts';
import { type StaffAnswers, staffAnswers } from './staff-answers.ts';

/** What a call of the protocol is answered from. */
export interface Call<Name extends RouteName> {
	readonly input: RequestOf<Name>;
	/** The device that asks; only where the route's `auth` says so. */
	readonly device: Device;
	readonly request: FastifyRequest;
	readonly reply: FastifyReply;
}

/** Answers one call; what has written to the reply itself gives the reply. */
export type Answers = {
	readonly [Name in RouteName]: (call: Call<Name>) => Promise<ResponseOf<Name> | FastifyReply>;
};

/** The answers to every call of the protocol. */
export function deviceAnswers(parts: ServerParts, authority: Authority): Answers {
	return {
		...commonAnswers(parts, authority),
		...staffDeviceAnswers(staffAnswers(parts)),
		enroll: ({ input }) => enroll(parts, input),
		config: ({ input, device }) => configFor(parts, device, input),
	};
}

/** The answers to staff, as calls of devices. */
export function staffDeviceAnswers(staff: StaffAnswers): Pick<Answers, StaffRouteName> {
	const at =
		<Name extends StaffRouteName>(name: Name) =>
		({ input, device: { device }, request }: Call<Name>): Promise<ResponseOf<Name>> =>
			staff[name]({ input, device, requestId: request.id });
	return {
		staffSignIn: at('staffSignIn'),
		staffStatus: at('staffStatus'),
		staffTicket: at('staffTicket'),
		staffOrder: at('staffOrder'),
		staffLanes: at('staffLanes'),
		staffLaneOrder: at('staffLaneOrder'),
	};
}

/** The answers that a centre and a hub give alike. */
export function commonAnswers(
	parts: DeviceParts,
	authority: Authority,
): Omit<Answers, 'enroll' | 'config' | StaffRouteName> {
	const { server, nowMs, nonces } = parts;
	return {
		...releaseAnswers(parts),
		nonce: async () => ({ nonce: nonces.make(nowMs()), server, nowMs: nowMs() }),
		time: async ({ input: { nonce } }) => ({
			time: await signTime({ nonce, server, nowMs: nowMs() }, parts.keys.timeKey),
		}),
		token: ({ input }) => token(parts, input),
		claims: ({ input, device }) => claims(parts, authority, { input, device }),
		openClaims: ({ device }) => openClaims(parts, authority, device),
		segments: ({ input, device }) => segments(parts, device, input),
		report: ({ input, device }) => report(parts, device, input),
		snapshot: ({ request, reply }) => snapshot(parts, request, reply),
		feed: async ({ input, request, reply }) => {
			const since = parseCursor(String(request.headers['last-event-id'] ?? input.since));
			if (!since) throw new Refusal('malformed', { detail: 'the cursor is none that this server writes' });
			return answerFeed(parts, { since, waitMs: input.waitMs ?? 0, request, reply });
		},
	};
}

async function enroll(parts: ServerParts, input: RequestOf<'enroll'>): Promise<ResponseOf<'enroll'>> {
	const { device, venue } = await enrollDevice(parts, input);
	const { server, issuer, fingerprint, keys, nowMs } = parts;
	return {
		...{ device, venue, server, rootKey: issuer.rootKey, caPin: fingerprint },
		...{ timeKeys: [keys.timePublicKey], nowMs: nowMs() },
	};
}

/** Makes a device known. Throws a `Refusal`: `key_enrolled` or `code_invalid`. */
export async function enrollDevice(parts: DeviceParts, input: RequestOf<'enroll'>): Promise<Device> {
	const { store, venue, nowMs } = parts;
	const jwk = onlyPublic(input.key);
	const device = await deviceIdOf(jwk);
	const codeHash = hashCode(input.code);
	const made = await store.enroll({ codeHash, jwk, device, atMs: nowMs() });
	if (!made) throw new Refusal('code_invalid');
	parts.log.info({ event: 'device_enrolled', device, name: made.name, version: input.version });
	parts.feed.wake(venue);
	return made;
}

/** Codes are kept as hashes; hyphens are for the eye. */
export function hashCode(code: string): string {
	return createHash('sha256').update(code.replaceAll('-', '').toUpperCase()).digest('base64url');
}

async function token(parts: DeviceParts, input: RequestOf<'token'>): Promise<ResponseOf<'token'>> {
	const { store, venue, server, nonces, nowMs } = parts;
	const result = await verifyDeviceAssertion(input.assertion, {
		server,
		nowMs: nowMs(),
		device: async (id) => {
			const device = await store.device(venue, id);
			if (!device) {
				const hub = await store.hub(venue, id);
				return hub ? { kind: 'enrolled', venue, key: hub.jwk } : { kind: 'unknown' };
			}
			return device.status === 'disabled' ? { kind: 'disabled' } : { kind: 'enrolled', venue, key: device.jwk };
		},
		useUp: async (use) => nonces.useUp(use, nowMs()),
	});
	if (result.kind === 'refused') throw new Refusal(result.code);
	return {
		access_token: parts.tokens.issue(result, nowMs()),
		token_type: 'Bearer',
		expires_in: accessTokenMs / 1000,
		venue: result.venue,
		timeKeys: [parts.keys.timePublicKey],
	};
}

/** Decides claims of a device. Throws a `Refusal` where this server may not. */
export async function claims(
	parts: DeviceParts,
	authority: Authority,
	{ input, device }: { readonly input: RequestOf<'claims'>; readonly device: Pick<Device, 'device'> },
): Promise<ResponseOf<'claims'>> {
	const { venue, store, nowMs, metrics } = parts;
	const atMs = nowMs();
	const seen = shownBy(input);
	return authority.grant(seen, async (epoch) => {
		// A claim is told to nobody before its device's row is here, so there is no news for the feed.
		const answers = await store.claim(
			input.claims.map((claim) => ({ venue, device: device.device, claim, atMs, epoch, ...(seen && { seen }) })),
		);
		for (const { result } of answers) metrics.claims.inc({ result });
		return { epoch, answers: [...answers] };
	});
}

/** How far a device has followed the authority, as it says with its claims. */
function shownBy({ epoch = 0, cursor }: RequestOf<'claims'>): Cursor | undefined {
	if (cursor !== undefined && cursor.epoch >= epoch) return cursor;
	return epoch > 0 ? { epoch, control: 0, admissions: 0 } : undefined;
}

/** Lists the claims of a device that no row has ended. Throws a `Refusal` where another server grants. */
export async function openClaims(
	{ store, venue }: DeviceParts,
	authority: Authority,
	{ device }: Pick<Device, 'device'>,
): Promise<ResponseOf<'openClaims'>> {
	const { epoch }: VenueHead = await authority.mayGrant();
	const open = await store.openClaims(venue, device);
	const claims = open.slice(0, openClaimsMax);
	return { epoch, claims: claims.map(({ redemption, journal, atMs }) => ({ redemption, journal, atMs })) };
}

async function segments(
	parts: DeviceParts,
	device: Device,
	input: RequestOf<'segments'>,
): Promise<ResponseOf<'segments'>> {
	const opened = await openSegment(input.segment, { device: device.device, key: device.jwk, hash: rowHash });
	if (opened.kind === 'refused') throw new Refusal(opened.code, { detail: opened.detail });
	const { epoch, from, to, prevHash, rows } = opened.segment;
	const outcome = await parts.segments.ingest({
		venue: parts.venue,
		device: device.device,
		deviceEpoch: epoch,
		from,
		to,
		prevHash,
		lastHash: opened.lastHash,
		rows,
		jws: input.segment,
		atMs: parts.nowMs(),
	});
	parts.metrics.rows.inc({ outcome: outcome.kind }, rows.length);
	const { acceptedThrough } = outcome;
	if (outcome.kind === 'quarantined') {
		parts.log.warn({ event: 'device_quarantined', device: device.device, why: outcome.why });
		return { acceptedThrough, conflicts: [], status: 'quarantined' };
	}
	const conflicts = outcome.kind === 'accepted' ? [...outcome.conflicts] : [];
	return { acceptedThrough, conflicts, status: device.status === 'quarantined' ? 'quarantined' : 'active' };
}

async function report(
	{ store, venue, nowMs }: DeviceParts,
	{ device: id }: Device,
	input: RequestOf<'report'>,
): Promise<ResponseOf<'report'>> {
	await store.reportDevice({ venue, device: id, report: input, atMs: nowMs() });
	const device = await store.device(venue, id);
	if (!device) throw new Refusal('device_unknown');
	const { deviceEpoch: epoch, acceptedThrough: through, headHash: hash, status } = device;
	return {
		...(epoch !== undefined && { journal: { epoch, through, ...(hash !== undefined && { hash }) } }),
		status: status === 'quarantined' ? 'quarantined' : 'active',
	};
}

async function snapshot(parts: DeviceParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
	const { etag, body } = await parts.snapshots.newest();
	reply.header('etag', etag).header('cache-control', 'private, no-cache').header('vary', 'authorization');
	if (request.headers['if-none-match'] === etag) return reply.code(304).send();
	return reply.header('content-type', 'application/json').header('content-encoding', 'gzip').send(body);
}
