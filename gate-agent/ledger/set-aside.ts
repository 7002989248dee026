import { existsSync, renameSync } from 'node:fs';
import { cursorNote } from '../core/ledger.ts';
import { type Connection, openReader } from './connection.ts';

/** Why a ledger is set aside: damaged, restored from a backup, or behind what the server has of it. */
export type SetAsideReason = 'corrupt' | 'restored' | 'behind';

/** Moves a ledger with its write-ahead log out of the way, whole, so that it can still be examined. */
export function setAside(file: string, why: SetAsideReason, nowMs: number): string {
	const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
	let aside = `${file}.${why}-${stamp}`;
	for (let n = 2; existsSync(aside); n++) aside = `${file}.${why}-${stamp}-${n}`;
	for (const suffix of ['', '-wal', '-shm']) {
		if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
	}
	return aside;
}

/**
 * What a new ledger takes over from one that was set aside, table by table. The journal stays behind: it belongs to
 * the old epoch. Uses that were held count as taken: after a crash an open grant is assumed to have been used.
 */
const carried: readonly { readonly from: string; readonly into: string }[] = [
	{
		from: 'SELECT evt, idx, allowance, used + held, 0, given_back, last_lane, last_at FROM uses WHERE used + held > 0',
		into: 'INSERT OR IGNORE INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
	},
	{
		from: 'SELECT list, evt, page, bits FROM pages WHERE length(bits) = 512',
		into: 'INSERT OR IGNORE INTO pages VALUES (?, ?, ?, ?)',
	},
	{
		from: 'SELECT evt, idx, allowance, used, held, 0, last_lane, last_at FROM learned',
		into: 'INSERT OR IGNORE INTO learned VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
	},
	{ from: 'SELECT lane, mode, emergency FROM lanes', into: 'INSERT OR IGNORE INTO lanes VALUES (?, ?, ?)' },
	{
		from: `SELECT name, value FROM notes WHERE name <> '${cursorNote}'`,
		into: 'INSERT OR IGNORE INTO notes VALUES (?, ?)',
	},
];

/**
 * Copies what can still be read of a set-aside ledger into a new one, so that a damaged page does not admit every used
 * ticket again. Damage ends one table's copy and not the others'. Returns how many records came over.
 */
export function carryOver(aside: string, into: Connection): number {
	let old: Connection;
	try {
		old = openReader(aside);
	} catch {
		// Not a database at all: there is nothing to take over.
		return 0;
	}
	try {
		return into.transaction(() => carried.reduce((sum, table) => sum + copyTable(old, into, table), 0)).immediate();
	} finally {
		old.close();
	}
}

function copyTable(old: Connection, into: Connection, table: { from: string; into: string }): number {
	const insert = into.prepare(table.into);
	const rows = readable(old, table.from);
	return rows.reduce((sum, row) => sum + insert.run(...row).changes, 0);
}

/** The rows before the first damage. A write error of the new ledger is not caught here. */
function readable(old: Connection, select: string): readonly unknown[][] {
	const rows: unknown[][] = [];
	try {
		for (const row of old.prepare<[], unknown[]>(select).raw().iterate()) rows.push(row);
	} catch {
		// The rest of this table is lost; what was read counts.
	}
	return rows;
}
