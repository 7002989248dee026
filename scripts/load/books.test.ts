import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openSqliteStore } from '../../sync/server/stores/sqlite.ts';
import { claimOf, journalOf, prepareVenue } from '../../sync/server/testing/device-journal.ts';
import { readBooks } from './books.ts';

const dir = mkdtempSync(join(tmpdir(), 'load-books-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('reads the passages, what is still held, double entries and journals of a centre that is open', async () => {
	const store = await openSqliteStore(join(dir, 'venue.db'));
	const [a = '', b = ''] = await prepareVenue(store, 'venue', ['gate-a', 'gate-b']);
	const [first, second] = [journalOf('venue', a), journalOf('venue', b)];
	const once = first.admit({ idx: 1, taken: 1 });
	const twice = [first.admit({ idx: 2, taken: 1 }), second.admit({ idx: 2, taken: 1 })];
	first.admit({ idx: 3, taken: 0, back: 1 });
	await store.ingest([first.segment(1), second.segment(1)]);
	await store.claim([claimOf('venue', b, { idx: 4 })]);

	const { passages, oddRights, cases, through } = readBooks(dir);
	const of = (device: string, redemption: string | undefined, idx: number) => ({ device, redemption, idx, taken: 1 });
	expect(passages).toHaveLength(3);
	expect(passages).toEqual(expect.arrayContaining([of(a, once, 1), of(a, twice[0], 2), of(b, twice[1], 2)]));
	expect(oddRights.toSorted((x, y) => x.idx - y.idx)).toEqual([
		{ idx: 2, used: 2, held: 0 },
		{ idx: 3, used: 0, held: 0 },
		{ idx: 4, used: 0, held: 1 },
	]);
	expect(cases).toEqual([{ kind: 'double_entry', idx: 2 }]);
	expect(through).toEqual(
		new Map([
			[a, 6],
			[b, 2],
		]),
	);
	await store.close();
});
