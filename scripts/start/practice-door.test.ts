import { mkdtemp, rm } from 'node:fs/promises';
import { type RequestListener, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenServer } from '../../gate-agent/display/http-reply.ts';
import { openServerTls } from '../../sync/server/tls/venue-tls.ts';
import { type Practice, startPractice } from './practice.suite.ts';
import { openSimulatedDevices } from './practice-devices.ts';
import { doorBytesMax, openDoor } from './practice-door.ts';

const log = pino({ level: 'silent' });

let practice: Practice;
let door: OpenServer;
beforeAll(async () => {
	practice = await startPractice(openSimulatedDevices);
	const { url, fingerprint } = practice.venue.server;
	door = await openDoor({ port: 0, url, fingerprint, log });
}, 60_000);
afterAll(async () => {
	await door.close();
	await practice.close();
});

/** A call as a browser or something else makes it, with its path as it is given. */
function call(
	path: string,
	headers: Readonly<Record<string, string>> = {},
	body?: Buffer,
): Promise<number | undefined> {
	const { port } = new URL(door.url);
	return new Promise((resolve, reject) => {
		const method = body === undefined ? 'GET' : 'POST';
		const outgoing = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
			answer.resume();
			resolve(answer.statusCode);
		});
		outgoing.on('error', reject).end(body);
	});
}

const json = { 'content-type': 'application/json' };

test('passes on what the handheld calls at the server, and the server’s own answer', async () => {
	const unknown = await fetch(`${door.url}/v1/enroll`, {
		method: 'POST',
		headers: { ...json, origin: door.url },
		body: '{}',
	});
	expect(unknown.status).toBe(400);
	expect(await unknown.json()).toMatchObject({ code: 'malformed' });
	const trust = await fetch(`${door.url}/handheld/trust`);
	expect(trust.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
	expect(await trust.text()).toContain('<html');
});

test.each([
	'/',
	'/handheld',
	'/office/v1/login',
	'/healthz',
	'/handheldx/',
	'/handheld/../healthz',
	'/v1/%2e%2e/healthz',
])('has nothing but the handheld and its calls: not %s', async (path) => {
	expect(await call(path)).toBe(404);
});

test('answers under loopback names only', async () => {
	const { port } = new URL(door.url);
	expect(await call('/handheld/trust', { host: `localhost:${port}` })).toBe(200);
	for (const host of [`evil.example:${port}`, '127.0.0.1.evil.example', '10.0.0.5']) {
		expect(await call('/handheld/trust', { host }), host).toBe(421);
	}
});

test.each([
	['of another site', { origin: 'http://evil.example' }],
	['of another port of this machine', { origin: 'http://127.0.0.1:1' }],
	['without an origin', {}],
] as const)('refuses a call %s', async (_name, headers) => {
	expect(await call('/v1/enroll', { ...json, ...headers }, Buffer.from('{}'))).toBe(403);
});

test('passes on bodies up to a mebibyte', async () => {
	const headers = { ...json, origin: door.url };
	const whole = Buffer.from('{}'.padEnd(doorBytesMax));
	const bytes = await withServer(
		(request, response) => void request.toArray().then((parts) => response.end(String(Buffer.concat(parts).length))),
		async (url) =>
			(await fetch(`${url}/v1/any`, { method: 'POST', headers: { ...json, origin: url }, body: whole })).text(),
	);
	expect(Number(bytes)).toBe(doorBytesMax);
	expect(await call('/v1/enroll', headers, Buffer.alloc(doorBytesMax + 1, ' '))).toBe(413);
});

test('passes on headers, but those of one connection', async () => {
	const seen = await withServer(
		({ headers }, response) =>
			void response.writeHead(200, { 'x-own': 'kept', 'keep-alive': 'timeout=9' }).end(JSON.stringify(headers)),
		async (url) => {
			const answer = await fetch(`${url}/v1/any`, {
				headers: { 'x-device': 'kept', te: 'trailers', referer: 'http://127.0.0.1/' },
			});
			expect(answer.headers.get('x-own')).toBe('kept');
			expect(answer.headers.get('keep-alive')).not.toBe('timeout=9');
			return (await answer.json()) as Readonly<Record<string, unknown>>;
		},
	);
	expect(seen).toMatchObject({ 'x-device': 'kept' });
	for (const name of ['te', 'referer', 'origin']) expect(seen, name).not.toHaveProperty(name);
});

test('passes a stream on piece by piece, and ends it at the server when its reader goes', async () => {
	let held: ServerResponse | undefined;
	const ended = Promise.withResolvers<void>();
	await withServer(
		(_request, response) => {
			held = response;
			response.once('close', ended.resolve).write('one');
		},
		async (url) => {
			const reading = new AbortController();
			const answer = await fetch(`${url}/v1/feed`, { signal: reading.signal });
			const reader = answer.body?.getReader();
			const piece = async () => Buffer.from((await reader?.read())?.value ?? []).toString();
			expect(await piece()).toBe('one');
			// Written only now that the first piece is here.
			held?.write('two');
			expect(await piece()).toBe('two');
			reading.abort();
			await ended.promise;
		},
	);
});

test('answers nothing where the server does not, as a cable that is cut', async () => {
	const before = practice.venue.state().handheld.open.split('#')[0] ?? '';
	await practice.venue.act({ kind: 'link', at: 'handheld', up: false });
	expect(practice.venue.state().handheld.cut).toBe(true);
	const waiting = fetch(`${before}trust`);
	await practice.venue.act({ kind: 'link', at: 'handheld', up: true });
	expect((await waiting).status).toBe(200);
	const gone = await withServer(
		(_request, response) => void response.destroy(),
		(url) =>
			fetch(`${url}/v1/time`).then(
				() => 'an answer',
				() => 'none',
			),
	);
	expect(gone).toBe('none');
});

/** Opens a door to a server of the test, which is a TLS server under a pin like the real one. */
async function withServer<T>(answer: RequestListener, work: (url: string) => Promise<T>): Promise<T> {
	const dir = await mkdtemp(join(tmpdir(), 'stileward-door-'));
	const { key, cert, fingerprint } = await openServerTls({ dir, hosts: ['127.0.0.1'], nowMs: Date.now() });
	const server = createServer({ key, cert }, answer);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	// A TCP server that listens has an address of this form.
	const { port } = server.address() as AddressInfo;
	const opened = await openDoor({ port: 0, url: `https://127.0.0.1:${port}`, fingerprint, log });
	try {
		return await work(opened.url);
	} finally {
		await opened.close();
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
		await rm(dir, { recursive: true });
	}
}
