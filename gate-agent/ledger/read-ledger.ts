import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assert, StilewardError } from '../core/errors.ts';
import { parseRow } from '../core/journal.ts';
import { rowsLimitMax } from '../core/ledger-rules.ts';
import type { JournalRow } from '../core/redemption.ts';
import { writeBackup } from './backup.ts';
import { ledgerFileName, openReader } from './connection.ts';
import { faultOf } from './faults.ts';
import { readHeader } from './schema.ts';
import { createStore } from './store.ts';
import { type LedgerReport, verifyFile } from './verify-file.ts';

/** A ledger that is looked at, also while its agent runs. */
export interface LedgerView {
	readonly epoch: string;
	/** Rows after `seq`, oldest first, at most `limit` (1 … 10,000). */
	rows(after: number, limit: number): readonly JournalRow[];
	/** Time of the newest row, milliseconds since 1970; 0 for an empty journal. */
	latestMs(): number;
	/** What the agent has noted under a name. */
	note(name: string): string | undefined;
	/** SQLite's structure, the journal's chain and the counts. */
	verify(): LedgerReport;
	/** Writes a verified copy to a path that does not exist yet. */
	backup(path: string): void;
	close(): void;
}

/**
 * Opens the ledger of a data folder for reading; it never writes to it and needs no lock.
 * Throws `ledger_missing`, `ledger_newer`, `ledger_corrupt`, `ledger_io`.
 */
export function readLedger(dir: string): LedgerView {
	const file = join(dir, ledgerFileName);
	if (!existsSync(file)) throw new StilewardError('ledger_missing', `there is no ledger in ${dir}`);
	const guarded = <T>(work: () => T): T => {
		try {
			return work();
		} catch (error) {
			throw faultOf(error, dir) ?? error;
		}
	};
	const db = guarded(() => openReader(file));
	try {
		const store = guarded(() => {
			if (readHeader(db).kind !== 'ledger') throw new StilewardError('ledger_corrupt', `${file} is not a ledger`);
			return createStore(db);
		});
		return {
			epoch: guarded(() => store.meta('epoch') ?? ''),
			rows(after, limit) {
				assert(limit >= 1 && limit <= rowsLimitMax, `rows are read 1 to ${rowsLimitMax} at a time`);
				return guarded(() => store.journalAfter(after, limit).map(({ text }) => parseRow(text)));
			},
			latestMs: () => guarded(() => store.journalHead('').atMs),
			note: (name) => guarded(() => store.note(name)),
			verify: () => verifyFile(file),
			backup: (path) => writeBackup(file, path),
			close: () => db.close(),
		};
	} catch (error) {
		db.close();
		throw error;
	}
}
