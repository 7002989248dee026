import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Readable } from 'node:stream';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { PinnedAgent } from './pinned-agent.ts';

/** Which server a client talks to, and how long it waits. */
export interface HttpsClientOptions {
	/** `https://host:port`. */
	readonly url: string;
	/** SHA-256 of the pinned SPKI, base64url. */
	readonly fingerprint: string;
	/** Milliseconds since 1970, or undefined while this machine's clock is untrusted. */
	readonly trustedNowMs: () => number | undefined;
	/** Connections at once. */
	readonly socketsMax?: number;
	/** How long connection and TLS may take. */
	readonly connectMs?: number;
}

/** One request. */
export interface HttpsRequest {
	readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
	/** Path and query. */
	readonly path: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** Sent as JSON. */
	readonly body?: unknown;
	/** From the first byte sent to the last one received, or to the next one of a stream. */
	readonly timeoutMs?: number;
	/** The largest answer that is taken. */
	readonly bytesMax?: number;
	readonly signal?: AbortSignal;
}

/** A whole answer. */
export interface HttpsAnswer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | undefined>>;
	readonly body: Buffer;
}

/** An answer whose body is read as it comes. */
export interface HttpsStream {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | undefined>>;
	readonly body: Readable;
}

/** A client of one server that trusts nothing but its pin. */
export interface HttpsClient {
	/** Rejects with `server_unreachable`, `server_untrusted` or `server_answer_invalid`; any status is an answer. */
	send(request: HttpsRequest): Promise<HttpsAnswer>;
	/** Resolves with the head of an answer; errors of its body are errors of the stream. */
	open(request: HttpsRequest): Promise<HttpsStream>;
	/** Ends every connection. */
	close(): void;
}

/** Limits that a request has where it names none. */
export const httpsDefaults = {
	timeoutMs: 10_000,
	connectMs: 5_000,
	bytesMax: 16 * 1024 * 1024,
	socketsMax: 8,
} as const;

/** Makes a client. Throws `usage` for an address that is not `https://host:port`. */
export function createHttpsClient(options: HttpsClientOptions): HttpsClient {
	const url = readUrl(options.url);
	const agent = new PinnedAgent({
		fingerprint: options.fingerprint,
		trustedNowMs: options.trustedNowMs,
		connectMs: options.connectMs ?? httpsDefaults.connectMs,
		socketsMax: options.socketsMax ?? httpsDefaults.socketsMax,
	});
	const open = (each: HttpsRequest) => openAnswer({ url, agent, request: each });
	return {
		open: async (each) => {
			const response = await open(each);
			return { ...headOf(response), body: response };
		},
		send: async (each) => {
			const deadline = AbortSignal.timeout(each.timeoutMs ?? httpsDefaults.timeoutMs);
			const signal = each.signal ? AbortSignal.any([each.signal, deadline]) : deadline;
			const response = await open({ ...each, signal });
			return { ...headOf(response), body: await readBody(response, each.bytesMax ?? httpsDefaults.bytesMax) };
		},
		close: () => agent.destroy(),
	};
}

interface Sending {
	readonly url: URL;
	readonly agent: PinnedAgent;
	readonly request: HttpsRequest;
}

function openAnswer({ url, agent, request: each }: Sending): Promise<IncomingMessage> {
	const body = each.body === undefined ? undefined : Buffer.from(JSON.stringify(each.body));
	return new Promise((resolve, reject) => {
		const outgoing = request({
			agent,
			host: bareHost(url),
			port: url.port === '' ? 443 : Number(url.port),
			method: each.method,
			path: each.path,
			headers: {
				...each.headers,
				...(body && { 'content-type': 'application/json', 'content-length': body.length }),
			},
			timeout: each.timeoutMs ?? httpsDefaults.timeoutMs,
			...(each.signal && { signal: each.signal }),
		});
		outgoing.once('timeout', () => outgoing.destroy(unreachable(url, new Error('no answer in time'))));
		outgoing.once('error', (error) => reject(asOperating(url, error)));
		outgoing.once('response', resolve);
		outgoing.end(body);
	});
}

async function readBody(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let length = 0;
	try {
		for await (const chunk of response) {
			// A response without an encoding gives buffers.
			const bytes = chunk as Buffer;
			length += bytes.length;
			if (length > bytesMax) {
				throw new StilewardError('server_answer_invalid', `the answer is larger than ${bytesMax} bytes`);
			}
			chunks.push(bytes);
		}
	} catch (error) {
		if (error instanceof StilewardError) throw error;
		throw new StilewardError('server_unreachable', 'the answer of the server broke off', { cause: error });
	}
	return Buffer.concat(chunks);
}

function headOf(response: IncomingMessage): Pick<HttpsAnswer, 'status' | 'headers'> {
	const headers: Record<string, string | undefined> = {};
	for (const [name, value] of Object.entries(response.headers)) {
		headers[name] = Array.isArray(value) ? value.join(', ') : value;
	}
	// A message that came from a server has a status.
	return { status: response.statusCode as number, headers };
}

function readUrl(text: string): URL {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.username !== '') {
		throw new StilewardError('usage', 'a server’s address reads https://host:port');
	}
	return url;
}

/** A URL writes IPv6 addresses in brackets; sockets want them without. */
function bareHost({ hostname }: URL): string {
	return hostname.replace(/^\[|\]$/g, '');
}

function asOperating(url: URL, error: unknown): StilewardError {
	return error instanceof StilewardError ? error : unreachable(url, error);
}

function unreachable({ host }: URL, cause: unknown): StilewardError {
	const why = cause instanceof Error ? cause.message : String(cause);
	return new StilewardError('server_unreachable', `the server at ${host} does not answer: ${why}`, { cause });
}
