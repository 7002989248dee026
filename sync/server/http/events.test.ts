import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerUnderTest, startServerUnderTest } from '../running-server.suite.ts';
import { claimOf } from '../testing/device-journal.ts';

const evt = 'lantern-2026';
const evening = { fromMs: 1_790_000_000_000, untilMs: 1_790_010_000_000, graceMs: 0, postponedMs: 0 };
const rules = {
	...{ evt, timeZone: 'Asia/Shanghai', dayStartsAtMinutes: 240, classes: {}, unknownClass: 'admit' },
	sessions: { evening },
};

let venue: ServerUnderTest;
let session: string;
beforeAll(async () => {
	venue = await startServerUnderTest();
	session = await venue.login();
});
afterAll(() => venue.close());

const office = (method: 'GET' | 'PUT' | 'POST', path: string, body?: unknown) =>
	venue.ask({ method, path: `/v1/office${path}`, ...(body === undefined ? {} : { body }) }, session);
const put = (policy: unknown) => office('PUT', `/events/${evt}`, { policy });

describe('events', () => {
	it('show their rules and how many people are inside', async () => {
		expect((await put({ ...rules, capacity: 2 })).status).toBe(200);
		const device = await venue.device(session);
		const claims = [1, 2, 3].map((idx) => claimOf('harbor', '', { idx }).claim);
		const answer = await venue.ask({ method: 'POST', path: '/v1/claims', body: { claims } }, device.token);
		expect(answer.body).toMatchObject({
			answers: [{ result: 'granted' }, { result: 'granted' }, { reason: 'capacity' }],
		});
		expect((await office('GET', `/events/${evt}`)).body).toMatchObject({
			evt,
			policy: { capacity: 2 },
			presence: { entered: 0, inside: 0, held: 2, capacity: 2 },
		});
		expect((await office('GET', '/events/none')).body).toMatchObject({ code: 'not_found' });
	});

	it('have their sessions postponed, and devices are told the new rules', async () => {
		await put(rules);
		const path = `/events/${evt}/sessions`;
		const moved = await office('POST', `${path}/evening/postpone`, { minutes: 45 });
		expect(moved.body).toMatchObject({ evt, policy: { sessions: { evening: { postponedMs: 2_700_000 } } } });
		const { token } = await venue.device(session);
		const feed = await venue.ask({ method: 'GET', path: '/v1/feed?since=1.0.0' }, token);
		const { entries } = feed.body as { entries: { change: { kind: string; policy?: unknown } }[] };
		expect(entries.findLast(({ change }) => change.kind === 'policy')?.change.policy).toMatchObject({
			sessions: { evening: { postponedMs: 2_700_000 } },
		});
		expect((await office('POST', `${path}/matinee/postpone`, { minutes: 5 })).body).toMatchObject({
			code: 'not_found',
		});
		expect((await office('POST', `${path}/evening/postpone`, { minutes: 0.5 })).body).toMatchObject({
			code: 'malformed',
		});
	});

	it('are refused with a time zone that gates could not follow', async () => {
		const refused = await put({ ...rules, timeZone: 'Mars/Olympus' });
		expect(refused.body).toMatchObject({ code: 'malformed', detail: expect.stringContaining('timeZone') });
	});
});
