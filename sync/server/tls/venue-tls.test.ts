import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpsClient } from '../../node/https-client.ts';
import { certificateDays, makePrivateKey, publicKeyOf, readCertificates } from './certificates.ts';
import { certifyHub, openServerTls, renewBeforeMs, type ServerTls, tlsFiles } from './venue-tls.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
const dayMs = 86_400_000;
const hosts = ['localhost', '127.0.0.1', '::1'];

let dir: string;
const servers: Server[] = [];

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-tls-'));
});
afterEach(async () => {
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		server.close();
	}
	await rm(dir, { recursive: true, force: true });
});

/** Serves with this certificate and counts requests that arrive. */
async function serve({ key, cert }: Pick<ServerTls, 'key' | 'cert'>) {
	const seen = { requests: 0 };
	const server = createServer({ key, cert }, (request, response) => {
		seen.requests += 1;
		request.resume().once('end', () => response.end(`${request.method} ${request.url}`));
	});
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { seen, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function ask(url: string, fingerprint: string, trustedNowMs: number | undefined = nowMs) {
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: () => trustedNowMs, connectMs: 2_000 });
	try {
		const answer = await client.send({ method: 'POST', path: '/v1/claims', body: { a: 1 } });
		return answer.body.toString();
	} finally {
		client.close();
	}
}

describe('the TLS of a venue', () => {
	it('makes an authority at the first start and keeps its pin for ever', async () => {
		const first = await openServerTls({ dir, hosts, nowMs });
		expect(first.fingerprint).toMatch(/^[A-Za-z0-9_-]{43}$/);
		expect((await stat(join(dir, tlsFiles.authorityKey))).mode & 0o777).toBe(0o600);
		expect((await stat(join(dir, tlsFiles.serverKey))).mode & 0o777).toBe(0o600);
		expect(await openServerTls({ dir, hosts, nowMs: nowMs + dayMs })).toEqual(first);
		// The authority's certificate is made anew from its key, and the pin stays.
		await rm(join(dir, tlsFiles.authority));
		expect((await openServerTls({ dir, hosts, nowMs })).fingerprint).toBe(first.fingerprint);
	});

	it('renews its certificate before it ends, for new hosts, and when it was made by a wrong clock', async () => {
		const first = await openServerTls({ dir, hosts, nowMs });
		const late = await openServerTls({ dir, hosts, nowMs: first.untilMs - renewBeforeMs + 1_000 });
		expect(late.untilMs).toBeGreaterThan(first.untilMs);
		const moved = await openServerTls({ dir, hosts: [...hosts, 'hub.example'], nowMs: late.untilMs - 80 * dayMs });
		expect(readCertificates(moved.cert)[0]?.checkHost('hub.example')).toBe('hub.example');
		const back = await openServerTls({ dir, hosts, nowMs: nowMs - 400 * dayMs });
		expect(back.untilMs).toBeLessThan(first.untilMs);
		expect(new Set([first, late, moved, back].map(({ fingerprint }) => fingerprint)).size).toBe(1);
	});

	it('is a chain that OpenSSL accepts', async () => {
		const run = promisify(execFile);
		await openServerTls({ dir, hosts, nowMs: Date.now() });
		const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_ip', '127.0.0.1'];
		const { stdout } = await run('openssl', [
			...args,
			'-CAfile',
			join(dir, tlsFiles.authority),
			join(dir, tlsFiles.server),
		]);
		expect(stdout).toMatch(/: OK/);
	});

	it('says which file is damaged, never what is in it', async () => {
		await openServerTls({ dir, hosts, nowMs });
		await writeFile(join(dir, tlsFiles.authorityKey), 'SECRET');
		const failure = openServerTls({ dir, hosts, nowMs });
		await expect(failure).rejects.toMatchObject({ code: 'server_data_invalid' });
		await expect(failure).rejects.toThrow(/authority\.private\.pem/);
		await expect(failure).rejects.not.toThrow(/SECRET/);
	});
});

describe('a client that pins', () => {
	it('reaches the server by the key of its authority', async () => {
		const tls = await openServerTls({ dir, hosts, nowMs });
		const { url } = await serve(tls);
		expect(await ask(url, tls.fingerprint)).toBe('POST /v1/claims');
	});

	it('sends nothing to a server with another authority, though that one copies the pinned certificate', async () => {
		const ours = await openServerTls({ dir, hosts, nowMs });
		const theirs = await openServerTls({ dir: join(dir, 'other'), hosts, nowMs });
		const plain = await serve(theirs);
		await expect(ask(plain.url, ours.fingerprint)).rejects.toMatchObject({ code: 'server_untrusted' });
		const [stolen] = readCertificates(ours.cert).slice(-1);
		const [leaf] = readCertificates(theirs.cert);
		const copied = await serve({ key: theirs.key, cert: `${leaf}${stolen}` });
		await expect(ask(copied.url, ours.fingerprint)).rejects.toMatchObject({ code: 'server_untrusted' });
		expect(plain.seen.requests + copied.seen.requests).toBe(0);
	});

	it('refuses a certificate of the pinned authority that is for another host', async () => {
		const tls = await openServerTls({ dir, hosts: ['hub.example'], nowMs });
		const { url, seen } = await serve(tls);
		await expect(ask(url, tls.fingerprint)).rejects.toMatchObject({ code: 'server_untrusted' });
		expect(seen.requests).toBe(0);
	});

	it('refuses an expired certificate, and takes it while its own clock is untrusted', async () => {
		const tls = await openServerTls({ dir, hosts, nowMs: nowMs - 2 * certificateDays.server * dayMs });
		const { url } = await serve(tls);
		await expect(ask(url, tls.fingerprint)).rejects.toMatchObject({ code: 'server_untrusted' });
		await expect(ask(url, tls.fingerprint, 0)).rejects.toMatchObject({ code: 'server_untrusted' });
		const clock1970 = createHttpsClient({ url, fingerprint: tls.fingerprint, trustedNowMs: () => undefined });
		expect((await clock1970.send({ method: 'GET', path: '/v1/time' })).status).toBe(200);
		clock1970.close();
	});

	it('reaches a hub whose certificate the centre’s authority signed', async () => {
		const { fingerprint } = await openServerTls({ dir, hosts, nowMs });
		const key = await makePrivateKey();
		const cert = await certifyHub(dir, { publicKey: publicKeyOf(key), hosts: ['127.0.0.1'], nowMs });
		const own = await openServerTls({ dir: join(dir, 'hub'), hosts, nowMs, own: { key, certificate: cert } });
		expect(own.fingerprint).toBe(fingerprint);
		const { url } = await serve(own);
		expect(await ask(url, fingerprint)).toBe('POST /v1/claims');
	});

	it('gives up on a server that never completes TLS, and on one that is not there', async () => {
		const { createServer: createTcpServer } = await import('node:net');
		const silent = createTcpServer(() => {});
		await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
		const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
		const client = createHttpsClient({ url, fingerprint: 'x', trustedNowMs: () => nowMs, connectMs: 100 });
		await expect(client.send({ method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'server_unreachable' });
		client.close();
		silent.close();
		const gone = ask('https://127.0.0.1:9', 'x');
		await expect(gone).rejects.toMatchObject({ code: 'server_unreachable' });
	});
});
