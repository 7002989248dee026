import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { sqliteStoreOf } from './sqlite.ts';

test('the planner knows something of every index', async () => {
	const file = new Sqlite(':memory:');
	const store = await sqliteStoreOf(file);
	onTestFinished(() => store.close());
	const names = (text: string) => file.prepare(text).pluck().all();
	const indexes = names(`
		SELECT name FROM sqlite_schema WHERE type = 'index'
		UNION ALL SELECT name FROM pragma_table_list WHERE schema = 'main' AND wr = 1 ORDER BY 1`);
	expect(names('SELECT idx FROM sqlite_stat1 ORDER BY 1')).toEqual(indexes);
});

test('it is told once, however often a store is opened', async () => {
	const file = new Sqlite(':memory:');
	const store = await sqliteStoreOf(file);
	onTestFinished(() => store.close());
	const told = () => file.prepare('SELECT tbl, idx, stat FROM sqlite_stat1').all();
	const before = told();
	const changes = () => file.prepare('SELECT total_changes()').pluck().get();
	const changed = changes();
	await sqliteStoreOf(file);
	expect(told()).toEqual(before);
	expect(changes()).toBe(changed);
});
