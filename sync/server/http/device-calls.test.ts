import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { createHttpsClient } from '../../node/https-client.ts';
import { isResponse } from '../../protocol/paths.ts';
import { openTime } from '../../protocol/signed-time.ts';
import {
	askToken,
	type DeviceUnderTest,
	newKey,
	operator,
	type ServerUnderTest,
	sendAssertion,
	startServerUnderTest,
} from '../running-server.suite.ts';

const nonce = 'A'.repeat(22);
const policy = {
	evt: 'lantern-2026',
	timeZone: 'Asia/Shanghai',
	dayStartsAtMinutes: 240,
	classes: {},
	unknownClass: 'admit',
	sessions: {},
};

let venue: ServerUnderTest;
let session: string;
let device: DeviceUnderTest;

beforeAll(async () => {
	venue = await startServerUnderTest();
	session = await venue.login();
	device = await venue.device(session);
	const put = { method: 'PUT', path: '/v1/office/events/lantern-2026', body: { policy } } as const;
	expect((await venue.ask(put, session)).status).toBe(200);
});
afterAll(() => venue.close());

let drawn = 0;
function claimOf(over: object = {}) {
	drawn += 1;
	const redemption = String(drawn).padStart(22, 'R');
	const ticket = { evt: 'lantern-2026', idx: 1, allowance: 'ticket', cls: 'adult', use: 1, uses: 1 };
	return { redemption, journal: 'epoch-1', ...ticket, lane: 'lane-1', atMs: Date.now(), ...over };
}
const claim = (claims: unknown, token: string) =>
	venue.ask({ method: 'POST', path: '/v1/claims', body: { claims } }, token);

describe('a device and its server', () => {
	it('grants a ticket to the first who claims it, and says the same again', async () => {
		const other = await venue.device(session);
		const first = claimOf({ idx: 7 });
		const granted = await claim([first], device.token);
		expect(granted).toMatchObject({ status: 200, body: { answers: [{ result: 'granted' }] } });
		expect(isResponse('claims', granted.body)).toBe(true);
		const denied = await claim([claimOf({ idx: 7, lane: 'lane-2' })], other.token);
		expect(denied.body).toMatchObject({ answers: [{ result: 'denied', lane: 'lane-1' }] });
		expect((await claim([first], device.token)).body).toEqual(granted.body);
	});

	it('grants 400 claims of one ticket that come at once exactly once', async () => {
		const requests = Array.from({ length: 100 }, () =>
			claim(
				[1, 2, 3, 4].map(() => claimOf({ idx: 8 })),
				device.token,
			),
		);
		const answers = (await Promise.all(requests)).flatMap(
			({ body }) => (body as { answers: { result: string }[] }).answers,
		);
		expect(answers.length).toBe(400);
		expect(answers.filter(({ result }) => result === 'granted').length).toBe(1);
	});

	it('lists the claims that a device has not answered', async () => {
		const open = await venue.ask({ method: 'GET', path: '/v1/claims/open' }, device.token);
		expect(isResponse('openClaims', open.body)).toBe(true);
		expect((open.body as { claims: unknown[] }).claims.length).toBeGreaterThan(0);
	});

	it('signs the time for the caller’s nonce', async () => {
		const { body } = await venue.ask({ method: 'GET', path: `/v1/time?nonce=${nonce}` });
		const { body: token } = await askToken(venue.ask, device);
		const keys = (token as { timeKeys: [] }).timeKeys;
		const { time } = body as { time: string };
		const opened = await openTime(time, { nonce, keys });
		expect(Math.abs((opened?.nowMs ?? 0) - Date.now())).toBeLessThan(5_000);
		expect(await openTime(time, { nonce: 'B'.repeat(22), keys })).toBeUndefined();
	});

	it('gives a snapshot that is compressed and known by its cursor', async () => {
		const client = createHttpsClient({
			url: venue.server.url,
			fingerprint: venue.server.fingerprint,
			trustedNowMs: () => Date.now(),
		});
		const headers = { authorization: `Bearer ${device.token}` };
		const first = await client.send({ method: 'GET', path: '/v1/snapshot', headers });
		expect(first.headers['content-encoding']).toBe('gzip');
		const { gunzipSync } = await import('node:zlib');
		const snapshot = JSON.parse(gunzipSync(first.body).toString());
		expect(isResponse('snapshot', snapshot)).toBe(true);
		expect(snapshot.events[0]).toMatchObject({ evt: 'lantern-2026', policy });
		const etag = String(first.headers.etag);
		expect(etag).toBe(`"${snapshot.cursor.epoch}.${snapshot.cursor.control}.${snapshot.cursor.admissions}"`);
		const again = { method: 'GET', path: '/v1/snapshot', headers: { ...headers, 'if-none-match': etag } } as const;
		expect(await client.send(again)).toMatchObject({ status: 304, body: Buffer.alloc(0) });
		client.close();
	});

	it('tells a waiting device of a commit, by stream and by long poll', async () => {
		const headers = { authorization: `Bearer ${device.token}`, accept: 'text/event-stream' };
		const start = await venue.ask({ method: 'GET', path: '/v1/feed?since=1.0.0' }, device.token);
		const { next } = start.body as { next: { epoch: number; control: number; admissions: number } };
		const since = `${next.epoch}.${next.control}.${next.admissions}`;
		const path = `/v1/feed?since=${since}`;
		const stream = await venue.client.open({ method: 'GET', path, headers, timeoutMs: 30_000 });
		expect(stream.headers['content-type']).toBe('text/event-stream');
		const polled = venue.ask({ method: 'GET', path: `${path}&waitMs=20000` }, device.token);
		const body = { lane: 'lane-1', command: { kind: 'stop_group' } };
		const command = { method: 'POST', path: `/v1/office/devices/${device.id}/commands`, body } as const;
		expect((await venue.ask(command, session)).status).toBe(200);
		let heard = '';
		for await (const chunk of stream.body) {
			heard += String(chunk);
			if (heard.includes('"command"')) break;
		}
		expect(heard).toMatch(/^id: \d+\.\d+\.\d+\nevent: page\ndata: \{"entries":\[\]/);
		const page = (await polled).body;
		expect(isResponse('feed', page)).toBe(true);
		expect(page).toMatchObject({ entries: [{ log: 'control', change: { kind: 'command', device: device.id } }] });
	});
});

describe('what a server refuses', () => {
	const code = (answer: { body: unknown }) => (answer.body as { code: string }).code;

	it('takes each assertion once, at its own time, for its own server and venue, of its own key', async () => {
		const good = await askToken(venue.ask, device);
		expect(good.status).toBe(200);
		expect(code(await sendAssertion(venue.ask, good.assertion))).toBe('assertion_replayed');
		expect(code(await askToken(venue.ask, device, { nowMs: Date.now() - 120_000 }))).toBe('assertion_expired');
		expect(code(await askToken(venue.ask, device, { server: 'hub-1' }))).toBe('wrong_audience');
		expect(code(await askToken(venue.ask, device, { venue: 'castle' }))).toBe('wrong_venue');
		expect(code(await askToken(venue.ask, device, { nonce: 'N'.repeat(51) }))).toBe('nonce_unknown');
		expect(code(await askToken(venue.ask, { id: device.id, key: await newKey() }))).toBe('assertion_invalid');
		expect(code(await askToken(venue.ask, { id: 'x'.repeat(43), key: device.key }))).toBe('device_unknown');
	});

	it('turns away tokens that are missing, damaged or of another venue’s server', async () => {
		const other = await startServerUnderTest();
		try {
			const foreign = await other.device(await other.login());
			const damaged = device.token.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'));
			for (const token of ['', 'x'.repeat(40), damaged, foreign.token, session]) {
				const answer = await claim([claimOf()], token);
				expect(answer).toMatchObject({ status: 401, body: { code: 'token_invalid', hint: expect.any(String) } });
			}
		} finally {
			await other.close();
		}
	});

	it('enrolls one device per code and one code per key', async () => {
		const made = await venue.ask({ method: 'POST', path: '/v1/office/codes', body: { name: 'gate-x' } }, session);
		const enroll = async (code: string, key: object) =>
			venue.ask({ method: 'POST', path: '/v1/enroll', body: { code, key, name: 'gate-x', version: '1' } });
		const { code: once } = made.body as { code: string };
		const key = onlyPublic(await newKey());
		const first = await enroll(once, key);
		expect(isResponse('enroll', first.body)).toBe(true);
		expect(first.body).toMatchObject({ caPin: venue.server.fingerprint, rootKey: venue.issuer.rootKey });
		expect(code(await enroll(once, onlyPublic(await newKey())))).toBe('code_invalid');
		expect(code(await enroll('ABCDE-ABCDE', onlyPublic(await newKey())))).toBe('code_invalid');
		const another = await venue.ask({ method: 'POST', path: '/v1/office/codes', body: { name: 'gate-y' } }, session);
		expect(code(await enroll((another.body as { code: string }).code, key))).toBe('key_enrolled');
		expect(code(await enroll(once, { ...(await newKey()) }))).toBe('malformed');
	});

	it('cuts off a device that is disabled, at once', async () => {
		const lost = await venue.device(session);
		const path = `/v1/office/devices/${lost.id}/status`;
		expect((await claim([claimOf({ idx: 20 })], lost.token)).status).toBe(200);
		await venue.ask({ method: 'PUT', path, body: { status: 'disabled' } }, session);
		expect(code(await claim([claimOf({ idx: 21 })], lost.token))).toBe('device_disabled');
		expect(code(await askToken(venue.ask, lost))).toBe('device_disabled');
	});

	it('names what is wrong with a body, and takes none that is too large or no JSON', async () => {
		expect(code(await claim([], device.token))).toBe('malformed');
		const wrong = await claim([claimOf({ idx: -1 })], device.token);
		expect(wrong.body).toMatchObject({ code: 'malformed', detail: expect.stringContaining('idx') });
		expect(code(await claim([claimOf({ extra: 1 })], device.token))).toBe('malformed');
		expect(code(await claim([claimOf({ cls: 'x'.repeat(200_000) })], device.token))).toBe('too_large');
		const raw = { method: 'POST', path: '/v1/claims' } as const;
		expect(code(await venue.ask(raw, device.token))).toBe('malformed');
		expect(code(await venue.ask({ ...raw, headers: { 'content-type': 'text/plain' } }, device.token))).toBe(
			'malformed',
		);
		expect(code(await venue.ask({ method: 'GET', path: '/v1/time?nonce=short' }))).toBe('malformed');
		expect(code(await venue.ask({ method: 'GET', path: '/v1/nothing' }))).toBe('not_found');
	});

	it('refuses a segment that its device did not sign, and goes on', async () => {
		const send = (segment: string) =>
			venue.ask({ method: 'POST', path: '/v1/segments', body: { segment } }, device.token);
		expect(code(await send('a.b.c'))).toBe('segment_invalid');
		expect((await claim([claimOf({ idx: 30 })], device.token)).status).toBe(200);
	});

	it('keeps operators’ calls from devices and strangers, and writes down what operators did', async () => {
		const order = { method: 'POST', path: '/v1/office/codes', body: { name: 'x' } } as const;
		expect(code(await venue.ask(order))).toBe('token_invalid');
		expect(code(await venue.ask(order, device.token))).toBe('token_invalid');
		const login = { method: 'POST', path: '/v1/office/login', body: { ...operator, password: 'wrong' } } as const;
		expect(code(await venue.ask(login))).toBe('forbidden');
		const { body } = await venue.ask({ method: 'GET', path: '/v1/office/audit' }, session);
		const acts = (body as { rows: { act: string; operator: string }[] }).rows;
		expect(acts).toContainEqual(expect.objectContaining({ act: 'device.status', operator: operator.name }));
	});

	it('logs no token and no password', () => {
		const log = venue.log.join('');
		expect(log).toContain('request_refused');
		for (const secret of [device.token, session, operator.password]) expect(log).not.toContain(secret);
	});

	it('publishes its calls, its health and its figures', async () => {
		const openapi = await venue.ask({ method: 'GET', path: '/openapi.json' });
		expect(openapi.body).toHaveProperty(['paths', '/v1/claims', 'post', 'requestBody']);
		expect((await venue.ask({ method: 'GET', path: '/docs' })).body).toContain('POST /v1/segments');
		expect((await venue.ask({ method: 'GET', path: '/healthz' })).body).toMatchObject({ status: 'ok', epoch: 1 });
		const metrics = (await venue.ask({ method: 'GET', path: '/metrics' })).body;
		expect(metrics).toContain('stileward_server_claims_total{result="granted"}');
	});
});
