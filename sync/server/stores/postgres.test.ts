import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeSuite } from '../store.suite.ts';
import { type PostgresServer, startPostgres } from '../testing/postgres.ts';
import { openPostgresStore } from './postgres.ts';

/** A busy machine may take its time to make a database cluster. */
const startMs = 60_000;

let server: PostgresServer;
beforeAll(async () => {
	server = await startPostgres();
}, startMs);
afterAll(() => server.stop(), startMs);

storeSuite('PostgreSQL', async () => openPostgresStore(await server.createDatabase()));

test('servers that start at once on an empty database make one schema', async () => {
	const url = await server.createDatabase();
	const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore(url)));
	const [first, second] = stores;
	await first?.createVenue({ id: 'v', name: 'v', server: 'centre', atMs: 1 });
	expect(await second?.head('v')).toMatchObject({ epoch: 1 });
	for (const store of stores) await store.close();
});
