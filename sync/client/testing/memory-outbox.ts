import {
	appendRow,
	emptyJournal,
	genesisHash,
	type JournalHead,
	type StoredRow,
} from '../../../gate-agent/core/journal.ts';
import type { Fact } from '../../../gate-agent/core/redemption.ts';
import { hashText } from '../../protocol/segment-jws.ts';
import type { ClaimJournal } from '../open-claims.ts';
import type { Outbox } from '../pusher.ts';

/** A journal in memory with its outbox, for the simulator and tests. */
export interface MemoryOutbox extends Outbox, ClaimJournal {
	append(fact: Fact, atMs: number): void;
	readonly rows: readonly StoredRow[];
	/** The most rows that one `read` gave: a backlog must not be loaded whole. */
	rowsReadMax(): number;
}

/** Makes a journal without rows. */
export function createMemoryOutbox(options: { readonly device: string; readonly epoch: string }): MemoryOutbox {
	const { device, epoch } = options;
	const rows: StoredRow[] = [];
	const named = new Set<string>();
	let head: JournalHead = emptyJournal(epoch);
	let accepted = 0;
	let readMax = 0;

	function append(fact: Fact, atMs: number): void {
		const next = appendRow(head, fact, atMs);
		rows.push(next.row);
		head = next.head;
		if ('redemption' in fact) named.add(fact.redemption);
	}

	return {
		device,
		epoch,
		rows,
		append,
		head: async () => head.seq,
		read: async (seq, limit) => {
			const part = rows.slice(seq, seq + limit);
			readMax = Math.max(readMax, part.length);
			const before = rows[seq - 1]?.hash ?? genesisHash;
			return { prevHash: hashText(before), rows: part.map(({ text }) => text) };
		},
		acceptedThrough: async () => accepted,
		rememberAccepted: async (seq) => {
			accepted = seq;
		},
		answer: async ({ redemption, journal }) => {
			if (named.has(redemption)) return 'found';
			if (journal !== epoch) return 'lost';
			// The authority sends ids that this device has made.
			const released = { kind: 'released', redemption, lane: 'lane-1' } as Fact;
			append(released, head.atMs);
			return 'released';
		},
		rowsReadMax: () => readMax,
	};
}
