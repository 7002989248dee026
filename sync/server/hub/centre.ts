import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { createSession, type Session } from '../../client/session.ts';
import { createHttpsClient, type HttpsAnswer, type HttpsClient } from '../../node/https-client.ts';
import { createHttpsTransport } from '../../node/https-transport.ts';
import { nodeClock } from '../../node/node-clock.ts';
import { signDeviceAssertion } from '../../protocol/device-assertion.ts';
import {
	type HubRequestOf,
	type HubResponseOf,
	type HubRouteName,
	hubRoutes,
	hubStatePath,
	isHubResponse,
} from '../../protocol/hub.ts';
import { problemContentType, readProblem } from '../../protocol/problem.ts';
import { hubOriginsHeader } from '../http/origins.ts';
import { Refusal } from '../http/refusal.ts';
import type { HubEnrollment } from './enrollment.ts';

/** How long one call waits. */
export interface CallLimits {
	readonly timeoutMs?: number;
	readonly signal?: AbortSignal;
}

/** The centre as its hub sees it. */
export interface Centre {
	/** Rejects with a `Refusal` of the centre, or with an operating error where no answer of it came. */
	call<Name extends HubRouteName>(
		name: Name,
		request: HubRequestOf<Name>,
		limits?: CallLimits,
	): Promise<HubResponseOf<Name>>;
	/** All that the centre counts, as JSON lines. */
	state(signal: AbortSignal): Promise<readonly string[]>;
	close(): void;
}

/** The largest state, packed and unpacked: an event of ten million tickets. */
const stateBytesMax = 512 * 1024 * 1024;

/** How long the state may take over a slow line, and how long any other answer may. */
const stateTimeoutMs = 300_000;
const callTimeoutMs = 30_000;

/** The largest answer to any other call. */
const answerBytesMax = 32 * 1024 * 1024;

/** Opens the connection of a hub to its centre; nothing is sent before the first call. */
export function openCentre(
	enrollment: HubEnrollment,
	nowMs: () => number,
	origins: () => readonly string[] = () => [],
): Centre {
	const { upstream: url, fingerprint } = enrollment;
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: nowMs });
	const session = openSession(enrollment, client);
	return {
		call: (name, request, limits = {}) =>
			authorized(session, (token) => callOnce(client, { name, request, token, limits, origins: origins() })),
		state: (signal) => authorized(session, (token) => loadState(client, token, signal)),
		close: () => client.close(),
	};
}

function openSession({ device, venue, centre: server, key }: HubEnrollment, client: HttpsClient): Session {
	return createSession({
		transport: createHttpsTransport(client),
		clock: nodeClock,
		server,
		sign: (challenge) => {
			const jti = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
			return signDeviceAssertion({ device, venue, server, jti, ...challenge }, key);
		},
		// A hub takes the time of its own machine and signs it for its devices.
		onTimeKeys: () => {},
	});
}

/** A centre that was restarted knows no old tokens; one that refuses a fresh one is not asked for a third. */
async function authorized<T>(session: Session, work: (token: string) => Promise<T>): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		const token = await session.token();
		if (token.kind === 'refused')
			throw new Refusal(token.code, token.detail === undefined ? {} : { detail: token.detail });
		if (token.kind !== 'ok') throw new StilewardError('server_unreachable', `the centre gives no token: ${token.kind}`);
		try {
			return await work(token.body);
		} catch (error) {
			if (!(error instanceof Refusal) || error.code !== 'token_invalid' || attempt === 2) throw error;
			session.refused(token.body);
		}
	}
}

interface OneCall<Name extends HubRouteName> {
	readonly name: Name;
	readonly request: HubRequestOf<Name>;
	readonly token?: string;
	readonly limits: CallLimits;
	/** Where this hub listens, for browsers that come from it to the centre. */
	readonly origins?: readonly string[];
}

/** Makes one call. */
export async function callOnce<Name extends HubRouteName>(
	client: HttpsClient,
	{ name, request, token, limits, origins = [] }: OneCall<Name>,
): Promise<HubResponseOf<Name>> {
	const { method, path } = hubRoutes[name];
	const answer = await client.send({
		method,
		path: method === 'GET' ? `${path}?${queryOf(request)}` : path,
		...(method === 'POST' && { body: request }),
		headers: {
			accept: 'application/json',
			...(token !== undefined && { authorization: `Bearer ${token}` }),
			...(origins.length > 0 && { [hubOriginsHeader]: origins.join(' ') }),
		},
		timeoutMs: limits.timeoutMs ?? callTimeoutMs,
		bytesMax: answerBytesMax,
		...(limits.signal && { signal: limits.signal }),
	});
	const value = jsonOf(answer);
	if (answer.status === 200 && isHubResponse(name, value)) return value;
	throw new StilewardError('server_answer_invalid', `it is not the answer to ${name}`);
}

function queryOf(request: object): string {
	return Object.entries(request)
		.map(([member, value]) => `${member}=${encodeURIComponent(String(value))}`)
		.join('&');
}

/** Throws a `Refusal` for one of the centre. */
function jsonOf({ headers, body }: HttpsAnswer): unknown {
	const type = headers['content-type']?.split(';', 1)[0];
	if (type !== problemContentType && type !== 'application/json') {
		throw new StilewardError('server_answer_invalid', `the answer is ${type ?? 'nothing'}`);
	}
	const value = parse(body.toString());
	const problem = type === problemContentType ? readProblem(value) : undefined;
	if (problem === undefined) return value;
	const { code, detail, retryAfterMs } = problem;
	throw new Refusal(code, {
		...(detail !== undefined && { detail }),
		...(retryAfterMs !== undefined && { retryAfterMs }),
	});
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

async function loadState(client: HttpsClient, token: string, signal: AbortSignal): Promise<readonly string[]> {
	const answer = await client.send({
		method: 'GET',
		path: hubStatePath,
		headers: { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' },
		timeoutMs: stateTimeoutMs,
		bytesMax: stateBytesMax,
		signal,
	});
	if (answer.status !== 200) {
		jsonOf(answer);
		throw new StilewardError('server_answer_invalid', `the state came with status ${answer.status}`);
	}
	try {
		const bytes = await promisify(gunzip)(answer.body, { maxOutputLength: stateBytesMax });
		return bytes.toString().trimEnd().split('\n');
	} catch (cause) {
		throw new StilewardError('server_answer_invalid', 'the state does not unpack', { cause });
	}
}
