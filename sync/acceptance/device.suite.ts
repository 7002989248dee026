import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { createHttpsClient, type HttpsClient, type HttpsRequest } from '../node/https-client.ts';
import type { Claim, ClaimAnswer } from '../protocol/claims.ts';
import { signDeviceAssertion } from '../protocol/device-assertion.ts';
import { addressOf, type RequestOf, type ResponseOf, type RouteName, routes } from '../protocol/paths.ts';
import { signSegment } from '../protocol/segment-jws.ts';
import { jwtBearerGrant } from '../protocol/token.ts';
import type { VenueSegment } from '../server/store.ts';
import { type Answer, bodyOf, readAnswer } from './answer.suite.ts';
import { evt, type Venue } from './venue.suite.ts';

/** A device by its key: what a copied disk has too. */
export interface Identity {
	readonly id: string;
	readonly key: JWK;
	readonly enrollment: ResponseOf<'enroll'>;
}

/** A device that speaks with one server over connections of its own. */
export interface Device extends Identity {
	readonly http: HttpsClient;
	/** Its access token. */
	token: string;
	/** Sends anything, with a token where one is given. */
	ask(request: HttpsRequest, token?: string): Promise<Answer>;
	/** One call of the protocol with its own token. */
	call<Name extends RouteName>(name: Name, request: RequestOf<Name>): Promise<Answer>;
	/** Claims that must be answered. */
	claim(claims: readonly Claim[]): Promise<readonly ClaimAnswer[]>;
	/** Sends rows, signed with its key. */
	push(segment: VenueSegment): Promise<Answer>;
	close(): void;
}

/** 128 random bits, base64url. */
export function newId(): string {
	return randomBytes(16).toString('base64url');
}

/** Makes a private key. */
export async function newKey(): Promise<JWK> {
	return exportJWK((await generateKeyPair('Ed25519', { extractable: true })).privateKey);
}

/** Enrolls a new device, or a key that another venue knows already, and fetches its token. */
export async function enrollDevice(
	venue: Venue,
	{
		name = `gate-${newId()}`,
		key,
		sockets = 4,
	}: { readonly name?: string; readonly key?: JWK; readonly sockets?: number } = {},
): Promise<Device> {
	const made = await venue.office({ method: 'POST', path: '/v1/office/codes', body: { name } });
	const { code } = bodyOf<{ code: string }>(made);
	const own = key ?? (await newKey());
	const http = pinned(venue, sockets);
	const body = { code, key: onlyPublic(own), name, version: '0.1.0' };
	const answer = await patiently(async () => readAnswer(await http.send({ method: 'POST', path: '/v1/enroll', body })));
	http.close();
	const enrollment = bodyOf<ResponseOf<'enroll'>>(answer);
	return connectDevice(venue, { id: enrollment.device, key: own, enrollment }, sockets);
}

/** Another program with the key of a device: the device itself after a restart, or its copy. */
export async function connectDevice(venue: Venue, identity: Identity, sockets = 4): Promise<Device> {
	const http = pinned(venue, sockets);
	const ask: Device['ask'] = async (request, token) => {
		const headers = { ...request.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
		return readAnswer(await http.send({ timeoutMs: 30_000, ...request, headers }));
	};
	const granted = await patiently(async () => sendAssertion({ ask }, await assertionOf({ ...identity, ask })));
	const { access_token } = bodyOf<ResponseOf<'token'>>(granted);
	const device: Device = {
		...identity,
		http,
		ask,
		token: access_token,
		call: (name, request) => {
			const { method } = routes[name];
			const path = addressOf(name, request);
			return ask({ method, path, ...(method === 'POST' && { body: request }) }, device.token);
		},
		claim: async (claims) => bodyOf<ResponseOf<'claims'>>(await device.call('claims', { claims: [...claims] })).answers,
		push: async (segment) => device.call('segments', { segment: await signedSegment(identity, segment) }),
		close: () => http.close(),
	};
	return device;
}

/** Signs rows as this device. */
export function signedSegment({ id, key }: Pick<Identity, 'id' | 'key'>, segment: VenueSegment): Promise<string> {
	const { deviceEpoch: epoch, from, to, prevHash, rows } = segment;
	return signSegment({ device: id, epoch, from, to, prevHash, rows: [...rows] }, key);
}

/** An assertion for a fresh nonce of the server; `over` spoils it. */
export async function assertionOf(
	{ id, key, enrollment, ask }: Identity & Pick<Device, 'ask'>,
	over: Partial<Parameters<typeof signDeviceAssertion>[0]> = {},
): Promise<string> {
	const { nonce, nowMs } = bodyOf<ResponseOf<'nonce'>>(
		await patiently(() => ask({ method: 'GET', path: '/v1/nonce' })),
	);
	const { venue, server } = enrollment;
	return signDeviceAssertion({ device: id, venue, server, nonce, jti: newId(), nowMs, ...over }, key);
}

/** Asks for a token with an assertion as it is. */
export function sendAssertion({ ask }: Pick<Device, 'ask'>, assertion: string): Promise<Answer> {
	return ask({ method: 'POST', path: '/v1/token', body: { grant_type: jwtBearerGrant, assertion } });
}

/** A claim for one use of a ticket. */
export function claimOf(idx: number, over: Partial<Claim> = {}): Claim {
	const ticket = { evt, idx, allowance: 'ticket', cls: 'adult', use: 1, uses: 1 };
	return { redemption: newId(), journal: 'epoch-1', ...ticket, lane: 'lane-1', atMs: Date.now(), ...over };
}

function pinned({ url, fingerprint }: Pick<Venue, 'url' | 'fingerprint'>, socketsMax: number): HttpsClient {
	return createHttpsClient({ url, fingerprint, trustedNowMs: Date.now, socketsMax, connectMs: 30_000 });
}

/** All devices of a test come from one address, so they may have to wait for their turn. */
async function patiently(ask: () => Promise<Answer>): Promise<Answer> {
	for (;;) {
		const answer = await ask();
		if (answer.status !== 429) return answer;
		const { retryAfterMs } = answer.body as { retryAfterMs: number };
		await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
	}
}
