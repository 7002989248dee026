import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeSuite } from '../store.suite.ts';
import { openSqliteStore } from './sqlite.ts';

let dir: string;
beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), 'store-sqlite-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

storeSuite('SQLite', () => openSqliteStore(join(dir, 'suite.db')));

test('a database of a newer program is left alone', async () => {
	const path = join(dir, 'newer.db');
	await (await openSqliteStore(path)).close();
	await (await openSqliteStore(path)).close();
	const file = new Sqlite(path);
	file.exec('INSERT INTO schema_steps (step) VALUES (999)');
	file.close();
	await expect(openSqliteStore(path)).rejects.toMatchObject({ code: 'store_newer' });
});

test('what the disk refuses is an error that says so, and the store goes on', async () => {
	const store = await openSqliteStore(join(dir, 'twice.db'));
	const venue = { id: 'v', name: 'v', server: 'centre', atMs: 1 };
	await store.createVenue(venue);
	await expect(store.createVenue(venue)).rejects.toMatchObject({ code: 'store_failed' });
	expect(await store.head('v')).toMatchObject({ epoch: 1 });
	await store.close();
});
