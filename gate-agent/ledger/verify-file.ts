import { emptyJournal, genesisHash, parseRow, type StoredRow, verifyChain } from '../core/journal.ts';
import { type Connection, openReader } from './connection.ts';
import { faultOf } from './faults.ts';
import { createStore } from './store.ts';

/** What a verification found. */
export interface LedgerReport {
	readonly ok: boolean;
	/** One sentence per problem; never a code or a name. */
	readonly problems: readonly string[];
	readonly epoch: string;
	readonly rows: number;
	/** Milliseconds since 1970 of the newest row, 0 for an empty journal. */
	readonly latestMs: number;
	/** SHA-256 of the newest row in hex: two devices with the same one have the same journal. */
	readonly head: string;
	readonly openGrants: number;
	readonly byKind: Readonly<Record<string, number>>;
}

/** Rows that are read at a time, so that no long read transaction keeps the write-ahead log from starting anew. */
const rowsAtATime = 1_000;

/**
 * Verifies a ledger with a connection of its own: SQLite's structure (`quick_check`), the journal's chain from the
 * first row, and that the uses held are those of the open grants. Writes nothing.
 */
export function verifyFile(file: string): LedgerReport {
	const problems: string[] = [];
	const totals: Totals = { rows: 0, latestMs: 0, head: genesisHash, byKind: {} };
	let epoch = '';
	let openGrants = 0;
	try {
		const db = openReader(file);
		try {
			epoch = createStore(db).meta('epoch') ?? '';
			problems.push(...checkStructure(db), ...checkChain(db, epoch, totals), ...checkHeld(db));
			openGrants = createStore(db).openGrants().length;
		} finally {
			db.close();
		}
	} catch (error) {
		const fault = faultOf(error, file);
		// A text that is no JSON is damage as well; anything else is a bug.
		if (fault === undefined && !(error instanceof SyntaxError)) throw error;
		problems.push(fault?.message ?? 'a journal row is no JSON');
	}
	const { rows, latestMs, head, byKind } = totals;
	const hex = Buffer.from(head).toString('hex');
	return { ok: problems.length === 0, problems, epoch, rows, latestMs, head: hex, openGrants, byKind };
}

function checkStructure(db: Connection): string[] {
	// One row `ok`, or a row per problem: https://www.sqlite.org/pragma.html#pragma_quick_check
	const verdicts = db.prepare<[], string>('PRAGMA quick_check(10)').pluck().all();
	return verdicts.filter((verdict) => verdict !== 'ok').map((verdict) => `quick_check: ${verdict}`);
}

interface Totals {
	rows: number;
	latestMs: number;
	head: Uint8Array;
	readonly byKind: Record<string, number>;
}

function checkChain(db: Connection, epoch: string, totals: Totals): string[] {
	const store = createStore(db);
	for (let rows = store.journalAfter(0, rowsAtATime); rows.length > 0; ) {
		const before = rows[0];
		const check = verifyChain(rows, { ...emptyJournal(epoch), seq: totals.rows, hash: totals.head });
		if (check.kind === 'broken') return [`the journal's chain breaks at row ${check.atSeq} (${check.why})`];
		count(rows, totals);
		totals.head = check.hash;
		rows = before === undefined ? [] : store.journalAfter(totals.rows, rowsAtATime);
	}
	return [];
}

function count(rows: readonly StoredRow[], totals: Totals): void {
	for (const { seq, text } of rows) {
		const { kind, at } = parseRow(text);
		totals.rows = seq;
		totals.latestMs = at;
		totals.byKind[kind] = (totals.byKind[kind] ?? 0) + 1;
	}
}

function checkHeld(db: Connection): string[] {
	const wrong = db
		.prepare<[], { evt: string; idx: number }>(
			`SELECT evt, idx FROM uses WHERE held <> (SELECT coalesce(sum(g.uses), 0) FROM grants g
			WHERE g.evt = uses.evt AND g.idx = uses.idx AND g.allowance = uses.allowance AND g.is_open = 1) LIMIT 3`,
		)
		.all();
	return wrong.map(({ evt, idx }) => `ticket ${evt}/${idx} holds other uses than its open grants`);
}
