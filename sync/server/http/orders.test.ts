import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { createLocalJWKSet, decodeJwt, type JWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { openStatusList, statusOf } from '../../../gate-agent/core/status-list.ts';
import { nodeZlib } from '../../node/node-zlib.ts';
import { newKey, type ServerUnderTest, startServerUnderTest } from '../running-server.suite.ts';
import { openSqliteStore } from '../stores/sqlite.ts';

const evt = 'lantern-2026';
const rules = {
	evt,
	timeZone: 'Asia/Shanghai',
	dayStartsAtMinutes: 0,
	classes: {},
	unknownClass: 'admit',
	sessions: {},
};
const always = { nbf: 0, exp: 4_000_000_000 };

let venue: ServerUnderTest;
let session: string;

beforeAll(async () => {
	venue = await startServerUnderTest();
	session = await venue.login();
	await venue.ask({ method: 'PUT', path: `/v1/office/events/${evt}`, body: { policy: rules } }, session);
});
afterAll(() => venue.close());

function post(path: string, body: unknown) {
	return venue.ask({ method: 'POST', path: `/v1/office${path}`, body }, session);
}

function issue(order: string, over: object = {}) {
	return post('/orders', { order, evt, cls: 'adult', count: 3, claims: always, ...over });
}

describe('orders', () => {
	it('come as lines that end, the same for the same number, and never twice the same ticket', async () => {
		const first = await issue('A-1');
		const lines = String(first.body).trimEnd().split('\n');
		expect(lines.length).toBe(5);
		expect(lines.at(-1)).toBe('{"done":true}');
		expect((await issue('A-1')).body).toBe(first.body);
		expect((await issue('A-1', { count: 4 })).body).toMatchObject({ code: 'order_differs' });
		const idx = (body: unknown) => [...String(body).matchAll(/"idx":(\d+)/g)].map(([, n]) => n);
		const second = await issue('A-2');
		expect(new Set([...idx(first.body), ...idx(second.body)]).size).toBe(6);
	});

	it('answer for each ticket whether it was refunded', async () => {
		const { from } = JSON.parse(String((await issue('T-1')).body).split('\n')[0] ?? '');
		await post('/orders/T-1/refund', { idx: [from + 1] });
		const ticket = (idx: unknown) =>
			venue.ask({ method: 'GET', path: `/v1/office/events/${evt}/tickets/${idx}` }, session);
		expect((await ticket(from)).body).toEqual({ evt, idx: from, revoked: false, rights: [], entries: [] });
		expect((await ticket(from + 1)).body).toMatchObject({ revoked: true });
		expect((await ticket('none')).body).toMatchObject({ code: 'malformed' });
	});

	it('take no number where the tickets would be wrong', async () => {
		const before = JSON.parse(String((await issue('B-1')).body).split('\n')[0] ?? '');
		expect((await issue('B-2', { claims: { nbf: 9, exp: 8 } })).body).toMatchObject({ code: 'malformed' });
		expect((await issue('B-2', { claims: {} })).body).toMatchObject({ code: 'malformed' });
		expect((await issue('B-2', { evt: 'nowhere' })).body).toMatchObject({ code: 'not_found' });
		const after = JSON.parse(String((await issue('B-3')).body).split('\n')[0] ?? '');
		expect(after.from).toBe(before.from + 3);
	});

	it('are revoked by a refund and valid again when it is taken back, on the signed list too', async () => {
		const { from } = JSON.parse(String((await issue('C-1')).body).split('\n')[0] ?? '');
		const key = onlyPublic(venue.issuer.keyFor(evt, 0).privateKey);
		const statuses = async () => {
			const { body } = await venue.ask({ method: 'GET', path: `/v1/status/${evt}` });
			const opened = await openStatusList(String(body), key, nodeZlib);
			expect(opened.sub).toBe(`${venue.server.url}/v1/status/${evt}`);
			return [from, from + 1].map((idx: number) => statusOf(opened.list, idx));
		};
		expect((await post('/orders/C-1/refund', { idx: [from + 1] })).body).toMatchObject({ refunded: [from + 1] });
		await expect.poll(statuses, { timeout: 20_000, interval: 500 }).toEqual([0, 1]);
		expect((await post('/orders/C-1/restore', {})).status).toBe(200);
		expect((await post('/orders/C-9/refund', {})).body).toMatchObject({ code: 'not_found' });
	});

	it('have a status list that any JOSE library verifies by the manifest, at the address that it names', async () => {
		const { from } = JSON.parse(String((await issue('D-1')).body).split('\n')[0] ?? '');
		await post('/orders/D-1/refund', { idx: [from] });
		const path = `/v1/status/${evt}`;
		const { keys } = decodeJwt(venue.issuer.manifest) as { keys: { kid: string; jwk: JWK }[] };
		const jwks = createLocalJWKSet({ keys: keys.map(({ kid, jwk }) => ({ ...jwk, kid })) });
		const statusOfFirst = async () => {
			const { headers, body } = await venue.client.send({ method: 'GET', path });
			expect(headers).toMatchObject({
				'content-type': 'application/statuslist+jwt',
				'cache-control': 'public, max-age=60',
			});
			const subject = `${venue.server.url}${path}`;
			const { payload } = await jwtVerify(body.toString(), jwks, { subject, typ: 'statuslist+jwt' });
			expect(payload).toMatchObject({ ttl: 60, exp: (payload.iat ?? 0) + 86_400 });
			const { bits, lst } = payload.status_list as { bits: number; lst: string };
			expect(bits).toBe(1);
			// Token Status List §4.1: the lowest bit of a byte comes first.
			return ((inflateSync(Buffer.from(lst, 'base64url'))[from >> 3] ?? 0) >> (from & 7)) & 1;
		};
		await expect.poll(statusOfFirst, { timeout: 20_000, interval: 500 }).toBe(1);
		const { body } = await venue.client.send({ method: 'GET', path });
		const foreign = createLocalJWKSet({ keys: [{ ...onlyPublic(await newKey()), kid: keys[0]?.kid ?? '' }] });
		await expect(jwtVerify(body.toString(), foreign)).rejects.toThrow(/signature/);
	});

	it('refuse rules of an event that a gate could not follow', async () => {
		const put = (policy: unknown) =>
			venue.ask({ method: 'PUT', path: `/v1/office/events/${evt}`, body: { policy } }, session);
		expect((await put({ ...rules, unknownClass: 'maybe' })).body).toMatchObject({ code: 'malformed' });
		expect((await put({ ...rules, classes: { child: {} } })).body).toMatchObject({ code: 'malformed' });
		expect((await put({ ...rules, evt: 'other' })).body).toMatchObject({ code: 'malformed' });
	});
});

describe('a server that stops', () => {
	it('loses no claim that it has answered, ends its streams and takes nothing new', async () => {
		const dir = await mkdtemp(join(tmpdir(), 'stileward-drain-'));
		const server = await startServerUnderTest({ dir });
		const device = await server.device(await server.login());
		const headers = { authorization: `Bearer ${device.token}`, accept: 'text/event-stream' };
		const stream = await server.client.open({ method: 'GET', path: '/v1/feed?since=1.0.0', headers });
		const claim = (idx: number) => ({
			...{ redemption: String(idx).padStart(22, 'R'), evt, idx, allowance: 'ticket', cls: 'adult', use: 1, uses: 1 },
			...{ lane: 'lane-1', atMs: Date.now(), journal: 'epoch-1' },
		});
		const asked = Array.from({ length: 40 }, (_, idx) =>
			server.ask({ method: 'POST', path: '/v1/claims', body: { claims: [claim(idx)] } }, device.token),
		);
		await Promise.race(asked);
		const closed = server.server.close();
		const ended = stream.body.toArray();
		const answers = await Promise.allSettled(asked);
		await Promise.all([closed, ended]);
		const granted = answers.flatMap((answer, idx) =>
			answer.status === 'fulfilled' && answer.value.status === 200 ? [String(idx).padStart(22, 'R')] : [],
		);
		expect(granted.length).toBeGreaterThan(0);
		const store = await openSqliteStore(join(dir, 'venue.db'));
		const open = (await store.openClaims('harbor', device.id)).map(({ redemption }) => redemption);
		await store.close();
		expect(open).toEqual(expect.arrayContaining(granted));
		await expect(server.ask({ method: 'GET', path: '/healthz' })).rejects.toMatchObject({ code: 'server_unreachable' });
		await server.close();
	});
});
