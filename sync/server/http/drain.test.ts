import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { startServerUnderTest } from '../running-server.suite.ts';

/** Forty megabytes through pipes that are slow on purpose, on a machine that does other work. */
const patience = 180_000;

/** A server with some twenty megabytes of rules: more than sockets hold. */
async function largeVenue() {
	const venue = await startServerUnderTest();
	const session = await venue.login();
	const policy = { timeZone: 'UTC', dayStartsAtMinutes: 0, unknownClass: 'admit', sessions: {} };
	const rules = { allowance: 'ticket', reentry: 'none', lane: 'open', group: 'single', offline: 'admit' };
	const more = { unverifiedLimit: 'alarm', homeOnly: false, giveBack: true, clockUntrusted: 'admit' };
	const classes = Object.fromEntries(
		Array.from({ length: 3_000 }, () => [randomBytes(8).toString('hex'), { ...rules, ...more }]),
	);
	for (let n = 0; n < 40; n++) {
		const body = { policy: { evt: `event-${n}`, ...policy, classes } };
		const put = await venue.ask({ method: 'PUT', path: `/v1/office/events/event-${n}`, body }, session);
		expect(put.status).toBe(200);
	}
	return { venue, session };
}

it(
	'ends an answer that it has begun, also for a slow reader, before it stops',
	async () => {
		const { venue, session } = await largeVenue();
		const headers = { authorization: `Bearer ${session}` };
		const request = { method: 'GET', path: '/v1/office/events', headers, timeoutMs: patience } as const;
		const answer = await venue.client.open(request);
		const closed = venue.server.close();
		await new Promise((resolve) => setTimeout(resolve, 500));
		let length = 0;
		for await (const chunk of answer.body) length += (chunk as Buffer).length;
		expect(length).toBe(Number(answer.headers['content-length']));
		expect(length).toBeGreaterThan(15_000_000);
		await closed;
		await venue.close();
	},
	patience,
);

it(
	'stops though devices hold its streams open and never read them',
	async () => {
		const { venue, session } = await largeVenue();
		const { token } = await venue.device(session);
		const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
		const request = { method: 'GET', path: '/v1/feed?since=1.0.0', headers, timeoutMs: patience } as const;
		const streams = await Promise.all([1, 2, 3].map(() => venue.client.open(request)));
		await venue.server.close();
		// Whoever begins to read now finds the end in the middle of a message.
		for (const { body } of streams) await expect(body.toArray()).rejects.toThrow(/aborted/);
		await expect(venue.client.open(request)).rejects.toMatchObject({ code: 'server_unreachable' });
		await venue.close();
	},
	patience,
);
