import { createHash } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import { StilewardError } from '../../../gate-agent/core/errors.ts';

/**
 * A backup is one SQLite file: the store of the server, and in this table everything else that it needs. So whoever
 * copies it back by hand has a store that says of itself where it comes from (`heads.behind`).
 */
const filesTable = 'backup_files';

/** Holds the hash of every other row: SQLite itself would not notice that a digit has become another. */
const digestTable = 'backup_digest';

/** What `heads.behind` says in a backup: the store grants nothing before a new epoch. */
const restoredMark = 2;

/** A file of a server's folder. */
export interface KeptFile {
	/** Relative to the folder, with `/`. */
	readonly path: string;
	readonly mode: number;
	readonly bytes: Buffer;
}

/** A venue as a backup has it. */
export interface BackupVenue {
	readonly venue: string;
	readonly epoch: number;
	readonly control: number;
	readonly admissions: number;
}

/** What is in a backup. */
export interface BackupContents {
	readonly venues: readonly BackupVenue[];
	readonly files: readonly KeptFile[];
}

/** Makes the copy of a store a backup: marks it, and puts the files in. */
export function makeBackup(copy: string, files: readonly KeptFile[]): void {
	const db = new Sqlite(copy);
	try {
		for (const pragma of ['journal_mode = DELETE', 'synchronous = FULL', 'trusted_schema = OFF']) db.pragma(pragma);
		db.transaction(() => {
			for (const table of [filesTable, digestTable]) db.exec(`DROP TABLE IF EXISTS ${table}`);
			db.exec(`CREATE TABLE ${filesTable} (path TEXT PRIMARY KEY, mode INTEGER NOT NULL,
				bytes BLOB NOT NULL) STRICT`);
			const insert = db.prepare(`INSERT INTO ${filesTable} VALUES (?, ?, ?)`);
			for (const { path, mode, bytes } of files) insert.run(path, mode, bytes);
			db.prepare('UPDATE heads SET behind = ?').run(restoredMark);
			db.exec('DELETE FROM enrollment_codes');
			const digest = digestOf(db);
			db.exec(`CREATE TABLE ${digestTable} (sha256 TEXT NOT NULL) STRICT`);
			db.prepare(`INSERT INTO ${digestTable} VALUES (?)`).run(digest);
		})();
	} finally {
		db.close();
	}
}

/** Takes the files out again: what is left is a store, which still carries its mark. */
export function makeStore(copy: string): void {
	const db = new Sqlite(copy);
	try {
		// The files hold private keys; what SQLite frees it would otherwise leave as it is.
		for (const pragma of ['secure_delete = ON', 'synchronous = FULL', 'trusted_schema = OFF']) db.pragma(pragma);
		for (const table of [filesTable, digestTable]) db.exec(`DROP TABLE ${table}`);
	} finally {
		db.close();
	}
}

/** Reads a backup and verifies all of it. Throws `backup_invalid`. */
export function readBackup(file: string): BackupContents {
	try {
		const db = new Sqlite(file, { readonly: true, fileMustExist: true });
		try {
			return verified(db, file);
		} finally {
			db.close();
		}
	} catch (cause) {
		if (cause instanceof StilewardError) throw cause;
		const why = cause instanceof Error ? cause.message : String(cause);
		throw new StilewardError('backup_invalid', `${file} cannot be read as a backup: ${why}`, { cause });
	}
}

function verified(db: Sqlite.Database, file: string): BackupContents {
	const damaged = (what: string) => new StilewardError('backup_invalid', `${file}: ${what}`);
	const verdict = db.pragma('integrity_check(1)', { simple: true });
	if (verdict !== 'ok') throw damaged(`it is damaged: ${String(verdict)}`);
	const tables = tablesOf(db);
	if (![filesTable, digestTable, 'heads'].every((table) => tables.includes(table))) {
		throw damaged('it is no backup of a server');
	}
	const digest = db.prepare(`SELECT sha256 FROM ${digestTable}`).pluck().get();
	if (digest !== digestOf(db)) throw damaged('it is damaged: its rows are not those that were written');
	// The digest proves that `makeBackup` wrote these rows.
	const files = db.prepare(`SELECT path, mode, bytes FROM ${filesTable}`).all() as KeptFile[];
	const heads = db.prepare('SELECT venue_id AS venue, epoch, control, admissions, behind FROM heads').all();
	const venues = heads as (BackupVenue & { readonly behind: number })[];
	for (const { path } of files) {
		if (!/^[\w.-]+(\/[\w.-]+)*$/.test(path) || path.split('/').includes('..')) throw damaged(`${path} is no name`);
	}
	for (const { venue, epoch, admissions, behind } of venues) {
		if (behind !== restoredMark) throw damaged('it carries no mark');
		const last = db.prepare('SELECT max(n) FROM admission_log WHERE venue_id = ? AND epoch = ?').pluck();
		const newest = last.get(venue, epoch);
		if (newest !== null && newest !== admissions) throw damaged(`the log of ${venue} does not end where it says`);
	}
	return {
		venues: venues.map(({ venue, epoch, control, admissions }) => ({ venue, epoch, control, admissions })),
		files,
	};
}

/** SHA-256 of all rows of all tables; the order is that of their keys. */
function digestOf(db: Sqlite.Database): string {
	const hash = createHash('sha256');
	for (const table of tablesOf(db).filter((name) => name !== digestTable)) {
		hash.update(`${table}\n`);
		// Rows come as lists, because `raw` says so.
		const rows = db.prepare(`SELECT * FROM "${table}"`).raw().iterate() as Iterable<unknown[]>;
		for (const row of rows) {
			const cells = row.map((cell) => (Buffer.isBuffer(cell) ? cell.toString('base64url') : cell));
			hash.update(`${JSON.stringify(cells)}\n`);
		}
	}
	return hash.digest('base64url');
}

function tablesOf(db: Sqlite.Database): readonly string[] {
	const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();
	// The schema's names are texts.
	return names as string[];
}
