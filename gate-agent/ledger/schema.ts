import { StilewardError } from '../core/errors.ts';
import type { Connection } from './connection.ts';

/** Marks the file as a Stileward ledger: `SWLG`. */
export const applicationId = 0x53_57_4c_47;

/**
 * The schema, step by step. Steps are only ever added: a gate that was off for a year runs those it has missed, and an
 * older program refuses a file that has more of them than it knows.
 */
const migrations: readonly string[] = [
	`
	CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

	-- The journal: text verbatim as it was made, hash = SHA-256(hash of the row before || text).
	CREATE TABLE journal (
		seq INTEGER PRIMARY KEY,
		epoch TEXT NOT NULL,
		row TEXT NOT NULL,
		hash BLOB NOT NULL
	) STRICT;

	-- What this agent admitted, per allowance.
	CREATE TABLE uses (
		evt TEXT NOT NULL,
		idx INTEGER NOT NULL,
		allowance TEXT NOT NULL,
		used INTEGER NOT NULL,
		held INTEGER NOT NULL,
		given_back INTEGER NOT NULL,
		last_lane TEXT,
		last_at INTEGER,
		PRIMARY KEY (evt, idx, allowance)
	) STRICT, WITHOUT ROWID;

	-- Every grant, open or settled: asking again with the same redemption id gives the same answer.
	-- Rows lie by ticket, so that a grant touches one page here and one of its index.
	CREATE TABLE grants (
		redemption TEXT NOT NULL UNIQUE,
		seq INTEGER NOT NULL,
		evt TEXT NOT NULL,
		idx INTEGER NOT NULL,
		allowance TEXT NOT NULL,
		cls TEXT NOT NULL,
		uses INTEGER NOT NULL,
		reentry INTEGER NOT NULL,
		rung TEXT NOT NULL,
		lane TEXT NOT NULL,
		at INTEGER NOT NULL,
		exit_seq INTEGER,
		exit_at INTEGER,
		is_open INTEGER NOT NULL,
		returned INTEGER NOT NULL,
		PRIMARY KEY (evt, idx, seq)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX grants_open ON grants (evt, idx, seq) WHERE is_open = 1;

	-- Exits whose re-entry is not taken yet; seq is the exit's journal row.
	CREATE TABLE exits (
		evt TEXT NOT NULL,
		idx INTEGER NOT NULL,
		allowance TEXT NOT NULL,
		seq INTEGER NOT NULL,
		at INTEGER NOT NULL,
		PRIMARY KEY (evt, idx, allowance, seq)
	) STRICT, WITHOUT ROWID;

	-- What was learned from others. Own admissions are in uses, so that a use given back never clears another's bit.
	CREATE TABLE pages (
		list TEXT NOT NULL,
		evt TEXT NOT NULL,
		page INTEGER NOT NULL,
		bits BLOB NOT NULL,
		PRIMARY KEY (list, evt, page)
	) STRICT, WITHOUT ROWID;

	-- Grants on the rung local, per clock hour.
	CREATE TABLE tallies (
		lane TEXT NOT NULL,
		cls TEXT NOT NULL,
		hour INTEGER NOT NULL,
		grants INTEGER NOT NULL,
		PRIMARY KEY (lane, cls)
	) STRICT, WITHOUT ROWID;

	CREATE TABLE lanes (
		lane TEXT PRIMARY KEY,
		mode TEXT NOT NULL,
		emergency INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;

	CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
	`,
	`
	-- The newest row of each grant. Of those before this step it is not known, so none counts as seen too early.
	ALTER TABLE grants ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
	UPDATE grants SET last_seq = (SELECT coalesce(max(seq), 0) FROM journal);

	-- What the authority counts per allowance; own_seq is the newest own row that the counts include.
	CREATE TABLE learned (
		evt TEXT NOT NULL,
		idx INTEGER NOT NULL,
		allowance TEXT NOT NULL,
		used INTEGER NOT NULL,
		held INTEGER NOT NULL,
		own_seq INTEGER NOT NULL,
		last_lane TEXT,
		last_at INTEGER,
		PRIMARY KEY (evt, idx, allowance)
	) STRICT, WITHOUT ROWID;

	-- Claims that were given back, so that a repeated question writes no second row.
	CREATE TABLE released (redemption TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
	`,
];

/** The schema that this program writes. */
export const schemaVersion = migrations.length;

/** What a file says it is. */
export type Header = { readonly kind: 'empty' | 'foreign' } | { readonly kind: 'ledger'; readonly schema: number };

/** Reads a file's header without changing it. Throws `ledger_newer` for a schema that this program does not know. */
export function readHeader(db: Connection): Header {
	const id = Number(db.pragma('application_id', { simple: true }));
	const schema = Number(db.pragma('user_version', { simple: true }));
	if (id === 0 && schema === 0) {
		const tables = Number(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
		return { kind: tables === 0 ? 'empty' : 'foreign' };
	}
	if (id !== applicationId) return { kind: 'foreign' };
	if (schema > schemaVersion) {
		throw new StilewardError(
			'ledger_newer',
			`${db.name} has schema ${schema}; this program knows up to ${schemaVersion}`,
		);
	}
	return { kind: 'ledger', schema };
}

/** Brings a ledger to the newest schema. Each step is one transaction, so that a power cut leaves a whole step. */
export function migrate(db: Connection): void {
	const schema = Number(db.pragma('user_version', { simple: true }));
	for (const [index, sql] of migrations.entries()) {
		if (index < schema) continue;
		db.transaction(() => {
			db.exec(sql);
			db.pragma(`application_id = ${applicationId}`);
			db.pragma(`user_version = ${index + 1}`);
		}).immediate();
	}
}
