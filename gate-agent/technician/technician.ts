import type { IncomingMessage, ServerResponse } from 'node:http';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { type AttemptLimit, createAttemptLimit } from '../core/attempt-limit.ts';
import { assetReply, jsonReply, type Reply, textReply } from '../display/http-reply.ts';
import { type Assets, loadAssets } from '../display/page-assets.ts';
import { createEventStreams } from '../display/sse.ts';
import type { Desk } from './desk.ts';
import { isNear, isOwnHost, isOwnOrigin } from './near.ts';
import { pageSources } from './page-sources.ts';
import { isPin, isPinSet } from './pin.ts';
import { createSessions, type Sessions } from './sessions.ts';

/** Where everything of the page lies. */
export const technicianPath = '/technician';

/** What the page of one gate needs. */
export interface TechnicianOptions {
	/** The gate's data folder, which keeps the PIN. */
	readonly dir: string;
	/** Monotonic milliseconds: a clock that is set ends no session and opens none. */
	readonly monoMs: () => number;
	readonly log: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** The technician's page of one gate. */
export interface Technician {
	/** Answers a request below `technicianPath`; undefined where it writes to the response itself. */
	handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<Reply | undefined>;
	/** Says where what it shows comes from, once there are lanes. */
	attach(desk: Desk): void;
	close(): void;
}

/** Wrong PINs from one address: five are free, then it waits, up to a quarter of an hour. */
const addressRule = { free: 5, firstMs: 30_000, lastMs: 15 * 60_000, windowMs: 24 * 3_600_000 } as const;

/** Wrong PINs from everywhere together: whoever changes addresses waits as well. */
const gateRule = { free: 30, firstMs: 60_000, lastMs: 15 * 60_000, windowMs: 24 * 3_600_000 } as const;

const everybody = 'all';

/** How often what is shown is looked at anew. */
const lookMs = 500;

/** Bytes of a request: a PIN, or the name of a lane. */
const bodyBytesMax = 512;

/** Nothing from elsewhere, nothing inline, in nobody's frame, and nothing that a form sends. */
const pageHeaders = {
	'content-security-policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
		"form-action 'none'; frame-ancestors 'none'",
	'cross-origin-resource-policy': 'same-origin',
	'x-frame-options': 'DENY',
	'cache-control': 'no-store',
} as const;

const signInSchema = Type.Object({ pin: Type.String({ maxLength: 64 }) }, { additionalProperties: false });

const relayTestSchema = Type.Object(
	{
		lane: Type.String({ maxLength: 64 }),
		direction: Type.Enum(['entry', 'exit']),
		isClear: Type.Boolean(),
	},
	{ additionalProperties: false },
);

/** Makes the page of a gate. It is off until there is a PIN. */
export function createTechnician(options: TechnicianOptions): Technician {
	const parts: Parts = {
		...options,
		sessions: createSessions(),
		byAddress: createAttemptLimit(addressRule),
		byGate: createAttemptLimit(gateRule),
		streams: openStreams(options),
		desk: undefined,
		assets: undefined,
		checking: false,
	};
	return {
		handle: async (path, request, response) => {
			const refused = await refusalOf(parts, request);
			const reply = refused ?? (await answer(parts, { path, request, response }));
			return reply && { ...reply, headers: { ...pageHeaders, ...reply.headers } };
		},
		attach: (desk) => {
			parts.desk = desk;
			parts.streams.follow(desk, parts.sessions);
		},
		close: () => {
			parts.sessions.endAll();
			parts.streams.close();
		},
	};
}

interface Parts extends TechnicianOptions {
	readonly sessions: Sessions;
	readonly byAddress: AttemptLimit;
	readonly byGate: AttemptLimit;
	readonly streams: ReturnType<typeof openStreams>;
	desk: Desk | undefined;
	assets: Promise<Assets> | undefined;
	/** Whether a PIN is being looked at: one at a time, because each costs a tenth of a second. */
	checking: boolean;
}

interface Call {
	readonly path: string;
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
}

/** Who may not even see that there is a PIN. */
async function refusalOf({ dir }: Parts, request: IncomingMessage): Promise<Reply | undefined> {
	if (!isNear(request.socket.remoteAddress)) return textReply(403, 'This page is for the gate’s own network.');
	if (!isOwnHost(request)) return textReply(421, 'Open this page by the address of the gate.');
	if (!(await isPinSet(dir)))
		return textReply(404, 'The technician’s page is off. Run `stileward gate set-pin` on the gate.');
	if (request.method === 'POST' && !isOwnOrigin(request)) return textReply(403, 'Only its own page may ask this.');
	return undefined;
}

async function answer(parts: Parts, call: Call): Promise<Reply | undefined> {
	const { path, request } = call;
	if (request.method === 'POST' && path === `${technicianPath}/sign-in`) return signIn(parts, request);
	if (request.method === 'GET' && (path === technicianPath || path === `${technicianPath}/`)) return page(parts);
	const asset = request.method === 'GET' ? (await assetsOf(parts)).get(path) : undefined;
	if (asset !== undefined) return assetReply(asset);
	const session = parts.sessions.find(request.headers.cookie, parts.monoMs());
	if (session === undefined) return jsonReply(401, { kind: 'signed_out' });
	if (parts.desk === undefined) return jsonReply(503, { kind: 'starting' });
	return answerSignedIn(parts, parts.desk, { ...call, session });
}

async function answerSignedIn(
	parts: Parts,
	desk: Desk,
	{ path, request, response, session }: Call & { readonly session: string },
): Promise<Reply | undefined> {
	switch (`${request.method} ${path}`) {
		case `GET ${technicianPath}/state`:
			return jsonReply(200, desk.state());
		case `GET ${technicianPath}/events`:
			return parts.streams.add(response, session, desk) ? undefined : textReply(503, 'Too many pages are open.');
		case `POST ${technicianPath}/sign-out`:
			return jsonReply(200, { kind: 'signed_out' }, { 'set-cookie': parts.sessions.end(session) });
		case `POST ${technicianPath}/relay-test`: {
			const asked = await bodyOf(request, relayTestSchema);
			return asked === undefined ? malformed : jsonReply(200, await desk.testRelay(asked));
		}
		default:
			return textReply(404, 'Nothing is here.');
	}
}

async function signIn(parts: Parts, request: IncomingMessage): Promise<Reply> {
	const { byAddress, byGate, dir, log, sessions, monoMs } = parts;
	const address = request.socket.remoteAddress ?? '';
	const waitMs = Math.max(byAddress.waitMs(address, monoMs()), byGate.waitMs(everybody, monoMs()));
	if (waitMs > 0 || parts.checking) return wait(Math.max(waitMs, 1_000));
	const asked = await bodyOf(request, signInSchema);
	if (asked === undefined) return malformed;
	if (parts.checking) return wait(1_000);
	parts.checking = true;
	try {
		if (!(await isPin(dir, asked.pin))) {
			byAddress.failed(address, monoMs());
			byGate.failed(everybody, monoMs());
			log('technician_refused', { address });
			return jsonReply(403, { kind: 'wrong_pin' });
		}
	} finally {
		parts.checking = false;
	}
	byAddress.succeeded(address);
	log('technician_signed_in', { address });
	return jsonReply(200, { kind: 'signed_in' }, { 'set-cookie': sessions.open(monoMs()) });
}

function wait(waitMs: number): Reply {
	const seconds = Math.ceil(waitMs / 1000);
	return jsonReply(429, { kind: 'wait', seconds }, { 'retry-after': String(seconds) });
}

const malformed = jsonReply(400, { kind: 'malformed' });

async function page(parts: Parts): Promise<Reply> {
	const asset = (await assetsOf(parts)).get(`${technicianPath}/page/technician.html`);
	return asset === undefined
		? textReply(503, 'The page could not be made. See the log of the gate.')
		: assetReply(asset);
}

/** Made when somebody first asks: most gates are never looked at this way. */
function assetsOf(parts: Parts): Promise<Assets> {
	parts.assets ??= loadAssets(pageSources).catch((error: unknown) => {
		parts.log('technician_unavailable', { cause: String(error) });
		parts.assets = undefined;
		return new Map();
	});
	return parts.assets;
}

/** A small JSON body of this form; undefined for anything else. A simple form of another site cannot send it. */
async function bodyOf<Schema extends Type.TSchema>(
	request: IncomingMessage,
	schema: Schema,
): Promise<Static<Schema> | undefined> {
	if (request.headers['content-type'] !== 'application/json') return undefined;
	let text = '';
	for await (const chunk of request.setEncoding('utf8')) {
		text += chunk;
		if (text.length > bodyBytesMax) return undefined;
	}
	try {
		const value: unknown = JSON.parse(text);
		return Check(schema, value) ? value : undefined;
	} catch {
		return undefined;
	}
}

const channel = 'technician';

/** Streams of what is shown: all of it at once, and again whenever something of it has changed. */
function openStreams({ monoMs }: Pick<TechnicianOptions, 'monoMs'>) {
	const streams = createEventStreams();
	const open = new Map<ServerResponse, string>();
	let looking: NodeJS.Timeout | undefined;
	let shown = '';
	return {
		add: (response: ServerResponse, session: string, desk: Desk): boolean => {
			if (!streams.add(channel, response, [{ event: 'state', data: desk.state() }])) return false;
			open.set(response, session);
			response.once('close', () => open.delete(response));
			return true;
		},
		follow: (desk: Desk, sessions: Sessions): void => {
			clearInterval(looking);
			looking = setInterval(() => {
				for (const [response, session] of open) if (!sessions.lives(session, monoMs())) response.end();
				if (open.size === 0) return;
				const data = desk.state();
				// The time alone is no change: the page's own clock goes on.
				const now = JSON.stringify({ ...data, nowMs: 0 });
				if (now !== shown) streams.send(channel, { event: 'state', data });
				shown = now;
			}, lookMs).unref();
		},
		close: (): void => {
			clearInterval(looking);
			streams.close();
		},
	};
}
