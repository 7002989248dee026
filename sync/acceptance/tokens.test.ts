import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProblemCode } from '../protocol/problem.ts';
import { accessTokenMs, createAccessTokens } from '../server/http/access-tokens.ts';
import { openServerKeys } from '../server/server-keys.ts';
import { centreId } from '../server/start.ts';
import { type Answer, bodyOf, expectRefusal } from './answer.suite.ts';
import { assertionOf, claimOf, type Device, enrollDevice, newId, newKey, sendAssertion } from './device.suite.ts';
import { openVenue, type Venue } from './venue.suite.ts';

let harbor: Venue;
let castle: Venue;
let device: Device;
/** The same key, enrolled at the other venue too. */
let abroad: Device;
/** Goes on working at the harbor, whatever the others try. */
let other: Device;

beforeAll(async () => {
	[harbor, castle] = await Promise.all([openVenue({ id: 'harbor' }), openVenue({ id: 'castle' })]);
	device = await enrollDevice(harbor);
	other = await enrollDevice(harbor);
	abroad = await enrollDevice(castle, { key: device.key });
});
afterAll(async () => {
	await Promise.all([harbor, castle].map((venue) => venue[Symbol.asyncDispose]()));
});

let drawn = 0;
async function expectServed(who = other): Promise<void> {
	drawn += 1;
	expect(await who.claim([claimOf(drawn)])).toMatchObject([{ result: 'granted' }]);
}

/** Tries a token on every kind of call that needs one. */
async function expectNoEntry(token: string, code: ProblemCode): Promise<void> {
	const idx = 1_000_000;
	const calls = [
		device.ask({ method: 'POST', path: '/v1/claims', body: { claims: [claimOf(idx)] } }, token),
		device.ask({ method: 'GET', path: '/v1/claims/open' }, token),
		device.ask({ method: 'POST', path: '/v1/segments', body: { segment: 'x' } }, token),
		device.ask({ method: 'GET', path: '/v1/feed?since=1.0.0' }, token),
		device.ask({ method: 'GET', path: '/v1/feed?since=1.0.0', headers: { accept: 'text/event-stream' } }, token),
		device.ask({ method: 'GET', path: '/v1/snapshot' }, token),
		device.ask({ method: 'POST', path: '/v1/report', body: {} }, token),
	];
	for (const answer of await Promise.all(calls)) expectRefusal(answer, code);
	await expectServed();
}

describe('an access token', () => {
	it('is the server’s own, whole, and in its time', async () => {
		const { tokenSecret } = await openServerKeys(harbor.data);
		const tokens = createAccessTokens({ secret: tokenSecret, server: centreId, venue: 'harbor' });
		const about = { venue: 'harbor', device: device.id };
		// The same secret makes the very token that the server has given out before, or will.
		expect((await device.ask({ method: 'GET', path: '/v1/claims/open' }, tokens.issue(about, Date.now()))).status).toBe(
			200,
		);
		const [head = '', payload = '', mac = ''] = device.token.split('.');
		const swapped = (text: string) => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
		const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
		const wrong = {
			'none at all': '',
			'no token of ours': 'x'.repeat(64),
			'another head': `${swapped(head)}.${payload}.${mac}`,
			'other contents': `${head}.${swapped(payload)}.${mac}`,
			'another signature': `${head}.${payload}.${swapped(mac)}`,
			'no signature': `${none}.${payload}.`,
			'that ended a moment ago': tokens.issue(about, Date.now() - accessTokenMs - 1_000),
			'of another secret': createAccessTokens({ secret: new Uint8Array(32), server: centreId, venue: 'harbor' }).issue(
				about,
				Date.now(),
			),
			'of a device that nobody knows': tokens.issue({ ...about, device: 'D'.repeat(43) }, Date.now()),
			'of another server': createAccessTokens({ secret: tokenSecret, server: 'hub', venue: 'harbor' }).issue(
				about,
				Date.now(),
			),
			'of another venue': createAccessTokens({ secret: tokenSecret, server: centreId, venue: 'castle' }).issue(
				about,
				Date.now(),
			),
		};
		for (const token of Object.values(wrong)) await expectNoEntry(token, 'token_invalid');
	});

	it('is good at its own venue only, also for the same key', async () => {
		await expectServed(device);
		await expectServed(abroad);
		await expectNoEntry(abroad.token, 'token_invalid');
		const there = await abroad.ask({ method: 'GET', path: '/v1/snapshot' }, device.token);
		expectRefusal(there, 'token_invalid');
	});

	it('of a device that is disabled ends with it, and comes back with it', async () => {
		const lost = await enrollDevice(harbor);
		await expectServed(lost);
		const path = `/v1/office/devices/${lost.id}/status`;
		bodyOf(await harbor.office({ method: 'PUT', path, body: { status: 'disabled' } }));
		await expectNoEntry(lost.token, 'device_disabled');
		expectRefusal(await sendAssertion(lost, await assertionOf(lost)), 'device_disabled');
		bodyOf(await harbor.office({ method: 'PUT', path, body: { status: 'active' } }));
		await expectServed(lost);
		await expectServed();
	});

	it('is no session of an operator', async () => {
		expectRefusal(await device.ask({ method: 'GET', path: '/v1/office/devices' }, device.token), 'token_invalid');
		await expectServed();
	});
});

describe('an assertion', () => {
	const send = (assertion: string, to: Device = device): Promise<Answer> => sendAssertion(to, assertion);

	it('is used once', async () => {
		const good = await assertionOf(device);
		expect((await send(good)).status).toBe(200);
		expectRefusal(await send(good), 'assertion_replayed');
		// Its id and its nonce are each used up with it.
		const jti = newId();
		expect((await send(await assertionOf(device, { jti }))).status).toBe(200);
		expectRefusal(await send(await assertionOf(device, { jti })), 'assertion_replayed');
		await expectServed();
	});

	it('used many times at once is taken once', async () => {
		const good = await assertionOf(device);
		const answers = await Promise.all(Array.from({ length: 20 }, () => send(good)));
		expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
		for (const answer of answers.filter(({ status }) => status !== 200)) expectRefusal(answer, 'assertion_replayed');
		await expectServed();
	});

	it('is for this server, this venue and this moment, by the key of its device', async () => {
		const nowMs = Date.now();
		const spoiled: [over: Parameters<typeof assertionOf>[1], code: ProblemCode][] = [
			[{ server: 'hub-1' }, 'wrong_audience'],
			[{ venue: 'castle' }, 'wrong_venue'],
			[{ nowMs: nowMs - 120_000 }, 'assertion_expired'],
			[{ nowMs: nowMs + 120_000 }, 'assertion_expired'],
			[{ nonce: 'N'.repeat(51) }, 'nonce_unknown'],
			[{ device: 'D'.repeat(43) }, 'device_unknown'],
			[{ device: other.id }, 'assertion_invalid'],
		];
		for (const [over, code] of spoiled) expectRefusal(await send(await assertionOf(device, over)), code);
		const forged = await assertionOf({ ...device, key: await newKey() });
		expectRefusal(await send(forged), 'assertion_invalid');
		const good = await assertionOf(device);
		for (const at of [3, good.indexOf('.') + 5, good.length - 5]) {
			const damaged = `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`;
			const { status, body } = await send(damaged);
			expect(body).toMatchObject({
				status,
				code: expect.stringMatching(/^(assertion_invalid|device_unknown)$/),
				hint: expect.any(String),
			});
		}
		// A spoiled one has not used the nonce of the good one up.
		expect((await send(good)).status).toBe(200);
		await expectServed();
	});

	it('for one venue is none for another, also by the same key and with a nonce of the right server', async () => {
		expectRefusal(await send(await assertionOf(abroad), device), 'wrong_venue');
		expectRefusal(await send(await assertionOf(device), abroad), 'wrong_venue');
		// With the venue that the server wants to hear, the nonce is still another server's.
		const dressed = await assertionOf(abroad, { venue: 'harbor' });
		expectRefusal(await send(dressed, device), 'nonce_unknown');
		expect((await send(await assertionOf(device))).status).toBe(200);
		expect((await send(await assertionOf(abroad), abroad)).status).toBe(200);
		await expectServed();
	});
});

describe('an enrollment', () => {
	it('takes each code once, at its own venue, and each key once', async () => {
		const made = await harbor.done('device', 'code', '--name', 'gate-of-codes', '--json');
		// The command prints the code.
		const { code } = JSON.parse(made) as { code: string };
		const enroll = async (to: Device, text: string, key = newKey()) => {
			const { kty, crv, x } = await key;
			return to.ask({
				method: 'POST',
				path: '/v1/enroll',
				body: { code: text, key: { kty, crv, x }, name: 'gate', version: '1' },
			});
		};
		expectRefusal(await enroll(abroad, code), 'code_invalid');
		expectRefusal(await enroll(device, code, Promise.resolve(device.key)), 'key_enrolled');
		expect((await enroll(device, code)).status).toBe(200);
		expectRefusal(await enroll(device, code), 'code_invalid');
		expectRefusal(await enroll(device, 'AAAAA-AAAAA-AAAAA-AAAAA'), 'code_invalid');
		await expectServed();
	});
});
