import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import type { HttpCall, Transport } from '../client/transport.ts';
import { openServerTls } from '../server/tls/venue-tls.ts';
import { createHttpsClient } from './https-client.ts';
import { createHttpsTransport } from './https-transport.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
	for (const end of ends.splice(0).reverse()) await end();
});

/** A transport to a server with real TLS that answers like this. */
async function transportTo(answer: RequestListener): Promise<Transport> {
	const dir = await mkdtemp(join(tmpdir(), 'stileward-transport-'));
	const { key, cert, fingerprint } = await openServerTls({ dir, hosts: ['127.0.0.1'], nowMs: Date.now() });
	const server = createServer({ key, cert }, answer).listen(0, '127.0.0.1');
	await once(server, 'listening');
	// A TCP server that listens has an address of this form.
	const { port } = server.address() as AddressInfo;
	const client = createHttpsClient({ url: `https://127.0.0.1:${port}`, fingerprint, trustedNowMs: Date.now });
	ends.push(() => rm(dir, { recursive: true }));
	ends.push(() => {
		client.close();
		server.closeAllConnections();
		server.close();
	});
	return createHttpsTransport(client);
}

function callOf(over: Partial<HttpCall> = {}): HttpCall {
	const signal = new AbortController().signal;
	return { method: 'GET', path: '/v1/snapshot', headers: {}, timeoutMs: 10_000, signal, ...over };
}

it('unpacks what a server has compressed, and gives every status with its type', async () => {
	const transport = await transportTo((request, response) => {
		const packed = gzipSync(JSON.stringify({ asked: request.url, accepts: request.headers['accept-encoding'] }));
		response.writeHead(410, { 'content-type': 'application/problem+json', 'content-encoding': 'gzip' }).end(packed);
	});
	expect(await transport.send(callOf())).toEqual({
		status: 410,
		contentType: 'application/problem+json',
		text: '{"asked":"/v1/snapshot","accepts":"gzip"}',
	});
});

it('takes no answer that is too large, packed or unpacked, damaged or encoded in another way', async () => {
	const answers: Record<string, [encoding: string, body: Buffer]> = {
		'/large': ['identity', Buffer.alloc(17 * 1024 * 1024)],
		'/bomb': ['gzip', gzipSync(Buffer.alloc(17 * 1024 * 1024))],
		'/damaged': ['gzip', Buffer.from('no gzip')],
		'/other': ['br', Buffer.from('x')],
	};
	const transport = await transportTo((request, response) => {
		const [encoding, body] = answers[request.url ?? ''] ?? ['identity', Buffer.from('{}')];
		response.writeHead(200, { 'content-encoding': encoding }).end(body);
	});
	for (const path of Object.keys(answers)) {
		await expect(transport.send(callOf({ path })), path).rejects.toMatchObject({ code: 'server_answer_invalid' });
	}
	expect(await transport.send(callOf({ path: '/small' }))).toEqual({ status: 200, contentType: '', text: '{}' });
});

it('reads a stream as it comes, and drops one that nobody reads', async () => {
	const transport = await transportTo((_request, response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' }).write('first');
		setTimeout(() => response.write('second'), 20);
	});
	const stop = new AbortController();
	const stream = await transport.open?.(callOf({ signal: stop.signal }));
	expect(stream).toMatchObject({ status: 200, contentType: 'text/event-stream' });
	let heard = '';
	for await (const chunk of stream?.chunks ?? []) {
		heard += Buffer.from(chunk).toString();
		if (heard === 'firstsecond') break;
	}
	const unread = await transport.open?.(callOf({ signal: stop.signal }));
	expect(unread?.status).toBe(200);
	// An error that nobody listens to would end the test's process.
	stop.abort();
	await expect(transport.send(callOf({ signal: stop.signal }))).rejects.toMatchObject({ code: 'server_unreachable' });
});

it('rejects where a connection breaks off in the middle of an answer', async () => {
	const transport = await transportTo((_request, response) => {
		response.writeHead(200, { 'content-length': '100' }).write('half');
		setTimeout(() => response.destroy(), 20);
	});
	await expect(transport.send(callOf())).rejects.toMatchObject({ code: 'server_unreachable' });
});
