import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Store } from '../store.ts';
import { claimOf, nowMs, prepareVenue } from '../testing/device-journal.ts';
import { openSqliteStore } from './sqlite.ts';

const venue = 'v';
let dir: string;
let centre: Store;
let hub: Store;

beforeEach(async () => {
	dir = mkdtempSync(join(tmpdir(), 'state-import-'));
	centre = await openSqliteStore(join(dir, 'centre.db'));
	hub = await openSqliteStore(join(dir, 'hub.db'));
});
afterEach(async () => {
	await centre.close();
	await hub.close();
	rmSync(dir, { recursive: true, force: true });
});

const load = async (lines: readonly string[]) => hub.importState({ venue, self: 'hub-1', lines, atMs: nowMs });

test('a hub that has begun an epoch keeps its grants when a state of that epoch comes late', async () => {
	const [a = '', b = ''] = await prepareVenue(centre, venue, ['gate-a', 'gate-b']);
	const epoch = await centre.beginEpoch({ venue, server: 'hub-1', abandon: false, atMs: nowMs });
	const lines = await centre.exportState(venue, '');
	expect(await load(lines)).toBe(true);
	expect(await hub.head(venue)).toMatchObject({ epoch, grants: false });
	// The same state again changes nothing that somebody could miss, and is taken.
	expect(await load(lines)).toBe(true);

	await hub.grantEpoch({ venue, epoch, claims: [] });
	expect(await hub.claim([claimOf(venue, a, { idx: 1 })])).toMatchObject([{ result: 'granted' }]);
	expect(await load(lines)).toBe(false);
	expect(await hub.head(venue)).toMatchObject({ epoch, grants: true });
	expect(await hub.claim([claimOf(venue, b, { idx: 1 })])).toMatchObject([{ result: 'denied', reason: 'in_progress' }]);
});

test('a hub takes the state of a later epoch although it still believes that it grants', async () => {
	await prepareVenue(centre, venue, ['gate-a']);
	const epoch = await centre.beginEpoch({ venue, server: 'hub-1', abandon: false, atMs: nowMs });
	await load(await centre.exportState(venue, ''));
	await hub.grantEpoch({ venue, epoch, claims: [] });
	const later = await centre.beginEpoch({ venue, server: 'centre', abandon: true, atMs: nowMs });
	expect(await load(await centre.exportState(venue, ''))).toBe(true);
	expect(await hub.head(venue)).toMatchObject({ epoch: later, authority: 'centre', grants: false });
});
