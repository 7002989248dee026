import { spawnSync } from 'node:child_process';
import {
	closeSync,
	existsSync,
	mkdtempSync,
	openSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RedemptionId } from '../core/redemption.ts';
import { once, requestOf } from '../core/testing/one-ticket-each.ts';
import type { SqliteLedger } from './ledger-on-disk.ts';
import { readLedger } from './read-ledger.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';

let base: string;
let dir: string;
let file: string;
let ledger: SqliteLedger | undefined;
const events: string[] = [];
beforeEach(() => {
	base = mkdtempSync(join(tmpdir(), 'ledger-recovery-'));
	dir = base;
	file = join(dir, 'ledger.db');
	events.length = 0;
});
afterEach(async () => {
	await ledger?.close();
	ledger = undefined;
	rmSync(base, { recursive: true, force: true });
});

const started = { kind: 'started', agent: 'gate-1', version: '1.0.0', clock: 'trusted' } as const;

test('a clock epoch outlives a restart and a damaged file, and begins once', async () => {
	const { ledger: first } = await open();
	await first.record({ ...started, clockEpoch: 1 }, 9_000);
	await first.record({ ...started, clockEpoch: 2 }, 1_000);
	await first.close();
	const { ledger: second } = await open();
	await second.record({ ...started, clockEpoch: 2 }, 500);
	expect(await second.latestMs()).toBe(1_000);
	await second.close();
	overwrite(pageOf('journal'), new Uint8Array(64).fill(0xaa));
	const { ledger: third, setAside } = await open();
	expect(setAside).toBeDefined();
	expect(await third.clockEpoch()).toBe(2);
});

test('a process with nothing else to do closes its ledger in the middle of a verification', async () => {
	const program = `
		const { openSqliteLedger } = await import(${JSON.stringify(new URL('sqlite-ledger.ts', import.meta.url).href)});
		const { ledger } = await openSqliteLedger({ dir: ${JSON.stringify(dir)}, device: 'gate-1', newEpoch: () => 'epoch', log: () => {} });
		await ledger.close();
		console.log('closed');
	`;
	const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
	// Node ends with 13 where a promise that a module waits for can never settle.
	expect({ stdout, status }).toEqual({ stdout: 'closed\n', status: 0 });
});

let epochs = 0;
async function open(verifyAtStart = false) {
	const opened = await openSqliteLedger({
		...{ dir, device: 'gate-1', verifyAtStart, log: (event: string) => void events.push(event) },
		newEpoch: () => {
			epochs += 1;
			return `epoch-${epochs}`;
		},
	});
	ledger = opened.ledger;
	return opened;
}

/** A closed ledger with `count` redeemed tickets, every third of them open, and a lane in an emergency. */
async function makeLedger(count: number): Promise<string> {
	const { ledger: made } = await open();
	for (let idx = 0; idx < count; idx++) {
		const { redemptionId, atMs } = requestOf(idx);
		await made.redeem(requestOf(idx), once);
		if (idx % 3 !== 0) await made.settle({ redemptionId, outcome: 'taken', taken: 1, back: true, counted: true }, atMs);
	}
	await made.learn([{ kind: 'list', evt: 'lantern-2026', list: 'revoked', set: [70_000] }]);
	await made.record({ kind: 'lane', lane: 'lane-1', mode: 'entry', emergency: true, by: 'chen' }, 1);
	await made.remember('clock-floor', '17');
	await made.close();
	return made.epoch;
}

async function isRefused(idx: number): Promise<boolean> {
	const again = { ...requestOf(idx), redemptionId: `again-${idx}` as RedemptionId };
	return (await ledger?.redeem(again, once))?.kind === 'denied';
}

function overwrite(at: number, bytes: Uint8Array): void {
	const fd = openSync(file, 'r+');
	writeSync(fd, bytes, 0, bytes.length, at);
	closeSync(fd);
}

/** The file offset of the page in the middle of a table. */
function pageOf(table: string): number {
	const db = new Database(file, { readonly: true });
	const pages = db
		.prepare<[string], number>('SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno')
		.pluck()
		.all(table);
	db.close();
	return ((pages[Math.floor(pages.length / 2)] ?? 1) - 1) * 4096;
}

test('a page that rots is found in the background; the file is set aside and used tickets stay refused', async () => {
	const epoch = await makeLedger(300);
	overwrite(pageOf('journal'), new Uint8Array(4096).fill(0xa5));
	const { ledger: damaged, setAside } = await open(true);
	expect(setAside).toBeUndefined();
	const report = await damaged.verified;
	expect(report?.ok).toBe(false);
	expect(events).toEqual(['ledger_damaged', 'ledger_set_aside', 'ledger_recovered']);
	const { setAside: aside = '', state } = damaged.health();
	expect(aside).toMatch(/ledger\.db\.corrupt-\d{8}T\d{6}Z$/);
	expect(existsSync(aside)).toBe(true);
	expect(state).toBe('ok');
	expect(damaged.epoch).not.toBe(epoch);
	expect(await damaged.rows(0, 10)).toEqual([]);
	expect(await isRefused(0)).toBe(true);
	expect(await isRefused(299)).toBe(true);
	expect(await isRefused(301)).toBe(false);
	expect(await damaged.history(requestOf(70_000))).toMatchObject({ revoked: true });
	expect(await damaged.lanes()).toEqual([{ lane: 'lane-1', mode: 'entry', emergency: true }]);
	expect(await damaged.recall('clock-floor')).toBe('17');
});

test('damage met by a redemption refuses that one and the next goes to a new ledger', async () => {
	await makeLedger(300);
	const page = pageOf('grants');
	overwrite(page, new Uint8Array(4096).fill(0xa5));
	const { ledger: damaged } = await open();
	const answers: unknown[] = [];
	for (let idx = 1000; idx < 1400 && !answers.includes('ledger_corrupt'); idx++) {
		const request = { ...requestOf(idx), redemptionId: requestOf(idx - 1000).redemptionId };
		await damaged.redeem(request, once).then(
			({ kind }) => answers.push(kind),
			({ code }) => answers.push(code),
		);
	}
	expect(answers).toContain('ledger_corrupt');
	expect(damaged.health().state).toBe('ledger_corrupt');
	expect(await isRefused(5)).toBe(true);
	expect(await isRefused(5000)).toBe(false);
	expect(damaged.health()).toMatchObject({ state: 'ok', setAside: expect.stringContaining('.corrupt-') });
});

test.each([
	['no database', () => writeFileSync(file, 'GIF89a'.repeat(2000))],
	['cut in half', () => writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size / 2))],
	[
		'another program’s database',
		() => {
			rmSync(file);
			const db = new Database(file);
			db.exec('CREATE TABLE photos (id INTEGER)');
			db.close();
		},
	],
	[
		'changed in its last row',
		() => {
			const db = new Database(file);
			db.exec(`UPDATE journal SET row = replace(row, 'chen', 'wang') WHERE seq = (SELECT max(seq) FROM journal)`);
			db.close();
		},
	],
])('a file that is %s is set aside whole and a new epoch begins', async (_, damage) => {
	const epoch = await makeLedger(60);
	damage();
	const bytes = readFileSync(file);
	const { ledger: fresh, setAside = '' } = await open();
	expect(readFileSync(setAside)).toEqual(bytes);
	expect(events).toContain('ledger_set_aside');
	expect(fresh.epoch).not.toBe(epoch);
	expect(await fresh.redeem(requestOf(1_000_000), once)).toMatchObject({ kind: 'granted' });
	expect(readLedger(dir).verify()).toMatchObject({ ok: true, rows: 1 });
});

test('a row changed long ago breaks the chain, and the background finds it', async () => {
	await makeLedger(200);
	const db = new Database(file);
	db.exec(`UPDATE journal SET row = replace(row, 'granted', 'Granted') WHERE seq = 4`);
	db.close();
	const { ledger: tampered } = await open(true);
	expect(await tampered.verified).toMatchObject({
		ok: false,
		problems: ["the journal's chain breaks at row 4 (hash)"],
	});
	expect(await isRefused(100)).toBe(true);
});

test('a ledger of a newer program is left as it is', async () => {
	await makeLedger(5);
	const db = new Database(file);
	db.pragma('user_version = 99');
	db.close();
	const bytes = readFileSync(file);
	await expect(open()).rejects.toMatchObject({ code: 'ledger_newer', message: expect.stringContaining('99') });
	expect(() => readLedger(dir)).toThrow(expect.objectContaining({ code: 'ledger_newer' }));
	expect(readFileSync(file)).toEqual(bytes);
	await expect(open()).rejects.toMatchObject({ code: 'ledger_newer' });
});

test('a backup is whole, and an agent started on it begins a new epoch and still knows used tickets', async () => {
	await makeLedger(50);
	const { ledger: running } = await open();
	const copy = join(dir, 'copy.db');
	await Promise.all([running.backup(copy), running.redeem(requestOf(60), once)]);
	await expect(running.backup(copy)).rejects.toMatchObject({ code: 'usage' });
	await expect(running.backup(join(dir, 'nowhere', 'copy.db'))).rejects.toMatchObject({ code: 'ledger_io' });
	await running.close();
	const { epoch } = running;

	const restored = mkdtempSync(join(dir, 'restored-'));
	writeFileSync(join(restored, 'ledger.db'), readFileSync(copy));
	expect(readLedger(restored).verify()).toMatchObject({ ok: true, epoch });
	dir = restored;
	const { ledger: started, setAside } = await open();
	expect(setAside).toContain('ledger.db.restored-');
	expect(started.epoch).not.toBe(epoch);
	expect(await isRefused(3)).toBe(true);
	expect(await isRefused(700)).toBe(false);
});

test('a ledger is read while its agent runs, and reading changes nothing', async () => {
	expect(() => readLedger(dir)).toThrow(expect.objectContaining({ code: 'ledger_missing' }));
	await makeLedger(10);
	const closed = readFileSync(file);
	const idle = readLedger(dir);
	expect(idle.rows(0, 100)).toHaveLength(17);
	idle.close();
	expect(readFileSync(file)).toEqual(closed);

	const { ledger: running } = await open();
	const view = readLedger(dir);
	await running.redeem(requestOf(500), once);
	expect(view.rows(17, 100)).toMatchObject([{ kind: 'granted', ticket: 'lantern-2026/500' }]);
	expect(view.verify()).toMatchObject({
		ok: true,
		rows: 18,
		openGrants: 5,
		byKind: { granted: 11, settled: 6, lane: 1 },
	});
	expect(() => view.rows(0, 0)).toThrow('1 to 10000');
	view.close();
});
