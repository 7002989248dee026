import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpsAnswer } from '../../node/https-client.ts';
import { type ServerUnderTest, startServerUnderTest } from '../running-server.suite.ts';
import { readHandheld } from './handheld-files.ts';

const script = `console.log(${JSON.stringify('x'.repeat(5_000))});`;
const origin = 'https://hub.example.org:8443';

let folder: string;
let venue: ServerUnderTest;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'stileward-handheld-'));
	await mkdir(join(folder, 'assets'));
	await writeFile(join(folder, 'index.html'), '<!doctype html><title>handheld</title>');
	await writeFile(join(folder, 'assets/main-4fb1.js'), script);
	await writeFile(join(folder, 'sw.js'), '//');
	await writeFile(join(folder, 'manifest.webmanifest'), '{}');
	await writeFile(join(folder, 'secret.pem'), 'no part of a handheld');
	venue = await startServerUnderTest({ handheld: folder, origins: [origin] });
});
afterAll(async () => {
	await venue.close();
	await rm(folder, { recursive: true });
});

function get(path: string, headers: Record<string, string> = {}): Promise<HttpsAnswer> {
	return venue.client.send({ method: 'GET', path, headers });
}

describe('the handheld', () => {
	it('is served under a policy that lets in nothing but its own files', async () => {
		const index = await get('/handheld/');
		expect(index.body.toString()).toContain('<title>handheld</title>');
		expect(index.headers).toMatchObject({
			'content-type': 'text/html; charset=utf-8',
			'cache-control': 'no-cache',
			'referrer-policy': 'no-referrer',
			'x-content-type-options': 'nosniff',
			'cross-origin-opener-policy': 'same-origin',
			'permissions-policy': 'camera=(self), bluetooth=(self), screen-wake-lock=(self)',
		});
		const policy = String(index.headers['content-security-policy']).split('; ');
		expect(policy).toContain("default-src 'none'");
		expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
		expect(policy.join()).not.toContain('unsafe-inline');
		expect(await get('/handheld')).toMatchObject({ status: 308, headers: { location: '/handheld/' } });
		expect((await get('/handheld/index.html')).body).toEqual(index.body);
	});

	it('is packed where the browser takes that, and kept for ever only where its name says what is in it', async () => {
		const plain = await get('/handheld/assets/main-4fb1.js');
		expect(plain.body.toString()).toBe(script);
		expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
		const packed = await get('/handheld/assets/main-4fb1.js', { 'accept-encoding': 'br, gzip' });
		expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
		expect(gunzipSync(packed.body).toString()).toBe(script);
		expect(packed.headers.etag).not.toBe(plain.headers.etag);
		const again = await get('/handheld/assets/main-4fb1.js', { 'if-none-match': String(plain.headers.etag) });
		expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
		for (const path of ['sw.js', 'manifest.webmanifest']) {
			expect((await get(`/handheld/${path}`)).headers['cache-control'], path).toBe('no-cache');
		}
	});

	it('has no other address, whatever is in its folder or beside it', async () => {
		for (const path of ['secret.pem', 'none.js', 'assets/', '..%2fserver.db', '%2e%2e/%2e%2e/etc/passwd']) {
			expect(JSON.parse((await get(`/handheld/${path}`)).body.toString()), path).toMatchObject({ code: 'not_found' });
		}
		await expect(readHandheld(join(folder, 'assets'))).rejects.toMatchObject({ code: 'server_data_invalid' });
		await expect(readHandheld(join(folder, 'none'))).rejects.toMatchObject({ code: 'server_data_invalid' });
	});

	it('that nobody has built says so, and how it is built', async () => {
		const bare = await startServerUnderTest();
		try {
			const page = await bare.client.send({ method: 'GET', path: '/handheld/' });
			expect(page.status).toBe(404);
			expect(page.body.toString()).toContain('node scripts/handheld-build.ts');
			expect(page.body.toString()).toContain('手持终端未构建');
		} finally {
			await bare.close();
		}
	});
});

describe('a phone', () => {
	it('is told how to trust the venue, and given the certificate whose fingerprint it compares', async () => {
		const { body, headers } = await get('/handheld/venue-ca.crt');
		expect(headers['content-type']).toBe('application/x-x509-ca-cert');
		const authority = new X509Certificate(body);
		expect(authority.ca).toBe(true);
		const spki = authority.publicKey.export({ type: 'spki', format: 'der' });
		expect(createHash('sha256').update(spki).digest('base64url')).toBe(venue.server.fingerprint);
		const page = (await get('/handheld/trust')).body.toString();
		const groups = createHash('sha256').update(body).digest('hex').toUpperCase().match(/.{4}/g) ?? [];
		expect(page).toContain(groups.join(' '));
		for (const text of ['证书信任设置', 'Certificate Trust Settings', '安卓', 'Android', venue.server.fingerprint]) {
			expect(page).toContain(text);
		}
		expect(page).not.toContain('<script');
	});
});

describe('a page of another server of the venue', () => {
	const preflight = (from: string, path: string) =>
		venue.client.send({
			// The client is made for the calls of devices; this one is a browser's own.
			method: 'OPTIONS' as 'GET',
			path,
			headers: {
				origin: from,
				'access-control-request-method': 'POST',
				'access-control-request-headers': 'authorization,content-type',
				'access-control-request-private-network': 'true',
			},
		});

	it('may call for a device, after a preflight', async () => {
		const asked = await preflight(origin, '/v1/claims');
		expect(asked).toMatchObject({
			status: 204,
			headers: {
				'access-control-allow-origin': origin,
				'access-control-allow-methods': 'GET, POST',
				'access-control-allow-private-network': 'true',
				vary: 'origin',
			},
		});
		expect(String(asked.headers['access-control-allow-headers']).split(', ')).toEqual(
			expect.arrayContaining(['authorization', 'content-type']),
		);
		const nonce = await get('/v1/nonce', { origin });
		expect(nonce).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': origin } });
		// A refusal is read by the page, too.
		expect(await get('/v1/snapshot', { origin })).toMatchObject({
			status: 401,
			headers: { 'access-control-allow-origin': origin },
		});
	});

	it('reads the stream of the feed', async () => {
		const { token } = await venue.device(await venue.login());
		const headers = { origin, accept: 'text/event-stream', authorization: `Bearer ${token}` };
		const stream = await venue.client.open({ method: 'GET', path: '/v1/feed?since=1.0.0', headers });
		stream.body.destroy();
		expect(stream.headers).toMatchObject({
			'access-control-allow-origin': origin,
			'content-type': 'text/event-stream',
		});
	});

	it('may not where the server does not know it, and never asks the office', async () => {
		for (const from of ['https://evil.example', 'null', 'http://hub.example.org:8443', `${origin}0`]) {
			const asked = await preflight(from, '/v1/claims');
			expect(asked.status, from).toBe(403);
			expect(asked.headers, from).not.toHaveProperty('access-control-allow-origin');
			expect((await get('/v1/nonce', { origin: from })).headers).not.toHaveProperty('access-control-allow-origin');
		}
		expect((await preflight(origin, '/v1/office/devices')).status).toBe(404);
		expect((await get('/v1/office/devices', { origin })).headers).not.toHaveProperty('access-control-allow-origin');
	});
});
