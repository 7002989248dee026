import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { request } from 'node:https';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { type OpenServer, openServer, type Reply, textReply } from '../../gate-agent/display/http-reply.ts';
import type { Logger } from '../../gate-agent/logger.ts';
import { PinnedAgent } from '../../sync/node/pinned-agent.ts';

/** Where the door opens, and to which server. */
export interface DoorOptions {
	/** Port 0 takes a free one. */
	readonly port: number;
	/** `https://127.0.0.1:port` of the server. */
	readonly url: string;
	/** What the server is pinned by. */
	readonly fingerprint: string;
	readonly log: Logger;
}

/** The longest body that is passed on. */
export const doorBytesMax = 1024 * 1024;

/** Connections to the server at once: a handheld has a stream and some calls. */
const socketsMax = 32;

const connectMs = 5_000;

/**
 * Opens a door of plain HTTP on loopback to the handheld of the server and to what it calls there: a browser of this
 * machine does not trust the venue's authority, and takes loopback for as safe as TLS. What the server does not answer is
 * not answered. Rejects with `address_unavailable`.
 */
export async function openDoor({ port, url, fingerprint, log }: DoorOptions): Promise<OpenServer> {
	const agent = new PinnedAgent({ fingerprint, trustedNowMs: Date.now, connectMs, socketsMax });
	const server = await openServer({
		host: '127.0.0.1',
		port,
		methods: () => ['GET', 'POST', 'PUT', 'DELETE'],
		log: (event, fields) => log.warn({ event, ...fields }),
		handler: async (path, incoming, response) => {
			const refused = guard(path, incoming);
			if (refused !== undefined) return refused;
			const body = await readBody(incoming);
			if (body === undefined) return textReply(413, `No more than ${doorBytesMax} bytes.`, closing);
			passOn({ to: new URL(url), agent, body, incoming, response });
			return undefined;
		},
	});
	const close = async () => {
		// The streams of handhelds have no end of their own.
		agent.destroy();
		await server.close();
	};
	return { url: server.url, close };
}

/** A body that was not read to its end may follow, so the connection is given up. */
const closing = { connection: 'close' };

/** Refuses what no handheld of this door asks for. */
function guard(path: string, { headers, method, url = '' }: IncomingMessage): Reply | undefined {
	const { host = '', origin } = headers;
	if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/.test(host)) {
		return textReply(421, 'Open this page as http://127.0.0.1 or http://localhost.', closing);
	}
	// Dots could lead out of these folders at the server.
	const isInside = (path.startsWith('/handheld/') || path.startsWith('/v1/')) && !/\.\.|%2e|\\/i.test(url);
	if (!isInside) return textReply(404, 'Nothing is here. The handheld is at /handheld/.', closing);
	const isOwn = origin === `http://${host}` || (origin === undefined && method === 'GET');
	return isOwn ? undefined : textReply(403, 'Only pages of this door may call here.', closing);
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of incoming as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > doorBytesMax) return undefined;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

interface Passing {
	readonly to: URL;
	readonly agent: PinnedAgent;
	readonly body: Buffer;
	readonly incoming: IncomingMessage;
	readonly response: ServerResponse;
}

/** Asks the server the same, and sends its answer as it comes. */
function passOn({ to, agent, body, incoming, response }: Passing): void {
	const { method = 'GET', url = '/', headers } = incoming;
	const outgoing = request({
		...{ agent, host: to.hostname, port: to.port, method, path: url },
		headers: { ...passedHeaders(headers), ...(body.length > 0 && { 'content-length': body.length }) },
	});
	outgoing.once('error', () => response.destroy());
	outgoing.once('response', (answer) => {
		response.writeHead(answer.statusCode ?? 502, passedHeaders(answer.headers));
		// A stream may wait long for its first byte: the browser is told that it stands.
		response.flushHeaders();
		answer.once('error', () => response.destroy());
		answer.once('close', () => answer.complete || response.destroy());
		answer.pipe(response);
	});
	response.once('close', () => outgoing.destroy());
	outgoing.end(body);
}

/** Headers of one connection (RFC 9110, section 7.6.1), and those that name this door. */
const ownHeaders: ReadonlySet<string> = new Set([
	...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'],
	...['transfer-encoding', 'upgrade', 'host', 'origin', 'referer', 'expect'],
]);

function passedHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
	const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
	return Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.has(name) && !named.has(name)));
}

/** Opens the door, at a free port where its own is taken: browsers keep a handheld by the door's address. */
export async function openDoorSomewhere(options: DoorOptions): Promise<OpenServer> {
	try {
		return await openDoor(options);
	} catch (error) {
		const isTaken = error instanceof StilewardError && error.code === 'address_unavailable';
		if (!isTaken || options.port === 0) throw error;
		return openDoor({ ...options, port: 0 });
	}
}
