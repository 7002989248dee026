import { StilewardError } from './core/errors.ts';
import type { Ledger } from './core/ledger.ts';

/** How old the lists of revoked and used tickets are, also over a restart. */
export interface ListAge {
	/** Milliseconds since the server last confirmed them; without end where it never has. */
	ageMs(): number;
	/** Takes what the sync knows since its start, undefined where nothing was confirmed. */
	confirm(listAgeMs: number | undefined): Promise<void>;
}

const note = 'lists_confirmed';

/** A disk is written to at most this often: after a restart the lists may look so much older. */
const noteEveryMs = 60_000;

/** Opens the age that the ledger has kept. */
export async function createListAge(ledger: Ledger, nowMs: () => number): Promise<ListAge> {
	let noted = Number((await ledger.recall(note)) ?? Number.NEGATIVE_INFINITY);
	let confirmed = noted;
	return {
		ageMs: () => Math.max(0, nowMs() - confirmed),
		confirm: async (listAgeMs) => {
			if (listAgeMs === undefined) return;
			confirmed = Math.max(confirmed, nowMs() - listAgeMs);
			if (confirmed - noted < noteEveryMs) return;
			try {
				await ledger.remember(note, `${Math.round(confirmed)}`);
				noted = confirmed;
			} catch (error) {
				// A full disk makes the lists look older after a restart, nothing more; the ledger itself tells of it.
				if (!(error instanceof StilewardError)) throw error;
			}
		},
	};
}
