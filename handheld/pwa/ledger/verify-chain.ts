import { genesisHash, verifyChain } from '../../../gate-agent/core/journal.ts';
import type { Grant } from '../../../gate-agent/core/redemption.ts';
import { ticketId } from '../../../gate-agent/core/ticket.ts';
import { type AccountRecord, type Database, storeNames } from './schema.ts';
import { createReader } from './store.ts';

/** What following a journal from its first row found. */
export interface ChainReport {
	readonly ok: boolean;
	readonly rows: number;
	/** One sentence per problem; never a code or a name. */
	readonly problems: readonly string[];
}

/** Rows or accounts that are read at a time: some milliseconds, so that neither a visitor nor the page waits. */
const rowsAtATime = 500;

/**
 * Follows the whole chain of a journal in the background, some rows at a time, then compares the uses held with the open grants;
 * `isStopped` ends it early. Writes nothing.
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
		if (rows.length === 0) return heldReport(db, { rows: seq, isStopped });
		seq += check.rows;
		hash = check.hash;
	}
	return undefined;
}

interface Followed {
	readonly rows: number;
	readonly isStopped: () => boolean;
}

/** Whether the uses held are those of the open grants; one account that is wrong is enough. */
async function heldReport(db: Database, { rows, isStopped }: Followed): Promise<ChainReport | undefined> {
	let after: AccountKey | undefined;
	while (!isStopped()) {
		// Both in one transaction, or an admission between them would look like damage.
		const tx = db.transaction(storeNames, 'readonly');
		const range = after && IDBKeyRange.lowerBound(after, true);
		const [accounts, open] = await Promise.all([
			tx.objectStore('accounts').getAll(range, rowsAtATime),
			createReader(tx).openGrants(),
		]);
		const last = accounts.at(-1);
		if (last === undefined) return { ok: true, rows, problems: [] };
		const wrong = accounts.find((account) => account.counts.held !== heldBy(open, account));
		if (wrong !== undefined) {
			const ticket = ticketId(wrong.evt, wrong.idx);
			return { ok: false, rows, problems: [`ticket ${ticket} holds other uses than its open grants`] };
		}
		after = [last.evt, last.idx, last.allowance];
	}
	return undefined;
}

type AccountKey = [string, number, string];

function heldBy(open: readonly Grant[], { evt, idx, allowance }: AccountRecord): number {
	const own = open.filter((grant) => grant.evt === evt && grant.idx === idx && grant.allowance === allowance);
	return own.reduce((sum, { uses }) => sum + uses, 0);
}
