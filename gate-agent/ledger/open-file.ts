import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StilewardError } from '../core/errors.ts';
import { genesisHash, type JournalHead, verifyChain } from '../core/journal.ts';
import { type Connection, checkpoint, ledgerFileName, openReader, openWriter } from './connection.ts';
import { faultOf } from './faults.ts';
import { migrate, readHeader } from './schema.ts';
import { carryOver, type SetAsideReason, setAside } from './set-aside.ts';
import { createStore, type Store } from './store.ts';

/** What opening a ledger's file needs. */
export interface FileOptions {
	readonly dir: string;
	readonly device: string;
	readonly newEpoch: () => string;
	readonly nowMs: () => number;
	readonly maxBytes?: number | undefined;
}

/** An open ledger file. */
export interface LedgerFile {
	readonly db: Connection;
	readonly store: Store;
	readonly epoch: string;
	/** Runs work in one transaction that takes the write lock first. */
	readonly transact: <T>(work: () => T) => T;
	head: JournalHead;
	/** Where the file that was found damaged, or restored from a backup, now lies. */
	readonly setAside?: { readonly path: string; readonly why: SetAsideReason; readonly carried: number };
}

/**
 * What is held of a file before it is opened. `suspect`: an I/O error; `damaged`: verification found it; `behind`: the
 * server has rows of this epoch that it does not have.
 */
export type FileState = 'trusted' | 'suspect' | 'damaged' | 'behind';

/** Rows at the end of the journal whose chain is followed at each start; the rest is followed in the background. */
const tailRows = 100;

/**
 * Opens the ledger of a data folder, or makes it. A damaged file, a foreign file and one restored from a backup (whose
 * row numbers are already spent) are set aside; what they know of used tickets goes into the new one.
 * `suspect` verifies the whole file first and forces all of it to the disk anew: after an I/O error the pages in memory
 * may look clean although they never arrived. Throws `ledger_newer`, `ledger_full`, `ledger_io`.
 */
export function openLedgerFile(options: FileOptions, state: FileState): LedgerFile {
	const { dir } = options;
	const file = join(dir, ledgerFileName);
	try {
		makeFolder(dir);
		const found = state === 'damaged' ? 'corrupt' : state === 'behind' ? 'behind' : inspect(file);
		if (found === 'usable') {
			const opened = openWhole(file, options, state);
			if (opened !== undefined) return opened;
		}
		return replace(file, options, found === 'usable' ? 'corrupt' : found);
	} catch (error) {
		throw faultOf(error, dir) ?? error;
	}
}

/** Looks at a file before anything may be written to it. */
function inspect(file: string): 'usable' | 'corrupt' | 'restored' {
	if (!existsSync(file) || statSync(file).size === 0) return 'usable';
	return unlessCorrupt(
		file,
		() => {
			const db = openReader(file);
			try {
				const header = readHeader(db);
				if (header.kind === 'foreign') return 'corrupt';
				if (header.kind === 'empty') return 'usable';
				return db.prepare("SELECT 1 FROM meta WHERE name = 'backup'").get() === undefined ? 'usable' : 'restored';
			} finally {
				db.close();
			}
		},
		'corrupt',
	);
}

function openWhole(file: string, options: FileOptions, state: FileState): LedgerFile | undefined {
	const isNew = !existsSync(file);
	return unlessCorrupt(
		file,
		() => {
			const db = openWriter(file, options.maxBytes);
			try {
				if (state === 'suspect') secure(db);
				const opened = prepare(db, options);
				if (isNew) syncFolder(options.dir);
				return opened;
			} catch (error) {
				db.close();
				throw error;
			}
		},
		undefined,
	);
}

function prepare(db: Connection, { device, newEpoch }: FileOptions): LedgerFile {
	migrate(db);
	const store = createStore(db);
	const epoch = db
		.transaction(() => {
			// Nothing is written where nothing changes: an agent must be able to start on a full disk.
			if (store.meta('device') !== device) store.setMeta('device', device);
			const known = store.meta('epoch');
			if (known !== undefined) return known;
			const made = newEpoch();
			store.setMeta('epoch', made);
			return made;
		})
		.immediate();
	const head = store.journalHead(epoch);
	assertTail(store, head);
	const { immediate } = db.transaction((work: () => unknown) => work());
	// The wrapper gives back what `work` gave; better-sqlite3's types lose that.
	return { db, store, epoch, head, transact: <T>(work: () => T) => immediate(work) as T };
}

function replace(file: string, options: FileOptions, why: SetAsideReason): LedgerFile {
	const path = setAside(file, why, options.nowMs());
	syncFolder(options.dir);
	const db = openWriter(file, options.maxBytes);
	try {
		const opened = prepare(db, options);
		const carried = carryOver(path, db);
		syncFolder(options.dir);
		// The notes that came over tell the clock epoch.
		return { ...opened, head: opened.store.journalHead(opened.epoch), setAside: { path, why, carried } };
	} catch (error) {
		db.close();
		throw error;
	}
}

/** Verifies the whole file and copies the write-ahead log back, which writes and syncs every page of it once more. */
function secure(db: Connection): void {
	const verdict = db.pragma('quick_check(1)', { simple: true });
	if (verdict !== 'ok') throw new StilewardError('ledger_corrupt', `quick_check of ${db.name}: ${verdict}`);
	checkpoint(db, 'FULL');
}

function assertTail(store: Store, head: JournalHead): void {
	const from = Math.max(0, head.seq - tailRows);
	const [anchor, ...tail] = store.journalAfter(Math.max(0, from - 1), tailRows + 1);
	if (anchor === undefined) return;
	// Without a row before it, the first row follows the genesis hash; else only its own hash is taken as given.
	const rows = anchor.seq === 1 ? [anchor, ...tail] : tail;
	const start = anchor.seq === 1 ? { seq: 0, hash: genesisHash } : anchor;
	const check = verifyChain(rows, { epoch: head.epoch, ...start });
	if (check.kind === 'broken') {
		throw new StilewardError('ledger_corrupt', `the journal's chain breaks at row ${check.atSeq} (${check.why})`);
	}
}

function unlessCorrupt<T, F>(file: string, work: () => T, fallback: F): T | F {
	try {
		return work();
	} catch (error) {
		if (faultOf(error, dirname(file))?.code === 'ledger_corrupt') return fallback;
		throw error;
	}
}

/**
 * Makes a folder that survives a power cut, and those above it. Step by step: Node's own `recursive` never ends where
 * the kernel refuses a name as missing although its parent is there (`/proc/x`).
 */
export function makeFolder(dir: string): void {
	if (existsSync(dir)) return;
	makeFolder(dirname(dir));
	try {
		mkdirSync(dir);
	} catch (error) {
		// Another agent may have made it meanwhile; its lock then tells.
		if (!existsSync(dir)) throw error;
	}
	syncFolder(dirname(dir));
}

/** Makes names durable: SQLite syncs what is in a file, not that a new file is in its folder. */
export function syncFolder(dir: string): void {
	const fd = openSync(dir, 'r');
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}
