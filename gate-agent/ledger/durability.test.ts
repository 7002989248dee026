import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { once, requestOf } from '../core/testing/one-ticket-each.ts';
import { ticketId } from '../core/ticket.ts';
import { openReader, openWriter, walBytesMax } from './connection.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';
import { programPath } from './testing/child.ts';

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'ledger-durability-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const options = () => ({
	dir,
	device: 'gate-1',
	newEpoch: () => 'epoch-1',
	log: () => undefined,
	verifyAtStart: false,
});

test('every connection syncs each commit, also those that find the file in WAL mode', () => {
	const file = join(dir, 'ledger.db');
	for (const connect of [openWriter, openWriter, openReader]) {
		const db = connect(file);
		const read = (name: string) => db.pragma(name, { simple: true });
		expect(
			['journal_mode', 'synchronous', 'wal_autocheckpoint', 'trusted_schema', 'cell_size_check', 'mmap_size'].map(read),
		).toEqual(['wal', 2, 0, 0, 1, 0]);
		db.close();
	}
});

test('the write-ahead log stays bounded under load and is gone after close', async () => {
	const { ledger } = await openSqliteLedger(options());
	let largest = 0;
	for (let round = 0; round < 30; round++) {
		await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'redeemed', set: pages(round) }]);
		await new Promise(setImmediate);
		largest = Math.max(largest, statSync(join(dir, 'ledger.db-wal')).size);
		await vi.waitUntil(() => ledger.health().walBytes <= walBytesMax, { timeout: 5_000 });
	}
	expect(largest).toBeGreaterThan(walBytesMax);
	expect(largest).toBeLessThan(2 * walBytesMax);
	await ledger.close();
	expect(existsSync(join(dir, 'ledger.db-wal'))).toBe(false);
});

/** One ticket of each of 1,500 pages: about 1 MB in the log. */
function pages(round: number): number[] {
	return Array.from({ length: 1_500 }, (_, page) => page * 4096 + round);
}

test('denials become rows by themselves, soon, and what was only counted does at the end', async () => {
	const { ledger } = await openSqliteLedger(options());
	ledger.deny({ reason: 'revoked', lane: 'lane-1', atMs: Date.now() });
	await vi.waitUntil(async () => (await ledger.rows(0, 10)).length === 1, { timeout: 5_000 });
	const atMs = Date.now();
	for (let n = 0; n < 100; n++) ledger.deny({ reason: 'expired', lane: 'lane-1', ticketId: ticketId('e', n), atMs });
	await ledger.close();
	const again = (await openSqliteLedger(options())).ledger;
	const rows = await again.rows(0, 1000);
	expect(rows.at(-1)).toMatchObject({ kind: 'denied_many', lane: 'lane-1' });
	const counted = rows.reduce(
		(sum, row) =>
			sum + (row.kind === 'denied' ? row.count : row.kind === 'denied_many' ? (row.counts.expired ?? 0) : 0),
		0,
	);
	expect(counted).toBe(101);
	await again.close();
});

test('after an I/O error the file is opened anew and verified before it grants again', () => {
	// `ulimit -f` makes writes fail with EFBIG, which SQLite reports as SQLITE_IOERR_WRITE; the signal is ignored.
	const script = `trap '' XFSZ; ulimit -S -f 600; exec "$0" "$@"`;
	const told = JSON.parse(
		execFileSync('bash', ['-c', script, process.execPath, programPath('io-error.ts'), dir], { encoding: 'utf8' }),
	);
	expect(told).toMatchObject({
		failed: 'ledger_io',
		state: 'ledger_io',
		again: 'granted',
		twice: 'denied',
		verified: true,
	});
	expect(told.log).toEqual(expect.arrayContaining(['ledger_fault', 'ledger_recovered']));
	expect(told.openOfFailed).toBe(1);
});

test('the numbers of a new run continue those of the last', async () => {
	for (const run of [0, 1, 2]) {
		const { ledger } = await openSqliteLedger({ ...options(), newEpoch: () => `epoch-of-run-${run}` });
		await ledger.redeem(requestOf(run), once);
		expect(ledger.epoch).toBe('epoch-of-run-0');
		expect((await ledger.rows(0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3].slice(0, run + 1));
		await ledger.close();
	}
});
