import { genesisHash, verifyChain } from '../../../gate-agent/core/journal.ts';
import { type Database, storeNames } from './schema.ts';
import { createReader } from './store.ts';

/** What following a journal from its first row found. */
export interface ChainReport {
	readonly ok: boolean;
	readonly rows: number;
	/** One sentence per problem; never a code or a name. */
	readonly problems: readonly string[];
}

/** Rows that are read and hashed at a time: some milliseconds, so that neither a visitor nor the page waits. */
const rowsAtATime = 500;

/**
 * Follows the whole chain of a journal in the background, some rows at a time; `isStopped` ends it early. Writes nothing.
 * Rejects with a `DOMException` where the database cannot be read.
 */
export async function verifyJournal(db: Database, isStopped: () => boolean): Promise<ChainReport | undefined> {
	let seq = 0;
	let hash = genesisHash;
	while (!isStopped()) {
		const reader = createReader(db.transaction(storeNames, 'readonly'));
		const [head, rows] = await Promise.all([reader.head(), reader.journalAfter(seq, rowsAtATime)]);
		const check = verifyChain(rows, { epoch: head?.epoch ?? '', seq, hash });
		if (check.kind === 'broken') {
			return { ok: false, rows: seq, problems: [`the journal's chain breaks at row ${check.atSeq} (${check.why})`] };
		}
		if (rows.length === 0) return { ok: true, rows: seq, problems: [] };
		seq += check.rows;
		hash = check.hash;
	}
	return undefined;
}
