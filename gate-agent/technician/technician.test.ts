import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, type RequestOptions, request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpServer, startHttpServer } from '../display/http-server.ts';
import type { Desk, DeskState, RelayTestRequest } from './desk.ts';
import { isNear } from './near.ts';
import { isPin, isPinSet, pinFile, setPin } from './pin.ts';
import { sessionMs } from './sessions.ts';
import { createTechnician, type Technician, technicianPath } from './technician.ts';

const pin = '482913';

const shown: DeskState = {
	nowMs: 1_790_000_000_000,
	timeZone: 'Asia/Shanghai',
	gate: { agent: 'gate-1' },
	clock: { trusted: true },
	ledger: { ok: true },
	lanes: [],
	devices: [],
	scans: [],
	log: [],
};

let dir: string;
let server: HttpServer;
let technician: Technician;
/** Monotonic time, which tests move. */
let aheadMs: number;
let state: DeskState;
const tested: RelayTestRequest[] = [];
const logged: string[] = [];

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-pin-'));
	aheadMs = 0;
	state = shown;
	tested.length = 0;
	logged.length = 0;
	const log = (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
		void logged.push(JSON.stringify({ event, ...fields }));
	technician = createTechnician({ dir, monoMs: () => performance.now() + aheadMs, log });
	const desk: Desk = {
		state: () => state,
		testRelay: async (asked) => {
			tested.push(asked);
			return { kind: 'pulsed' };
		},
	};
	technician.attach(desk);
	server = await startHttpServer({
		host: '127.0.0.1',
		port: 0,
		lanes: [{ id: 'lane-1' }],
		screenOf: () => ({ kind: 'idle', mode: 'entry' }),
		timeZone: 'Asia/Shanghai',
		health: () => ({ ok: true }),
		metrics: async () => ({ contentType: 'text/plain', body: '' }),
		technician: { path: technicianPath, handle: technician.handle },
		log,
	});
});
afterEach(async () => {
	technician.close();
	await server.close();
	await rm(dir, { recursive: true, force: true });
});

interface Answered {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly text: string;
}

/** A request with exactly these headers, which `fetch` would not send. */
function ask(path: string, options: RequestOptions = {}, body = ''): Promise<Answered> {
	return new Promise((resolve, reject) => {
		const asked = send(`${server.url}${path}`, { ...options, agent: false }, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk) => {
				text += chunk;
			});
			response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
		});
		asked.on('error', reject).end(body);
	});
}

/** A post as the page itself sends it. */
function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	const own = {
		'content-type': 'application/json',
		origin: server.url,
		'content-length': String(Buffer.byteLength(text)),
	};
	return ask(path, { method: 'POST', headers: { ...own, ...headers } }, text);
}

async function signedIn(): Promise<string> {
	const { status, headers } = await post('/technician/sign-in', { pin });
	expect(status).toBe(200);
	return String(headers['set-cookie']?.[0]).split(';')[0] ?? '';
}

describe('the technician’s page', () => {
	it('is off until there is a PIN, and says how to set one', async () => {
		for (const path of ['/technician', '/technician/state', '/technician/page/technician.css']) {
			const { status, text } = await ask(path);
			expect([status, text]).toEqual([404, expect.stringContaining('set-pin')]);
		}
		expect((await post('/technician/sign-in', { pin })).status).toBe(404);
		await setPin(dir, pin);
		const page = await ask('/technician');
		expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
		const policy = String(page.headers['content-security-policy']);
		expect(policy).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
		expect(policy).not.toContain('unsafe');
		expect(page.headers['x-frame-options']).toBe('DENY');
		for (const [, path] of page.text.matchAll(/(?:href|src)="([^"]+)"/g))
			expect((await ask(String(path))).status).toBe(200);
		for (const path of ['sections.ts', 'words.ts']) {
			expect((await ask(`/technician/page/${path}`)).headers['content-type']).toContain('text/javascript');
		}
	});

	it('shows nothing and does nothing without a session', async () => {
		await setPin(dir, pin);
		for (const cookie of ['', 'stileward_technician=', `stileward_technician=${'A'.repeat(43)}`, 'other=1']) {
			expect((await ask('/technician/state', { headers: { cookie } })).status).toBe(401);
			expect((await ask('/technician/events', { headers: { cookie } })).status).toBe(401);
			const test = { lane: 'lane-1', direction: 'entry', isClear: true };
			expect((await post('/technician/relay-test', test, { cookie })).status).toBe(401);
		}
		expect(tested).toEqual([]);
	});

	it('signs in with the PIN alone, by a cookie that no script and no other site can use, for half an hour', async () => {
		await setPin(dir, pin);
		const { headers, text } = await post('/technician/sign-in', { pin });
		expect(JSON.parse(text)).toEqual({ kind: 'signed_in' });
		expect(headers['set-cookie']).toEqual([
			expect.stringMatching(
				/^stileward_technician=[\w-]{43}; Path=\/technician; Max-Age=1800; HttpOnly; SameSite=Strict$/,
			),
		]);
		const cookie = await signedIn();
		expect(JSON.parse((await ask('/technician/state', { headers: { cookie } })).text)).toEqual(shown);
		aheadMs = sessionMs;
		expect((await ask('/technician/state', { headers: { cookie } })).status).toBe(401);
		const next = await signedIn();
		expect((await post('/technician/sign-out', {}, { cookie: next })).headers['set-cookie']?.[0]).toContain(
			'Max-Age=0',
		);
		expect((await ask('/technician/state', { headers: { cookie: next } })).status).toBe(401);
		expect(logged.join('')).not.toContain(pin);
	});

	it('follows what changes until the session is over', async () => {
		await setPin(dir, pin);
		const cookie = await signedIn();
		const response = await fetch(`${server.url}/technician/events`, { headers: { cookie } });
		expect(response.headers.get('content-type')).toBe('text/event-stream');
		let text = '';
		const lanes = () =>
			[...text.matchAll(/^event: state\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(String(data)).log);
		const read = (async () => {
			for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
		})();
		await expect.poll(lanes, { timeout: 20_000 }).toContainEqual([]);
		state = { ...shown, log: ['a line'] };
		await expect.poll(lanes, { timeout: 20_000 }).toContainEqual(['a line']);
		aheadMs = sessionMs;
		await read;
	});

	it('tests a relay for who is signed in, and takes no other request for one', async () => {
		await setPin(dir, pin);
		const cookie = await signedIn();
		const test = { lane: 'lane-1', direction: 'exit', isClear: true };
		const answered = await post('/technician/relay-test', test, { cookie });
		expect([answered.status, JSON.parse(answered.text)]).toEqual([200, { kind: 'pulsed' }]);
		expect(tested).toEqual([test]);
		const wrong = [
			'',
			'{',
			'null',
			{ ...test, direction: 'up' },
			{ ...test, more: 1 },
			{ lane: 'lane-1', direction: 'exit' },
			`{"lane":"${'x'.repeat(2_000)}"}`,
		];
		for (const body of wrong) expect((await post('/technician/relay-test', body, { cookie })).status).toBe(400);
		expect((await ask('/technician/relay-test', { headers: { cookie } })).status).toBe(404);
		expect((await ask('/technician/state', { method: 'PUT', headers: { cookie } })).status).toBe(405);
		expect(tested).toHaveLength(1);
	});
});

describe('a request from elsewhere', () => {
	it('that names another host is turned away: a page whose name was made to lead here', async () => {
		await setPin(dir, pin);
		const cookie = await signedIn();
		const { port } = new URL(server.url);
		for (const host of [
			'evil.example',
			`evil.example:${port}`,
			'127.0.0.1',
			`127.0.0.1:1`,
			`127.0.0.1.evil.example:${port}`,
		]) {
			const { status } = await ask('/technician/state', { headers: { cookie, host } });
			expect([host, status]).toEqual([host, 421]);
		}
		expect((await ask('/technician/state', { headers: { cookie, host: `localhost:${port}` } })).status).toBe(200);
	});

	it('that comes from another site changes nothing', async () => {
		await setPin(dir, pin);
		const cookie = await signedIn();
		const test = { lane: 'lane-1', direction: 'entry', isClear: true };
		for (const headers of [
			{ origin: 'http://evil.example' },
			{ origin: 'null' },
			{ origin: server.url.replace('http', 'https') },
			{ origin: server.url, 'sec-fetch-site': 'cross-site' },
		]) {
			expect((await post('/technician/relay-test', test, { cookie, ...headers })).status).toBe(403);
			expect((await post('/technician/sign-in', { pin }, headers)).status).toBe(403);
		}
		const form = { 'content-type': 'application/x-www-form-urlencoded' };
		expect((await post('/technician/relay-test', JSON.stringify(test), { cookie, ...form })).status).toBe(400);
		const bare = { cookie, 'content-type': 'application/json' };
		expect((await ask('/technician/relay-test', { method: 'POST', headers: bare }, JSON.stringify(test))).status).toBe(
			403,
		);
		expect(tested).toEqual([]);
	});

	it.each([
		['127.0.0.1', true],
		['10.1.2.3', true],
		['172.16.0.1', true],
		['172.31.255.255', true],
		['192.168.1.7', true],
		['169.254.8.8', true],
		['::1', true],
		['fe80::1%eth0', true],
		['fd00::7', true],
		['::ffff:192.168.1.7', true],
		['172.32.0.1', false],
		['100.64.0.1', false],
		['8.8.8.8', false],
		['::ffff:8.8.8.8', false],
		['2001:db8::1', false],
		['0.0.0.0', false],
		['gate', false],
		['', false],
		[undefined, false],
	])('with the address %s is near: %s', (address, expected) => {
		expect(isNear(address)).toBe(expected);
	});
});

describe('a PIN', () => {
	it('is kept as a hash that only the gate’s user reads, and no other is it', async () => {
		expect([await isPinSet(dir), await isPin(dir, pin)]).toEqual([false, false]);
		// Root sets it for the user whose folder it is.
		if (process.getuid?.() === 0) await chown(dir, 12_345, 12_345);
		await setPin(dir, pin);
		expect([await isPinSet(dir), await isPin(dir, pin)]).toEqual([true, true]);
		const { mode, uid } = await stat(join(dir, pinFile));
		expect([mode & 0o777, uid]).toEqual([0o600, (await stat(dir)).uid]);
		expect(await readFile(join(dir, pinFile), 'utf8')).not.toContain(pin);
		for (const other of ['482914', '', `${pin} `, '4829130', pin.slice(1)]) expect(await isPin(dir, other)).toBe(false);
		const before = await readFile(join(dir, pinFile), 'utf8');
		await setPin(dir, pin);
		expect(await readFile(join(dir, pinFile), 'utf8')).not.toBe(before);
		await setPin(dir, '998877');
		expect([await isPin(dir, pin), await isPin(dir, '998877')]).toEqual([false, true]);
	});

	it.each(['', '12345', '1234567890123', '12345a', ' 123456', '１２３４５６', '000000'])(
		'is none of these: %j',
		async (text) => {
			await expect(setPin(dir, text)).rejects.toMatchObject({ code: 'usage' });
			expect(await isPinSet(dir)).toBe(false);
		},
	);

	it.each(['', 'x', '$', 'scrypt$1$2'])('opens nothing where its file is damaged: %j', async (text) => {
		await writeFile(join(dir, pinFile), text);
		for (const each of ['', pin, text]) expect(await isPin(dir, each)).toBe(false);
		expect((await ask('/technician')).status).toBe(404);
	});

	it('is guessed five times, then after waits that grow, and a right one does not help meanwhile', async () => {
		await setPin(dir, pin);
		const guess = () => post('/technician/sign-in', { pin: '111222' });
		for (let tries = 0; tries < 5; tries += 1) expect((await guess()).status).toBe(403);
		const waits: number[] = [];
		for (let round = 0; round < 6; round += 1) {
			const { status, headers, text } = await post('/technician/sign-in', { pin });
			expect([status, headers['retry-after']]).toEqual([429, String(JSON.parse(text).seconds)]);
			const waitMs = JSON.parse(text).seconds * 1000;
			waits.push(Math.round(waitMs / 1000));
			aheadMs += waitMs;
			expect((await guess()).status).toBe(403);
		}
		expect(waits).toEqual([30, 60, 120, 240, 480, 900]);
		aheadMs += 900_000;
		await signedIn();
		expect(logged.filter((line) => line.includes('technician_refused'))).toHaveLength(11);
		expect(logged.join('')).not.toContain('111222');
	});
});
