import { StilewardError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { Policy } from './policy.ts';

/** How old the lists of revoked and used tickets are, also over a restart. */
export interface ListAge {
	/** Milliseconds since the server last confirmed them; without end where it never has. */
	ageMs(): number;
	/** Whether the lists are older than a policy bears. */
	isStale(policy: Policy): boolean;
	/**
	 * Whether they are older than one of these bears, told where that has changed since it was asked before: somebody must
	 * look at the network, whatever the policies make of their tickets.
	 */
	look(policies: readonly Policy[]): { readonly stale: boolean; readonly changed: boolean };
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
	let wasStale = false;
	const ageMs = () => Math.max(0, nowMs() - confirmed);
	const isStale = ({ listAgeMaxMinutes = Number.POSITIVE_INFINITY }: Policy) => {
		// Lists that were never confirmed are too old for any limit, and for none.
		return Number.isFinite(listAgeMaxMinutes) && ageMs() > listAgeMaxMinutes * 60_000;
	};
	return {
		ageMs,
		isStale,
		look: (policies) => {
			const stale = policies.some(isStale);
			const changed = stale !== wasStale;
			wasStale = stale;
			return { stale, changed };
		},
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
