import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import type { HttpCall } from '../../../sync/client/transport.ts';
import { ensureEd25519 } from './ed25519.ts';
import { createFetchTransport } from './fetch-transport.ts';
import { createMemoryKeyStore } from './key-store.ts';
import { openPinVerifiers } from './pin-verifier.ts';
import { createSerial } from './serial.ts';
import { streamZlib } from './stream-zlib.ts';

const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
	const server = createServer(answer as never).listen(0, '127.0.0.1');
	await once(server, 'listening');
	closing.push(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const call = (more: Partial<HttpCall> = {}): HttpCall => ({
	...{ method: 'POST', path: '/v1/x', headers: { accept: 'application/json' }, body: { n: 1 } },
	...{ timeoutMs: 5_000, signal: new AbortController().signal },
	...more,
});

test('a call travels as JSON without cookies, and any status is an answer', async () => {
	const heard: unknown[] = [];
	const origin = await serve(async (request, response) => {
		const body = await request.toArray();
		heard.push(request.method, request.url, request.headers['content-type'], request.headers.cookie, `${body}`);
		response.writeHead(403, { 'content-type': 'application/problem+json' }).end('{"code":"x"}');
	});
	const reply = await createFetchTransport({ origin, fetch }).send(call());
	expect(reply).toEqual({ status: 403, contentType: 'application/problem+json', text: '{"code":"x"}' });
	expect(heard).toEqual(['POST', '/v1/x', 'application/json', undefined, '{"n":1}']);
});

test('a redirect is no answer, and neither is one without end', async () => {
	const away = await serve((_request, response) => response.writeHead(302, { location: '/y' }).end());
	await expect(createFetchTransport({ origin: away, fetch }).send(call())).rejects.toThrow('fetch failed');
	const endless = await serve((_request, response) => {
		const chunk = Buffer.alloc(1024 * 1024, 'x');
		const more = () => void response.write(chunk, more);
		response.on('error', () => undefined);
		more();
	});
	const sent = createFetchTransport({ origin: endless, fetch }).send(call());
	await expect(sent).rejects.toMatchObject({ code: 'server_answer_invalid' });
});

test('a stream is read as it comes, and its connection ends with its reader', async () => {
	const closed = Promise.withResolvers<void>();
	const origin = await serve((_request, response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.write('data: 1\n\n');
		response.on('close', closed.resolve);
	});
	const stream = await createFetchTransport({ origin, fetch }).open?.(call({ method: 'GET', body: undefined }));
	for await (const chunk of stream?.chunks ?? []) {
		expect(new TextDecoder().decode(chunk)).toBe('data: 1\n\n');
		break;
	}
	await closed.promise;
});

test('what is packed unpacks, and no more than is allowed', async () => {
	const bytes = new TextEncoder().encode('a'.repeat(10_000));
	expect(await streamZlib.inflate(deflateSync(bytes), 10_000)).toEqual(bytes);
	expect(await streamZlib.inflate(await streamZlib.deflate(bytes), 10_000)).toEqual(bytes);
	await expect(streamZlib.inflate(deflateSync(bytes), 9_999)).rejects.toMatchObject({ code: 'server_answer_invalid' });
	await expect(streamZlib.inflate(new Uint8Array([1, 2, 3]), 9)).rejects.toThrow();
});

test('a browser that knows Ed25519 keeps its own, and one that does not gets it', async () => {
	expect(await ensureEd25519(crypto.subtle)).toBe('native');
	const without = { importKey: () => Promise.reject(new Error('NotSupportedError')) } as unknown as SubtleCrypto;
	expect(await ensureEd25519(without)).toBe('polyfill');
});

test('a verifier knows its PIN and no other, and is worth nothing at another device', async () => {
	const keys = createMemoryKeyStore();
	const here = await openPinVerifiers(keys, crypto);
	const verifier = await here.make('4829');
	expect(JSON.stringify([...verifier.mac])).not.toContain('4829');
	const later = await openPinVerifiers(keys, crypto);
	expect(await later.check('4829', verifier)).toBe(true);
	expect(await later.check('4820', verifier)).toBe(false);
	const elsewhere = await openPinVerifiers(createMemoryKeyStore(), crypto);
	expect(await elsewhere.check('4829', verifier)).toBe(false);
	expect(((await keys.get('pin_key')) as CryptoKey).extractable).toBe(false);
});

test('work is done in its order, also after a piece that failed', async () => {
	const serial = createSerial();
	const done: number[] = [];
	const slow = serial(async () => {
		await new Promise((resolve) => setImmediate(resolve));
		done.push(1);
		throw new Error('no');
	});
	const next = serial(async () => done.push(2));
	await expect(slow).rejects.toThrow('no');
	await next;
	expect(done).toEqual([1, 2]);
});
