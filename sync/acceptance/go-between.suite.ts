import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { tlsFiles } from '../server/tls/venue-tls.ts';
import type { Venue } from './venue.suite.ts';

/** A call that arrived at a go-between. */
export interface Passing {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	/** The path without its query. */
	readonly path: string;
	/** Asks the real server and gives its whole answer, unpacked. Not for streams. */
	ask(): Promise<{ readonly status: number; readonly type: string; readonly text: string }>;
	/** Passes the call on and the answer back, as it comes. */
	pass(): Promise<void>;
}

/** What a go-between does with a call; `pass` is the honest way. */
export type Manner = (passing: Passing) => void | Promise<void>;

/** A server between devices and the venue's own, at an address of its own, which changes its manner. */
export interface GoBetween extends AsyncDisposable {
	readonly url: string;
	/** Connections that it has had. */
	connections(): number;
	/** From now on; connections that stand are cut, so that nobody goes on with an answer of before. */
	behave(manner: Manner, tls?: KeyAndChain): void;
	/** Passes everything on, with the key that devices know. */
	beHonest(): void;
}

/** A private key and the certificates that it shows, both PEM. */
export interface KeyAndChain {
	readonly key: string;
	readonly cert: string;
}

/** Whoever has taken the venue's own TLS key from its server stands between. */
export async function standBetween(venue: Venue): Promise<GoBetween> {
	const own = await keyOf(venue);
	let manner: Manner = ({ pass }) => pass();
	const server = createServer(own, (incoming, response) => {
		const passing = passingOf(venue, incoming, response);
		// A client that has gone away needs no answer.
		Promise.resolve(manner(passing)).catch(() => response.destroy());
	}).listen(0, '127.0.0.1');
	let connections = 0;
	server.on('connection', () => {
		connections += 1;
	});
	await once(server, 'listening');
	// A TCP server that listens has an address of this form.
	const { port } = server.address() as AddressInfo;
	const behave: GoBetween['behave'] = (next, tls = own) => {
		manner = next;
		server.setSecureContext(tls);
		server.closeAllConnections();
	};
	return {
		url: `https://127.0.0.1:${port}`,
		connections: () => connections,
		behave,
		beHonest: () => behave(({ pass }) => pass()),
		[Symbol.asyncDispose]: async () => {
			server.closeAllConnections();
			server.close();
		},
	};
}

async function keyOf({ data }: Venue): Promise<KeyAndChain> {
	const read = (file: string) => readFile(join(data, 'tls', file), 'utf8');
	const [key, leaf, authority] = await Promise.all([tlsFiles.serverKey, tlsFiles.server, tlsFiles.authority].map(read));
	return { key: key ?? '', cert: `${leaf}${authority}` };
}

function passingOf({ url }: Venue, incoming: IncomingMessage, response: ServerResponse): Passing {
	const { method, url: target = '/', headers } = incoming;
	const open = async (): Promise<IncomingMessage> => {
		const options = { method, headers, rejectUnauthorized: false, agent: false } as const;
		const outgoing = request(`${url}${target}`, options);
		response.once('close', () => outgoing.destroy());
		incoming.pipe(outgoing);
		const [answer] = await once(outgoing, 'response');
		return answer;
	};
	return {
		...{ request: incoming, response, path: target.split('?', 1)[0] ?? target },
		pass: async () => {
			const answer = await open();
			response.writeHead(answer.statusCode ?? 502, answer.headers);
			response.flushHeaders();
			answer.on('error', () => response.destroy()).pipe(response);
		},
		ask: async () => {
			const answer = await open();
			const body = Buffer.concat(await answer.toArray());
			const text = (answer.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
			return { status: answer.statusCode ?? 502, type: String(answer.headers['content-type']), text };
		},
	};
}
