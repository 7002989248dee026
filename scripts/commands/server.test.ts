import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { verify } from '../../gate-agent/core/verify.ts';
import { loadTrust } from '../../gate-agent/keys/key-folder.ts';
import { createHttpsClient, type HttpsRequest } from '../../sync/node/https-client.ts';
import { deviceIdOf } from '../../sync/protocol/enroll.ts';
import { askToken, newKey } from '../../sync/server/running-server.suite.ts';
import { temporaryFolder } from './cli.suite.ts';
import { password, startVenue, type Venue } from './venue.suite.ts';

/** A dozen commands, each a process of its own, on a machine that does other work. */
const patience = 240_000;

/** A device in this process that is enrolled with a code. */
async function enroll({ url, fingerprint }: Pick<Venue, 'url' | 'fingerprint'>, code: string) {
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
	const ask = async (request: HttpsRequest, token?: string) => {
		const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
		const { status, body } = await client.send({ ...request, headers });
		return { status, body: JSON.parse(body.toString()) as unknown };
	};
	const key = await newKey();
	const body = { code, key: onlyPublic(key), name: 'gate-1', version: '0.1.0' };
	expect((await ask({ method: 'POST', path: '/v1/enroll', body })).status).toBe(200);
	const device = { id: await deviceIdOf(onlyPublic(key)), key };
	const { body: token } = await askToken(ask, device, { venue: 'venue' });
	const { access_token } = token as { access_token: string };
	return { get: (path: string) => ask({ method: 'GET', path }, access_token), close: () => client.close() };
}

describe('stileward server', () => {
	it(
		'sells tickets that gates verify, and tells a device of a refund',
		async () => {
			await using folder = await temporaryFolder();
			const venue = await startVenue(folder.path);
			try {
				expect(await venue.login(venue.fingerprint, password)).toMatchObject({ code: 0, err: '' });
				expect((await stat(join(folder.path, 'home', 'session-default.json'))).mode & 0o777).toBe(0o600);
				const event = ['event', 'create', '--id', 'lantern-2026', '--class', 'adult'];
				expect(await venue.cli(event)).toMatchObject({ code: 0, err: '' });

				const order = ['order', 'issue', '--event', 'lantern-2026', '--class', 'adult', '--count', '200'];
				const issued = await venue.cli([...order, '--order', 'A-1']);
				expect(issued).toMatchObject({ code: 0 });
				const tickets = issued.out.trimEnd().split('\n');
				expect(tickets.length).toBe(200);
				const { keyset } = await loadTrust(join(venue.data, 'keys'));
				for (const ticket of tickets) expect(await verify(ticket, keyset)).toMatchObject({ kind: 'ticket' });
				expect((await venue.cli([...order, '--order', 'A-1'])).out).toBe(issued.out);
				const differs = await venue.cli([...order.slice(0, -1), '201', '--order', 'A-1']);
				expect(differs).toMatchObject({ code: 1, out: '' });
				expect(differs.err).toMatch(/\[order_differs\]/);

				const code = JSON.parse((await venue.cli(['device', 'code', '--name', 'gate-1', '--json'])).out);
				expect(code).toMatchObject({ url: venue.url, fingerprint: venue.fingerprint });
				const gate = await enroll(venue, code.code);
				const snapshot = (await gate.get('/v1/feed?since=1.0.0')).body as { next: Record<string, number> };
				const since = `${snapshot.next.epoch}.${snapshot.next.control}.${snapshot.next.admissions}`;
				const heard = gate.get(`/v1/feed?since=${since}&waitMs=20000`);
				const started = performance.now();
				const refund = await venue.cli(['order', 'refund', '--order', 'A-1', '--json']);
				expect(JSON.parse(refund.out)).toMatchObject({ order: 'A-1', alreadyUsed: [] });
				expect((await heard).body).toMatchObject({ entries: [{ change: { kind: 'revoked', evt: 'lantern-2026' } }] });
				expect(performance.now() - started).toBeLessThan(10_000);
				gate.close();

				const exchange = ['--into', 'B-2', '--event', 'lantern-2026', '--class', 'adult', '--count', '1'];
				expect((await venue.cli([...order, '--order', 'B-1'])).code).toBe(0);
				expect((await venue.cli(['order', 'exchange', '--order', 'B-1', ...exchange])).out.split('\n').length).toBe(2);
				expect((await venue.cli(['device', 'list'])).out).toMatch(/gate-1 +active/);
				expect(await venue.cli(['case', 'list', '--json'])).toMatchObject({ code: 0, out: '' });
			} finally {
				expect(await venue.end()).toBe(0);
			}
		},
		patience,
	);

	it(
		'signs nobody in at another server, with another password or without a session',
		async () => {
			await using folder = await temporaryFolder();
			const venue = await startVenue(folder.path);
			try {
				const elsewhere = await venue.login('A'.repeat(43), password);
				expect(elsewhere).toMatchObject({ code: 1, out: '' });
				expect(elsewhere.err).toMatch(/\[server_untrusted\]/);
				const wrong = await venue.login(venue.fingerprint, 'not the password\n');
				expect(wrong).toMatchObject({ code: 1, out: '' });
				expect(wrong.err).toMatch(/\[forbidden\]/);
				expect(wrong.err).not.toContain('not the password');
				const none = await venue.cli(['device', 'list']);
				expect(none).toMatchObject({ code: 1, out: '' });
				expect(none.err).toMatch(/\[session_missing\]/);
			} finally {
				expect(await venue.end()).toBe(0);
			}
		},
		patience,
	);
});
