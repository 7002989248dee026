import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StilewardError } from '../core/errors.ts';
import type { Asset } from './page-assets.ts';

/** Limits of every HTTP server of a gate: its clients are a few displays, a monitor and a technician. */
export const httpLimits = {
	connectionsMax: 128,
	headerBytesMax: 8 * 1024,
	headersMax: 64,
	urlCharactersMax: 512,
	/** From the first byte of a request to its last. */
	requestMs: 5_000,
	keepAliveMs: 5_000,
	/** How long open answers may take to end when the server closes. */
	closeMs: 1_000,
} as const;

/**
 * Headers of every answer. The pages load nothing from elsewhere and hold no script or style of their own.
 * A page of this machine may frame them (`npm start` does): they hold nothing that a click could do.
 */
const commonHeaders = {
	'content-security-policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
		"form-action 'none'; frame-ancestors 'self' http://127.0.0.1:* http://localhost:*",
	'x-content-type-options': 'nosniff',
	'referrer-policy': 'no-referrer',
	'cross-origin-opener-policy': 'same-origin',
} as const;

/** A whole answer. `headers` are added to the common ones and win over them. */
export interface Reply {
	readonly status: number;
	readonly contentType: string;
	readonly body: string | Buffer;
	readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a whole answer. `no-cache` makes a display load new pages after an update of its gate. */
function send(response: ServerResponse, { status, contentType, body, headers }: Reply): void {
	response.writeHead(status, {
		...commonHeaders,
		'content-type': contentType,
		'content-length': Buffer.byteLength(body),
		'cache-control': 'no-cache',
		...headers,
	});
	response.end(body);
}

/** One line of plain text, for people with curl. */
export function textReply(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reply {
	return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n`, headers };
}

/** JSON that no cache keeps. */
export function jsonReply(status: number, value: unknown, more: Readonly<Record<string, string>> = {}): Reply {
	const headers = { 'cache-control': 'no-store', ...more };
	return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(value), headers };
}

/** A file of `loadAssets`. */
export function assetReply(asset: Asset): Reply {
	return { status: 200, ...asset };
}

/** Text as it may stand in HTML, between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Answers a request whose method and length of address were checked; undefined where it writes to `response` itself.
 * What it throws is answered with 500 and logged.
 */
export type Handler = (
	path: string,
	request: IncomingMessage,
	response: ServerResponse,
) => Reply | undefined | Promise<Reply | undefined>;

/** A server that listens. */
export interface OpenServer {
	/** `http://host:port`, without a slash at its end. */
	readonly url: string;
	/** Stops listening, lets answers end for `httpLimits.closeMs`, then cuts what is left. May be called twice. */
	close(): Promise<void>;
}

/** Where a server listens, which methods it takes, and who answers. Port 0 takes a free one. */
export interface ServerOptions {
	readonly host: string;
	readonly port: number;
	readonly methods: (path: string) => readonly string[];
	readonly handler: Handler;
	readonly log: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** Starts an HTTP server with all limits set. Rejects with `address_unavailable` where it cannot listen. */
export async function openServer(options: ServerOptions): Promise<OpenServer> {
	const server = createServer(
		{
			maxHeaderSize: httpLimits.headerBytesMax,
			requestTimeout: httpLimits.requestMs,
			headersTimeout: httpLimits.requestMs,
			keepAliveTimeout: httpLimits.keepAliveMs,
			connectionsCheckingInterval: 1_000,
		},
		(request, response) => void answer(options, request, response),
	);
	server.maxConnections = httpLimits.connectionsMax;
	server.maxHeadersCount = httpLimits.headersMax;
	await listen(server, options);
	// A TCP server, once it listens, has an address of this form.
	const { port } = server.address() as AddressInfo;
	const host = options.host.includes(':') ? `[${options.host}]` : options.host;
	let closing: Promise<void> | undefined;
	return {
		url: `http://${host}:${port}`,
		close: () => {
			closing ??= close(server);
			return closing;
		},
	};
}

async function answer(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
	try {
		const reply = early(options, request) ?? (await options.handler(pathOf(request), request, response));
		if (reply !== undefined) send(response, reply);
	} catch (error) {
		options.log('http_failed', { error });
		if (response.headersSent) response.destroy();
		else send(response, textReply(500, 'This page could not be made. The log says why.'));
	}
}

function early({ methods }: ServerOptions, request: IncomingMessage): Reply | undefined {
	const { method = '', url = '' } = request;
	const allowed = methods(pathOf(request));
	const allow = allowed.join(', ');
	// The connection is closed because a body that nobody reads may follow.
	if (!allowed.includes(method)) return textReply(405, `Only ${allow} is answered.`, { allow, connection: 'close' });
	if (url.length > httpLimits.urlCharactersMax) return textReply(414, 'The address is too long.');
	return undefined;
}

function pathOf({ url = '' }: IncomingMessage): string {
	return url.split('?', 1)[0] ?? '';
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', (cause) =>
			reject(new StilewardError('address_unavailable', `Cannot listen on ${host}:${port}`, { cause })),
		);
		server.listen({ host, port }, resolve);
	});
}

function close(server: Server): Promise<void> {
	return new Promise((resolve) => {
		const cut = setTimeout(() => server.closeAllConnections(), httpLimits.closeMs);
		server.close(() => {
			clearTimeout(cut);
			resolve();
		});
		server.closeIdleConnections();
	});
}
