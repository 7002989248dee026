import { expect, it } from 'vitest';
import { startServerUnderTest } from '../running-server.suite.ts';
import { startPostgres } from '../testing/postgres.ts';

/** A busy machine may take its time to make a database cluster. */
const patience = 180_000;

it(
	'tells of a store that fails, goes on answering, and is well again with it',
	async () => {
		const database = await startPostgres();
		const venue = await startServerUnderTest({ store: await database.createDatabase() });
		try {
			const health = () => venue.ask({ method: 'GET', path: '/healthz' });
			expect(await health()).toMatchObject({ status: 200, body: { status: 'ok', venue: 'harbor', epoch: 1 } });
			await database.kill('SIGQUIT');
			expect(await health()).toMatchObject({ status: 503, body: { status: 'store_failed', venue: 'harbor' } });
			expect(await venue.ask({ method: 'GET', path: '/metrics' })).toMatchObject({ status: 200 });
			await database.start();
			await expect.poll(health, { timeout: 60_000 }).toMatchObject({ status: 200, body: { status: 'ok' } });
		} finally {
			await venue.close();
			await database.stop();
		}
	},
	patience,
);

it('counts gates and handhelds that it has heard of lately', async () => {
	let aheadMs = 0;
	const venue = await startServerUnderTest({ nowMs: () => Date.now() + aheadMs });
	try {
		const session = await venue.login();
		for (const version of ['0.1.0', 'handheld/0.1.0', 'handheld/0.1.0']) {
			const { token } = await venue.device(session);
			const body = { version, waiting: 0, clockTrusted: true, lanes: [] };
			expect((await venue.ask({ method: 'POST', path: '/v1/report', body }, token)).status).toBe(200);
		}
		const health = async () => (await venue.ask({ method: 'GET', path: '/healthz' })).body;
		expect(await health()).toMatchObject({ heard: { gates: 1, handhelds: 2 } });
		aheadMs = 130_000;
		expect(await health()).toMatchObject({ heard: { gates: 0, handhelds: 0 } });
	} finally {
		await venue.close();
	}
});

it('tells that it grants nothing, once a device has seen more than it', async () => {
	const venue = await startServerUnderTest();
	try {
		const { token } = await venue.device(await venue.login());
		await venue.ask({ method: 'GET', path: '/v1/feed?since=1.0.99' }, token);
		const health = await venue.ask({ method: 'GET', path: '/healthz' });
		expect(health).toMatchObject({ status: 503, body: { status: 'stale_authority', behind: 'overtaken' } });
	} finally {
		await venue.close();
	}
});
