import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresOffice } from '../office/kysely-office.ts';
import { storeSuite } from '../store.suite.ts';
import { claimOf, prepareVenue } from '../testing/device-journal.ts';
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

test(
	'a database that dies under transactions fails them, ends no program and is used again',
	async () => {
		const url = await server.createDatabase();
		const [store, office] = [await openPostgresStore(url), await openPostgresOffice(url)];
		const [device = ''] = await prepareVenue(store, 'v', ['gate-1']);
		const failures: unknown[] = [];
		let answered = 0;
		const press = async (idx: number): Promise<void> => {
			while (failures.length === 0) {
				await store.claim([claimOf('v', device, { idx })]);
				await office.audit('v', 1);
				answered += 1;
			}
		};
		const pressing = Array.from({ length: 8 }, (_, idx) => press(idx).catch((error) => void failures.push(error)));
		while (answered < 20) await new Promise((resolve) => setTimeout(resolve, 5));
		await server.kill('SIGKILL');
		await server.start();
		await Promise.all(pressing);
		// A connection that breaks in use is also an error of the connection itself, which must not end the process.
		expect(failures).toContainEqual(expect.objectContaining({ code: expect.stringMatching(/store_failed|57P01/) }));
		expect(await store.claim([claimOf('v', device, { idx: 100 })])).toMatchObject([{ result: 'granted' }]);
		expect(await office.audit('v', 1)).toEqual([]);
		await store.close();
		await office.close();
	},
	startMs,
);
