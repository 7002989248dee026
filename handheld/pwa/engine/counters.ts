import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import type { JournalRow } from '../../../gate-agent/core/redemption.ts';
import type { Counters } from './handheld.ts';

/** Where a shift began in a journal. */
export interface ShiftStart {
	readonly epoch: string;
	readonly seq: number;
}

/** What a shift has done, counted from the journal, so that a reload counts the same. */
export interface ShiftCounters {
	counters(): Counters;
	/** Counts the rows that are new. Rejects where the ledger cannot be read. */
	follow(): Promise<void>;
}

/** A shift that has done nothing. */
export const noCounters: Counters = { admitted: 0, left: 0, refused: 0, withoutTicket: 0 };

const rowsAtOnce = 1_000;

/** Counts from the row after `start`; a journal that began anew since is counted whole, on top of what was counted. */
export function createShiftCounters(ledger: Ledger, start: ShiftStart): ShiftCounters {
	let counters = noCounters;
	let at = ledger.epoch === start.epoch ? start : { epoch: ledger.epoch, seq: 0 };
	let following: Promise<void> = Promise.resolve();
	const read = async () => {
		for (;;) {
			if (at.epoch !== ledger.epoch) at = { epoch: ledger.epoch, seq: 0 };
			const rows = await ledger.rows(at.seq, rowsAtOnce);
			counters = rows.reduce(countRow, counters);
			at = { ...at, seq: at.seq + rows.length };
			if (rows.length < rowsAtOnce) return;
		}
	};
	return {
		counters: () => counters,
		// One after the other, or a row would be counted twice.
		follow: () => {
			following = following.catch(() => undefined).then(read);
			return following;
		},
	};
}

/** Counts one row. People who turned back were not admitted after all. */
export function countRow(counters: Counters, row: JournalRow): Counters {
	switch (row.kind) {
		case 'granted':
			return { ...counters, admitted: counters.admitted + (row.reentry ? 1 : row.uses) };
		case 'settled':
			return row.outcome === 'not_taken'
				? { ...counters, admitted: Math.max(0, counters.admitted - row.of) }
				: counters;
		case 'exited':
			return { ...counters, left: counters.left + 1 };
		case 'denied':
			return { ...counters, refused: counters.refused + row.count };
		case 'denied_many': {
			const many = Object.values(row.counts).reduce((sum, count) => sum + count, 0);
			return { ...counters, refused: counters.refused + many };
		}
		case 'staff_entry':
			return { ...counters, withoutTicket: counters.withoutTicket + row.count };
		default:
			return counters;
	}
}
