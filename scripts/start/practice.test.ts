import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LaneState, PracticeRows, SampleName } from './page/practice-wire.ts';
import { type LaneUnderTest, type Practice, startPractice } from './practice.suite.ts';
import { actionBytesMax } from './practice-actions.ts';
import { type OpenPracticeDevices, openPracticeDevices, openSimulatedDevices } from './practice-devices.ts';
import type { PracticeVenue } from './practice-venue.ts';

/** The last decision about a code, once there is one after `seq`. */
async function decisionAfter(lane: LaneUnderTest, seq: number): Promise<string> {
	const find = async () => {
		const rows = await lane.rowsAfter(seq);
		const row = rows.find(({ kind }) => kind === 'granted' || kind === 'denied');
		return row === undefined ? undefined : row.kind === 'denied' ? row.reason : row.kind;
	};
	await expect.poll(find, { timeout: 8_000, interval: 20 }).toBeDefined();
	return (await find()) ?? '';
}

async function lastSeq(lane: LaneUnderTest): Promise<number> {
	const rows: PracticeRows = await lane.rowsAfter(0);
	return rows.at(-1)?.seq ?? 0;
}

type Present = { readonly venue: PracticeVenue; readonly lane: LaneUnderTest };

async function present({ venue, lane }: Present, sample: SampleName): Promise<string> {
	const seq = await lastSeq(lane);
	await venue.act({ kind: 'present', sample, at: lane.id });
	return decisionAfter(lane, seq);
}

/** The gate is open and its pulse is over: sooner nobody has taken a step. */
async function untilOpen(lane: LaneUnderTest): Promise<void> {
	const isOpen = () => lane.state().open.entry && !lane.state().pulsing;
	await expect.poll(isOpen, { timeout: 5_000, interval: 10 }).toBe(true);
}

/** Walks through once the gate is open, and waits until the lane has seen it. */
async function walk(lane: LaneUnderTest): Promise<void> {
	const before = lane.state().passages.entry;
	await untilOpen(lane);
	const seq = await lastSeq(lane);
	await lane.act({ kind: 'walk', direction: 'entry' });
	expect(lane.state().passages.entry).toBe(before + 1);
	await expect
		.poll(async () => (await lane.rowsAfter(seq)).some(({ kind }) => kind === 'settled'), {
			timeout: 8_000,
			interval: 10,
		})
		.toBe(true);
	await untilRested(lane);
}

/** The next visitor needs a moment to step up; until then the relay board still minds the end of its pulse. */
async function untilRested(lane: LaneUnderTest): Promise<void> {
	const stepUpMs = 200;
	let pulsedMs = performance.now();
	const isRested = () => {
		if (lane.state().pulsing) pulsedMs = performance.now();
		return performance.now() - pulsedMs > stepUpMs;
	};
	await expect.poll(isRested, { timeout: 8_000, interval: 10 }).toBe(true);
}

const openings: readonly (readonly [string, OpenPracticeDevices])[] = [
	...(process.platform === 'linux' ? ([['real serial drivers', openPracticeDevices]] as const) : []),
	['simulated devices', openSimulatedDevices],
];

describe.each(openings)('the practice lane on %s', (_name, openDevices) => {
	let practice: Practice;
	beforeAll(async () => {
		practice = await startPractice(openDevices);
	}, 60_000);
	afterAll(() => practice.close());

	test('admits a valid ticket once', async () => {
		const { lane } = practice;
		expect(await present(practice, 'adult')).toBe('granted');
		await walk(lane);
		await expect.poll(() => lane.state().open.entry, { timeout: 8_000 }).toBe(false);
		// Until the server has heard of the passage it may still be called in progress: refused all the same.
		const again = () => present(practice, 'adult');
		await expect.poll(again, { timeout: 20_000, interval: 2_500 }).toBe('already_redeemed');
		expect(lane.state().passages.entry).toBe(1);
		expect(lane.state().open.entry).toBe(false);
	}, 40_000);

	test.each([
		['used', 'already_redeemed'],
		['tomorrow', 'not_yet_valid'],
		['elsewhere', 'wrong_zone'],
		['forged', 'bad_signature'],
		['payment', 'not_a_ticket'],
	] as const)(
		'refuses the sample %s: %s',
		async (sample, reason) => {
			const { lane } = practice;
			const before = lane.state().passages.entry;
			expect(await present(practice, sample)).toBe(reason);
			expect(lane.state().open).toEqual({ entry: false, exit: false });
			expect(lane.state().passages.entry).toBe(before);
		},
		40_000,
	);

	test('lets a group through one by one', async () => {
		const { lane } = practice;
		const before = lane.state().passages.entry;
		expect(await present(practice, 'group')).toBe('granted');
		for (const visitor of [1, 2, 3]) {
			await untilOpen(lane);
			await lane.act({ kind: 'walk', direction: 'entry' });
			expect(lane.state().passages.entry).toBe(before + visitor);
		}
		await expect
			.poll(async () => (await lane.rowsAfter(0)).some((row) => row.kind === 'settled' && row.taken === 3), {
				timeout: 8_000,
			})
			.toBe(true);
		await untilRested(lane);
	}, 40_000);

	test('opens for a student when staff confirm', async () => {
		const { lane } = practice;
		const seq = await lastSeq(lane);
		await practice.venue.act({ kind: 'present', sample: 'student', at: 'lane-1' });
		await expect.poll(() => lane.state().confirming, { timeout: 10_000 }).toBe(true);
		await lane.act({ kind: 'press', contact: 'staff_button' });
		expect(await decisionAfter(lane, seq)).toBe('granted');
		await walk(lane);
	}, 40_000);

	test('prints new tickets that are valid again', async () => {
		const { lane, venue } = practice;
		const { ticketsVersion } = venue.state();
		await venue.act({ kind: 'new_tickets' });
		expect(venue.state().ticketsVersion).not.toBe(ticketsVersion);
		expect(await present(practice, 'adult')).toBe('granted');
		await walk(lane);
	}, 40_000);
});

describe.skipIf(process.platform !== 'linux')('the server of the practice page', () => {
	let practice: Practice;
	let secret = '';
	beforeAll(async () => {
		practice = await startPractice(openPracticeDevices);
		const page = await (await fetch(practice.server.url)).text();
		secret = /practice-secret" content="([^"]+)"/.exec(page)?.[1] ?? '';
	}, 60_000);
	afterAll(() => practice.close());

	const post = (headers: Readonly<Record<string, string>>, body = '{"kind":"force","lane":"lane-1"}') => {
		const { url } = practice.server;
		const good = { origin: url, 'content-type': 'application/json', 'x-practice-secret': secret };
		return fetch(`${url}/actions`, { method: 'POST', headers: { ...good, ...headers }, body });
	};

	test('does what its own page asks for', async () => {
		const { lane } = practice;
		const before = lane.state().passages.entry;
		expect((await post({})).status).toBe(200);
		expect(lane.state().passages.entry).toBe(before + 1);
	});

	test.each([
		['from another site', { origin: 'http://evil.example' }, 403],
		['from another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
		['without an origin', { origin: '' }, 403],
		['with a wrong secret', { 'x-practice-secret': 'a'.repeat(32) }, 403],
		['with no secret', { 'x-practice-secret': '' }, 403],
		['from a frame of another site', { 'sec-fetch-site': 'cross-site' }, 403],
		['as a form', { 'content-type': 'text/plain' }, 415],
	] as const)('refuses an action %s', async (_name, headers, status) => {
		const before = practice.lane.state().passages.entry;
		expect((await post(headers)).status).toBe(status);
		expect(practice.lane.state().passages.entry).toBe(before);
	});

	test.each([
		'',
		'null',
		'[]',
		'{"kind":"force"}',
		'{"kind":"force","lane":"lane-3"}',
		'{"kind":"force","lane":"lane-1","more":1}',
		'{"kind":"present","sample":"toString","at":"both"}',
		'{"kind":"present","sample":"adult","at":"__proto__"}',
		'{"kind":"set","lane":"lane-1","contact":"passage","active":true}',
		'{"kind":"refund","sample":"group"}',
		'{"kind":"link","at":"both","up":1}',
		'{"kind":"close_case","id":"../orders","text":""}',
		JSON.stringify({ kind: 'close_case', id: 'a', text: 'a'.repeat(201) }),
		JSON.stringify({ kind: 'present_text', at: 'lane-1', text: 'a'.repeat(5000) }),
		JSON.stringify({ kind: 'present_text', at: 'lane-1', text: 'a'.repeat(actionBytesMax) }),
	])('answers 400 to what is not an action: %s', async (body) => {
		expect((await post({}, body)).status).toBe(400);
	});

	test('answers under loopback names only, so that no foreign name reads the secret', async () => {
		const { port } = new URL(practice.server.url);
		const status = await new Promise((resolve, reject) => {
			request({ port, host: '127.0.0.1', headers: { host: `evil.example:${port}` } }, (answer) => {
				answer.resume();
				resolve(answer.statusCode);
			})
				.on('error', reject)
				.end();
		});
		expect(status).toBe(421);
	});

	test('keeps tickets and secret out of caches and of other pages', async () => {
		const { url } = practice.server;
		const page = await fetch(url);
		expect(page.headers.get('cache-control')).toBe('no-store');
		expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
		const picture = await fetch(`${url}/tickets/adult.png`);
		expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/png']);
		expect((await fetch(`${url}/tickets/__proto__.png`)).status).toBe(404);
	});

	test('says that the scanner is unplugged, and works again once it is back', async () => {
		const { lane } = practice;
		await lane.act({ kind: 'plug', device: 'scanner', plugged: false });
		await expect.poll(() => lane.state().ready, { timeout: 10_000 }).toBe(false);
		expect((await post({}, '{"kind":"present","sample":"adult","at":"lane-1"}')).status).toBe(409);
		await lane.act({ kind: 'plug', device: 'scanner', plugged: true });
		await expect.poll(() => lane.state().ready, { timeout: 10_000 }).toBe(true);
		await lane.act({ kind: 'plug', device: 'board', plugged: false });
		await expect.poll(() => lane.state().ready, { timeout: 10_000 }).toBe(false);
		await lane.act({ kind: 'plug', device: 'board', plugged: true });
		await expect.poll(() => lane.state().ready, { timeout: 8_000 }).toBe(true);
	}, 30_000);

	test('opens for a fire until somebody resets it', async () => {
		const { lane } = practice;
		const state = (): LaneState => lane.state();
		await lane.act({ kind: 'set', contact: 'fire', active: true });
		await expect.poll(() => state().emergency, { timeout: 10_000 }).toBe(true);
		expect(state().open.entry).toBe(true);
		await lane.act({ kind: 'set', contact: 'fire', active: false });
		await lane.act({ kind: 'press', contact: 'emergency_reset' });
		await expect.poll(() => state().emergency, { timeout: 10_000 }).toBe(false);
	}, 40_000);
});
