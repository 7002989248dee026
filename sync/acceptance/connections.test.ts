import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpsClient } from '../node/https-client.ts';
import { httpLimits } from '../server/http/app.ts';
import { openServerTls, tlsFiles } from '../server/tls/venue-tls.ts';
import { expectRefusal } from './answer.suite.ts';
import { claimOf, type Device, enrollDevice } from './device.suite.ts';
import { connectRaw, sendRaw } from './raw.suite.ts';
import { openVenue, until, type Venue } from './venue.suite.ts';

/** Where strangers come from. */
const elsewhere = '127.0.0.2';

let venue: Venue;
let device: Device;

beforeAll(async () => {
	venue = await openVenue();
	device = await enrollDevice(venue);
});
afterAll(() => venue[Symbol.asyncDispose]());

let idx = 0;
async function expectServed(who = device): Promise<void> {
	idx += 1;
	expect(await who.claim([claimOf(idx)])).toMatchObject([{ result: 'granted' }]);
}

describe('a connection that takes for ever', () => {
	it('is cut in its handshake, in its head and in its body, while a device is served', async () => {
		const { hostname, port } = new URL(venue.url);
		const wordless = connect(Number(port), hostname);
		const startedMs = performance.now();
		const wordlessMs = once(wordless.on('error', () => {}).resume(), 'close').then(() => performance.now() - startedMs);
		const [silent, head, body] = [await connectRaw(venue), await connectRaw(venue), await connectRaw(venue)];
		const token = `Authorization: Bearer ${device.token}\r\n`;
		body.write(
			`POST /v1/claims HTTP/1.1\r\nHost: gate\r\n${token}Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n`,
		);
		head.write('GET /v1/nonce HTTP/1.1\r\nHost: gate\r\n');
		const drip = setInterval(() => {
			head.write('X: y\r\n');
			body.write(' ');
		}, 250);
		const serving = setInterval(() => void device.call('openClaims', {}), 1_000);
		expectRefusal((await head.answer()) ?? { status: 0, type: '', body: 'closed' }, 'malformed');
		await Promise.all([wordlessMs, silent.closed(), head.closed()]);
		await expectServed();
		expectRefusal((await body.answer()) ?? { status: 0, type: '', body: 'closed' }, 'malformed');
		// Each has had its time.
		expect(await wordlessMs).toBeGreaterThan(httpLimits.handshakeMs - 1_000);
		expect(await head.closed()).toBeGreaterThan(httpLimits.headMs - 1_000);
		expect(await body.closed()).toBeGreaterThan(httpLimits.requestMs - 1_000);
		clearInterval(drip);
		clearInterval(serving);
		await expectServed();
		// None of it is a fault of the server: nobody has to come and look.
		expect(venue.lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
	});
});

describe('a request that two servers could read in two ways', () => {
	const hidden = `GET /v1/snapshot HTTP/1.1\r\nHost: gate\r\n\r\n`;
	const line = 'POST /v1/claims HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n';
	it.each([
		['two lengths', 'Content-Length: 0\r\nContent-Length: 40\r\n'],
		['a length and chunks', `Content-Length: ${hidden.length}\r\nTransfer-Encoding: chunked\r\n`],
		['chunks and a length', `Transfer-Encoding: chunked\r\nContent-Length: ${hidden.length}\r\n`],
		['chunks that are not the last encoding', 'Transfer-Encoding: chunked, identity\r\n'],
		['a length with a sign', 'Content-Length: +40\r\n'],
		['a length in hex', 'Content-Length: 0x28\r\n'],
		['a space before the colon', 'Content-Length : 40\r\n'],
		['a line that goes on in the next', 'X: y\r\n Content-Length: 40\r\n'],
		['a bare line feed', 'X: y\nContent-Length: 40\r\n'],
	])('is refused, and nothing behind it is read: %s', async (_what, headers) => {
		const connection = await connectRaw(venue);
		connection.write(`${line}${headers}\r\n0\r\n\r\n${hidden}`);
		expectRefusal((await connection.answer()) ?? { status: 0, type: '', body: 'closed' }, 'malformed');
		await connection.closed();
		expect(await connection.answer()).toBeUndefined();
		await expectServed();
	});
});

describe('a stranger', () => {
	it('who asks without end has to wait, and nobody else', async () => {
		const neighbour = await enrollDevice(venue);
		const flood = await connectRaw(venue, { localAddress: elsewhere });
		const ask = 'GET /v1/nonce HTTP/1.1\r\nHost: gate\r\n\r\n';
		const count = 400;
		flood.write(ask.repeat(count));
		const answers = [];
		for (let each = 0; each < count; each++) answers.push(await flood.answer());
		expect(answers[0]).toMatchObject({ status: 200 });
		const last = answers.at(-1) ?? { status: 0, type: '', body: 'closed' };
		expectRefusal(last, 'rate_limited');
		expect(last.body).toMatchObject({ retryAfterMs: expect.any(Number) });
		await expectServed(neighbour);
		// A gate that shares the address goes on with the token that it has.
		flood.write(`GET /v1/claims/open HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${device.token}\r\n\r\n`);
		expect(await flood.answer()).toMatchObject({ status: 200 });
		flood.end();
	});

	it('cannot hold more connections than the server leaves to strangers of one address', async () => {
		const { hostname, port } = new URL(venue.url);
		const { perAddressMax } = httpLimits.strangers;
		const tooMany = 300;
		const held = Array.from({ length: perAddressMax + tooMany }, () => {
			const socket = connect({ host: hostname, port: Number(port), localAddress: elsewhere }).on('error', () => {});
			return { socket, startedMs: performance.now(), livedMs: Number.POSITIVE_INFINITY };
		});
		for (const each of held) {
			each.socket.on('close', () => {
				each.livedMs = performance.now() - each.startedMs;
			});
		}
		await expectServed();
		const isCut = ({ livedMs }: { livedMs: number }) => livedMs < httpLimits.handshakeMs;
		await until('connections that were cut', () => held.filter(isCut).length >= tooMany);
		// The oldest go, so that whoever comes next is let in, from the same address too.
		expect(held.slice(-tooMany).filter(isCut)).toEqual([]);
		const newcomer = await connectRaw(venue, { localAddress: elsewhere });
		newcomer.write(`GET /v1/claims/open HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${device.token}\r\n\r\n`);
		expect(await newcomer.answer()).toMatchObject({ status: 200 });
		for (const { socket } of held) socket.destroy();
	});
});

describe('TLS', () => {
	it('is 1.2 or newer', async () => {
		const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
		for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) {
			await expect(connectRaw(venue, { ...old, maxVersion })).rejects.toMatchObject({
				code: expect.stringMatching(/PROTOCOL/),
			});
		}
		for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
			const connection = await connectRaw(venue, { minVersion: version, maxVersion: version });
			expect(connection.socket.getProtocol()).toBe(version);
			connection.end();
		}
		expect((await sendRaw(venue, 'GET /v1/nonce HTTP/1.1\r\nHost: gate\r\n\r\n'))?.status).toBe(200);
	});

	it('that does not lead to the pin gets not one byte from a client', async () => {
		const dir = await mkdtemp(join(tmpdir(), 'stileward-other-'));
		const other = await openServerTls({ dir, hosts: ['127.0.0.1'], nowMs: Date.now() });
		const authority = await readFile(join(venue.data, 'tls', tlsFiles.authority), 'utf8');
		const [leaf = ''] = other.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
		// The authority's certificate is public: anybody can show it behind a certificate of their own.
		for (const cert of [other.cert, leaf, leaf + authority]) {
			const heard: Buffer[] = [];
			const server = createServer({ key: other.key, cert }, (socket) => {
				socket.on('data', (bytes) => heard.push(bytes)).on('error', () => {});
			}).listen(0, '127.0.0.1');
			await once(server, 'listening');
			const address = server.address() as { port: number };
			const client = createHttpsClient({
				url: `https://127.0.0.1:${address.port}`,
				fingerprint: venue.fingerprint,
				trustedNowMs: Date.now,
			});
			const call = client.send({
				method: 'GET',
				path: '/v1/snapshot',
				headers: { authorization: `Bearer ${device.token}` },
			});
			await expect(call).rejects.toMatchObject({ code: 'server_untrusted' });
			await sleep(50);
			expect(heard).toEqual([]);
			client.close();
			server.close();
		}
		await rm(dir, { recursive: true });
		await expectServed();
	});
});
