import type { Ledger } from '../../gate-agent/core/ledger.ts';
import type { Rung } from '../../gate-agent/core/redemption.ts';

/** How a lane's admissions were allowed, over the whole life of its journal. */
export interface RungTally {
	/** Reads what was added. */
	read(): Promise<void>;
	rungs(): Readonly<Record<Rung, number>>;
	last(): Rung | undefined;
}

/** Rows that are read at a time. */
const rowsMax = 500;

/** Counts the grants of one lane in a journal. */
export function createTally(ledger: Ledger, lane: string): RungTally {
	const rungs = { authority: 0, local: 0, home: 0, staff: 0 };
	let seq = 0;
	let last: Rung | undefined;
	return {
		read: async () => {
			for (;;) {
				const rows = await ledger.rows(seq, rowsMax);
				for (const row of rows) {
					if (row.kind !== 'granted' || row.lane !== lane) continue;
					rungs[row.rung] += 1;
					last = row.rung;
				}
				seq = rows.at(-1)?.seq ?? seq;
				if (rows.length < rowsMax) return;
			}
		},
		rungs: () => ({ ...rungs }),
		last: () => last,
	};
}
