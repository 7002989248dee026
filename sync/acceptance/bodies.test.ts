import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRequest, type Route, type RouteName, routes } from '../protocol/paths.ts';
import { type ProblemCode, problemContentType } from '../protocol/problem.ts';
import { jwtBearerGrant } from '../protocol/token.ts';
import { journalOf } from '../server/testing/device-journal.ts';
import { type Answer, expectRefusal, readAnswer } from './answer.suite.ts';
import { claimOf, type Device, enrollDevice, newId, signedSegment } from './device.suite.ts';
import { sendRaw } from './raw.suite.ts';
import { openVenue, type Venue } from './venue.suite.ts';

let venue: Venue;
/** Sends what is wrong. */
let device: Device;
/** Goes on working. */
let other: Device;
/** A good request of every call. */
let good: Readonly<Record<RouteName, Readonly<Record<string, unknown>>>>;

beforeAll(async () => {
	venue = await openVenue();
	device = await enrollDevice(venue);
	other = await enrollDevice(venue);
	const journal = journalOf(venue.id, device.id);
	journal.admit({ idx: 1, taken: 1 });
	const staff = { token: 'T'.repeat(43) };
	good = {
		enroll: { code: 'ABCDE-ABCDE', key: device.enrollment.rootKey, name: 'gate', version: '1' },
		nonce: {},
		token: { grant_type: jwtBearerGrant, assertion: 'x' },
		time: { nonce: newId() },
		claims: { claims: [claimOf(1)] },
		openClaims: {},
		segments: { segment: await signedSegment(device, journal.segment(1)) },
		feed: { since: '1.0.0', waitMs: 0 },
		snapshot: {},
		config: {},
		release: { version: '1.0.0', arch: 'amd64' },
		package: { sha256: '0'.repeat(64) },
		report: { version: '1', waiting: 0, clockTrusted: true, lanes: [] },
		staffSignIn: { name: 'li.na', pin: '482913' },
		staffStatus: staff,
		staffTicket: { ...staff, evt: 'lantern-2026', idx: 1 },
		staffOrder: { ...staff, number: 'A-1' },
		staffLanes: staff,
		staffLaneOrder: { ...staff, device: device.id, lane: 'lane-1', order: 'confirm' },
	};
});
afterAll(() => venue[Symbol.asyncDispose]());

/** What happens beside a refusal: nothing. */
async function expectServed(): Promise<void> {
	expect(await other.claim([claimOf(1_000 + Math.floor(Math.random() * 1e9))])).toMatchObject([{ result: 'granted' }]);
}

function headOf({ method, path, auth }: Route, query = ''): string {
	const token = auth === 'device' ? `Authorization: Bearer ${device.token}\r\n` : '';
	return `${method} ${path}${query} HTTP/1.1\r\nHost: gate\r\n${token}`;
}

/** Sends a body of any kind as it is. */
function post(route: Route, body: string | Buffer, type = 'application/json'): Promise<Answer> {
	const kind = type === '' ? '' : `Content-Type: ${type}\r\n`;
	const bytes = Buffer.from(body);
	return inTurn(() => sendRaw(venue, `${headOf(route)}${kind}Content-Length: ${bytes.length}\r\n\r\n`, bytes));
}

function get(route: Route, query: string): Promise<Answer> {
	return inTurn(() => sendRaw(venue, `${headOf(route, query)}\r\n`));
}

/** Whoever asks this often has to wait for a turn. */
async function inTurn(send: () => Promise<Answer | undefined>): Promise<Answer> {
	for (;;) {
		const answer = await send();
		if (answer === undefined) throw new Error('the server closed without an answer');
		if (answer.status !== 429) return answer;
		expectRefusal(answer, 'rate_limited');
		await new Promise((resolve) => setTimeout(resolve, (answer.body as { retryAfterMs: number }).retryAfterMs));
	}
}

const named = Object.entries(routes) as [RouteName, Route][];
const posts = named.filter(([, { method }]) => method === 'POST');
const gets = named.filter(([, { method }]) => method === 'GET');

const notObjects = ['', '{', '{"a":}', 'null', '[]', '42', '"text"', 'true', '\u0000', '{}{}', "{'a':1}"];
const wrongTypes = [
	'application/xml',
	'text/plain',
	'application/x-www-form-urlencoded',
	'multipart/form-data; boundary=x',
	'',
];
const wrongValues = [null, [], {}, true, -1, 1.5, '', 'x', 2 ** 60, '\u0000', [[[]]]];

describe.each(posts)('the body of %s', (name, route) => {
	it('is JSON, or the server says so', async () => {
		for (const body of [...notObjects, Buffer.from([0xff, 0xfe, 0x7b, 0x7d])])
			expectRefusal(await post(route, body), 'malformed');
		for (const type of wrongTypes) expectRefusal(await post(route, JSON.stringify(good[name]), type), 'malformed');
		await expectServed();
	});

	it('has every member, of its type, and no other', async () => {
		const bodies: string[] = [];
		for (const member of Object.keys(good[name])) {
			const { [member]: _, ...without } = good[name];
			for (const wrong of [without, ...wrongValues.map((value) => ({ ...good[name], [member]: value }))]) {
				bodies.push(JSON.stringify(wrong));
			}
		}
		for (const extra of ['extra', '__proto__', 'constructor', 'toString']) {
			bodies.push(JSON.stringify(good[name]).replace(/\}$/, `,"${extra}":{"a":1}}`));
		}
		const formless = bodies.filter((body) => !isRequest(name, JSON.parse(body)));
		expect(formless.length).toBeGreaterThan(10);
		for (const body of formless) expectRefusal(await post(route, body), 'malformed');
		// What has the form of its call is for the call to judge.
		const formed = bodies.filter((body) => isRequest(name, JSON.parse(body)));
		for (const body of formed) expect((await post(route, body)).status, body).toBeLessThan(500);
		await expectServed();
	});

	it('is not deeper than the server can read', async () => {
		const depth = Math.floor(route.bodyBytesMax / 12);
		const [member = 'a'] = Object.keys(good[name]);
		for (const [open, close] of [
			['[', ']'],
			['{"a":', '}'],
		] as const) {
			const inner = open.repeat(depth) + (open === '[' ? '' : '1') + close.repeat(depth);
			for (const body of [inner, open.repeat(depth), `{"${member}":${inner}}`]) {
				expectRefusal(await post(route, body), 'malformed');
			}
		}
		await expectServed();
	});

	it('is not larger than its limit, whether it says its size or not', async () => {
		const head = `${headOf(route)}Content-Type: application/json\r\n`;
		// What it says is enough: nothing of it is read.
		const told = () => sendRaw(venue, `${head}Content-Length: ${route.bodyBytesMax + 1}\r\n\r\n`, '{"a":"');
		expectRefusal(await inTurn(told), 'too_large');
		const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
		const chunks = Array.from({ length: Math.ceil(route.bodyBytesMax / 0x10000) + 1 }, () => chunk);
		const untold = () => sendRaw(venue, `${head}Transfer-Encoding: chunked\r\n\r\n`, '6\r\n{"a":"\r\n', ...chunks);
		expectRefusal(await inTurn(untold), 'too_large');
		await expectServed();
	});
});

describe.each(posts.filter(([, { auth }]) => auth === 'device'))('the body of %s', (_name, route) => {
	it('is not even read from strangers', async () => {
		const head = headOf({ ...route, auth: 'none' });
		const ask = () => sendRaw(venue, `${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`);
		expectRefusal(await inTurn(ask), 'token_invalid');
		await expectServed();
	});
});

describe.each(gets)('the query of %s', (name, route) => {
	it('has the members of its call and no other, once each', async () => {
		const members = Object.keys((route.request as { properties?: object }).properties ?? {});
		const values = [
			'',
			'x',
			'-1',
			'1e9',
			'%00',
			'%ff',
			'%F0%9F%8F%AE',
			'x'.repeat(5_000),
			'1.0',
			'0.0.0',
			'1.0.0.0',
			'01.0.0',
		];
		const wrong = members.flatMap((member) => values.map((value) => `?${member}=${value}`));
		for (const query of [...wrong, '?extra=1', '?__proto__=1', '?a[]=1']) {
			expectRefusal(await get(route, query), 'malformed');
		}
		for (const member of members) {
			const value = String(good[name][member]);
			expectRefusal(await get(route, `?${member}=${value}&${member}=${value}`), 'malformed');
		}
		await expectServed();
	});
});

describe('an address', () => {
	it('that is none is refused like everything else', async () => {
		const bearer = `Authorization: Bearer ${device.token}\r\n`;
		const cases: [line: string, code: ProblemCode][] = [
			['GET /v1/nothing', 'not_found'],
			['GET /v1/%zz', 'malformed'],
			['GET /../../etc/passwd', 'not_found'],
			['GET //v1/nonce', 'not_found'],
			['PUT /v1/claims', 'not_found'],
			['DELETE /v1/snapshot', 'not_found'],
			['BREW /v1/nonce', 'malformed'],
			['GET http://other/v1/claims', 'not_found'],
			[`GET /v1/time?nonce=${'x'.repeat(20_000)}`, 'too_large'],
		];
		for (const [line, code] of cases) {
			const answer = await inTurn(() =>
				sendRaw(venue, `${line} HTTP/1.1\r\nHost: gate\r\n${bearer}Content-Length: 0\r\n\r\n`),
			);
			expect(answer, line).toMatchObject({ type: problemContentType, body: { code, hint: expect.any(String) } });
		}
		await expectServed();
	});
});

describe('a call of an operator', () => {
	it('is refused in the same form, whatever its body', async () => {
		const { body } = readAnswer(await other.http.send({ method: 'GET', path: '/openapi.json' }));
		const { paths } = body as { paths: Record<string, Record<string, { requestBody?: unknown }>> };
		const calls = Object.entries(paths).flatMap(([path, methods]) => {
			const withBody = Object.entries(methods).filter(([, { requestBody }]) => requestBody !== undefined);
			return withBody.map(([method]) => ({
				method: method.toUpperCase() as 'POST' | 'PUT',
				path: path.replaceAll(/\{\w+\}/g, 'x'),
			}));
		});
		const office = calls.filter(({ path }) => path.startsWith('/v1/office/'));
		expect(office.length).toBeGreaterThan(8);
		for (const call of office) {
			for (const wrong of [null, [], 42, {}, { extra: {} }, Object.fromEntries([['__proto__', 1]])]) {
				const answer = await venue.office({ ...call, body: wrong });
				if (answer.status === 200) continue;
				expect(answer, `${call.path} ${JSON.stringify(wrong)}`).toMatchObject({
					status: expect.toSatisfy((status: number) => status < 500),
					type: problemContentType,
					body: { code: expect.any(String), hint: expect.any(String) },
				});
			}
		}
		await expectServed();
	});
});
