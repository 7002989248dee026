import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Screen } from '../core/lane-state.ts';
import { httpLimits } from './http-reply.ts';
import { type HttpServer, type HttpServerOptions, type ScreenEvent, startHttpServer } from './http-server.ts';
import { displaySources } from './page-assets.ts';
import { channelClientsMax } from './sse.ts';

const idle: Screen = { kind: 'idle', mode: 'entry' };
const opened: HttpServer[] = [];

afterEach(async () => {
	await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function serve(changes: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
	const server = await startHttpServer({
		host: '127.0.0.1',
		port: 0,
		lanes: [{ id: 'lane-1' }, { id: 'north <gate>' }],
		screenOf: () => idle,
		timeZone: 'Asia/Shanghai',
		health: () => ({ ok: true, lanes: 2 }),
		metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'stileward_up 1\n' }),
		log: () => {},
		...changes,
	});
	opened.push(server);
	return server;
}

/** Reads a stream until `done` says so, then leaves. */
async function readEvents(url: string, done: (text: string) => boolean): Promise<string> {
	const leave = new AbortController();
	const response = await fetch(url, { signal: leave.signal });
	expect(response.headers.get('content-type')).toBe('text/event-stream');
	expect(response.headers.get('cache-control')).toBe('no-store');
	let text = '';
	const decoder = new TextDecoder();
	for await (const chunk of response.body ?? []) {
		text += decoder.decode(chunk);
		if (done(text)) break;
	}
	leave.abort();
	return text;
}

/** Sends bytes as they are and reads the answer to its end. */
function raw(url: string, bytes: string): Promise<string> {
	const { hostname, port } = new URL(url);
	return new Promise((resolve, reject) => {
		let answer = '';
		const socket = connect(Number(port), hostname, () => socket.write(bytes));
		socket.setEncoding('utf8');
		socket.on('data', (chunk) => {
			answer += chunk;
		});
		socket.on('close', () => resolve(answer));
		socket.on('error', reject);
	});
}

const screenEvents = (text: string) =>
	[...text.matchAll(/id: (.*)\nevent: screen\ndata: (.*)\n\n/g)].map(([, id, data]) => ({
		id,
		...(JSON.parse(data ?? '') as ScreenEvent),
	}));

test('lists the lanes as links and escapes their names', async () => {
	const { url } = await serve();
	const html = await (await fetch(url)).text();
	expect(html).toContain('href="/lanes/lane-1"');
	expect(html).toContain('href="/lanes/north%20%3Cgate%3E"');
	expect(html).toContain('north &#60;gate&#62;');
	expect((await fetch(`${url}/lanes/north%20%3Cgate%3E`)).status).toBe(200);
});

test('answers 200 while healthy and 503 with the details otherwise', async () => {
	let ok = true;
	const { url } = await serve({ health: () => ({ ok, missing: ['scanner'] }) });
	expect((await fetch(`${url}/healthz`)).status).toBe(200);
	ok = false;
	const sick = await fetch(`${url}/healthz`);
	expect([sick.status, await sick.json()]).toEqual([503, { ok: false, missing: ['scanner'] }]);
});

test('hands on the metrics as they are', async () => {
	const { url } = await serve();
	const metrics = await fetch(`${url}/metrics`);
	expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4');
	expect(await metrics.text()).toBe('stileward_up 1\n');
});

test('serves every file of the page, TypeScript as plain JavaScript under a strict content policy', async () => {
	const { url } = await serve();
	for (const { path } of displaySources) {
		const file = await fetch(url + path);
		expect(file.status, path).toBe(200);
		expect(file.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
		expect(file.headers.get('x-content-type-options')).toBe('nosniff');
		if (!path.endsWith('.ts')) continue;
		expect(file.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
		expect(await file.text()).not.toMatch(/import type|^export interface/m);
	}
});

test.each([
	'/../package.json',
	'/assets/../../package.json',
	'/assets/%2e%2e/%2e%2e/package.json',
	'/assets/display/page/..%2f..%2fhttp-server.ts',
	'/assets/display/http-server.ts',
	'//etc/passwd',
	'/lanes/lane-2',
	'/lanes/',
	'/lanes/lane-1/',
	'/lanes/%',
])('has nothing at %s', async (path) => {
	const { url } = await serve();
	const answer = await raw(url, `GET ${path} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n`);
	expect(answer).toMatch(/^HTTP\/1\.1 404 /);
});

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])('answers 405 to %s', async (method) => {
	const { url } = await serve();
	const answer = await fetch(`${url}/lanes/lane-1`, { method });
	expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
});

test('refuses an address or headers that are too long', async () => {
	const { url } = await serve();
	expect((await fetch(`${url}/${'a'.repeat(httpLimits.urlCharactersMax)}`)).status).toBe(414);
	const huge = `GET / HTTP/1.1\r\nHost: gate\r\nConnection: close\r\nX-Noise: ${'a'.repeat(httpLimits.headerBytesMax)}\r\n\r\n`;
	expect(await raw(url, huge)).toMatch(/^HTTP\/1\.1 431 /);
});

test('survives bytes that are not HTTP', async () => {
	const { url } = await serve();
	expect(await raw(url, '\x00\xff\x16\x03\x01\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
	expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('answers 500 without the cause when a page cannot be made', async () => {
	const logged: string[] = [];
	const { url } = await serve({
		metrics: () => Promise.reject(new Error('secret detail')),
		log: (event) => logged.push(event),
	});
	const answer = await fetch(`${url}/metrics`);
	expect(answer.status).toBe(500);
	expect(await answer.text()).not.toContain('secret');
	expect(logged).toEqual(['http_failed']);
});

test('a stream begins with the screen of now and goes on with every change, of its own lane only', async () => {
	const server = await serve();
	let published = false;
	const text = await readEvents(`${server.url}/lanes/lane-1/events`, (seen) => {
		const count = screenEvents(seen).length;
		if (count === 1 && !published) {
			published = true;
			server.publish('north <gate>', { kind: 'emergency' });
			server.publish('lane-1', { kind: 'go_through' });
		}
		return count === 2;
	});
	const [first, second] = screenEvents(text);
	expect(first?.screen).toEqual(idle);
	expect(second?.screen).toEqual({ kind: 'go_through' });
	expect(second?.id).not.toBe(first?.id);
	expect(second?.timeZone).toBe('Asia/Shanghai');
	expect(Math.abs((second?.nowMs ?? 0) - Date.now())).toBeLessThan(5_000);
});

test('a display that reconnects is told the same screen under the same number', async () => {
	let screen: Screen = idle;
	const server = await serve({ screenOf: () => screen });
	screen = { kind: 'go_through' };
	server.publish('lane-1', screen);
	const once = async () =>
		screenEvents(await readEvents(`${server.url}/lanes/lane-1/events`, (t) => t.includes('}\n\n')))[0];
	const [before, after] = [await once(), await once()];
	expect(after?.id).toBe(before?.id);
	expect(after?.screen).toEqual(screen);
});

test('a silent stream still beats', async () => {
	const { url } = await serve();
	expect(await readEvents(`${url}/lanes/lane-1/events`, (text) => text.includes('event: beat'))).toContain('beat');
});

test('turns away more displays than a lane can have, and takes a new one when another leaves', async () => {
	const { url } = await serve();
	const leave = new AbortController();
	const stream = (signal: AbortSignal | null = leave.signal) => fetch(`${url}/lanes/lane-1/events`, { signal });
	const streams = await Promise.all(Array.from({ length: channelClientsMax }, () => stream()));
	expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
	const extra = await stream();
	expect([extra.status, extra.headers.get('retry-after')]).toEqual([503, '5']);
	expect((await fetch(`${url}/lanes/north%20%3Cgate%3E/events`, { signal: leave.signal })).status).toBe(200);
	leave.abort();
	const again = new AbortController();
	await expect.poll(async () => (await stream(again.signal)).status, { timeout: 5_000 }).toBe(200);
	again.abort();
});

test('drops a display that no longer reads instead of keeping its events', async () => {
	const server = await serve();
	const { hostname, port } = new URL(server.url);
	const stuck = connect(Number(port), hostname, () =>
		stuck.write('GET /lanes/lane-1/events HTTP/1.1\r\nHost: gate\r\n\r\n'),
	);
	const closed = new Promise<void>((resolve) => stuck.once('close', () => resolve()));
	await new Promise<void>((resolve) => stuck.once('data', () => resolve()));
	stuck.pause();
	const missing = [`${'x'.repeat(60_000)}`];
	for (let sent = 0; sent < 400; sent += 1) {
		server.publish('lane-1', { kind: 'out_of_service', missing });
		await nextTurn();
	}
	stuck.resume();
	await closed;
	expect(await readEvents(`${server.url}/lanes/lane-1/events`, (text) => text.includes('}\n\n'))).toContain('idle');
});

test('ends its streams when it closes, at once and only once', async () => {
	const server = await serve();
	const stream = await fetch(`${server.url}/lanes/lane-1/events`);
	const startedMs = performance.now();
	await Promise.all([server.close(), server.close()]);
	expect(performance.now() - startedMs).toBeLessThan(httpLimits.closeMs);
	expect(await stream.text()).toContain('event: screen');
	await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
});

test('says that the address is taken', async () => {
	const { url } = await serve();
	await expect(serve({ port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'address_unavailable' });
});
