import { StilewardError } from '../../../gate-agent/core/errors.ts';
import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import type { Grant, RedemptionId } from '../../../gate-agent/core/redemption.ts';
import { assumedTaken } from '../../../gate-agent/core/started.ts';
import type { TicketId } from '../../../gate-agent/core/ticket.ts';
import type { ClientClock } from '../../../sync/client/client-clock.ts';
import { type Undoable, undoMs } from './handheld.ts';
import type { Serial } from './serial.ts';

/** What open grants need. */
export interface OpenGrantsDeps {
	readonly ledger: Ledger;
	readonly clock: ClientClock;
	/** Ledger time, milliseconds since 1970. */
	readonly nowMs: () => number;
	/** The lane's line of work: a grant never ends in the middle of another admission. */
	readonly serial: Serial;
	readonly onChange: () => void;
	readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Grants that staff may still undo. All but `list` are called from the lane's line of work. */
export interface OpenGrants {
	list(): readonly Undoable[];
	/** Keeps a grant open for `undoMs`. */
	keep(grant: Grant): Undoable;
	/** The visitor is there again, so the one before has passed: ends the open grants of a ticket. Rejects where the ledger fails. */
	endOf(ticket: TicketId): Promise<boolean>;
	/** Gives the use back; false where it is too late. Rejects where the ledger fails. */
	undo(redemptionId: RedemptionId, by: string): Promise<boolean>;
	/** Ends all, as assumed: for the end of the program. */
	endAll(): Promise<void>;
}

interface Open {
	readonly grant: Grant;
	readonly undoable: Undoable;
	readonly ended: AbortController;
}

/** How long a ledger that fails is left alone before a grant is ended again. */
const againMs = 5_000;

/** Makes an empty list. */
export function createOpenGrants(deps: OpenGrantsDeps): OpenGrants {
	const { ledger, nowMs } = deps;
	const open = new Map<RedemptionId, Open>();
	const end = async (one: Open): Promise<void> => {
		if (!open.has(one.grant.redemptionId)) return;
		await ledger.settle(assumedTaken(one.grant), nowMs());
		forget(one);
	};
	const forget = ({ grant, ended }: Open) => {
		open.delete(grant.redemptionId);
		ended.abort();
		deps.onChange();
	};
	return {
		list: () => [...open.values()].map(({ undoable }) => undoable).reverse(),
		keep: (grant) => {
			const one: Open = { grant, undoable: undoableOf(grant, nowMs()), ended: new AbortController() };
			open.set(grant.redemptionId, one);
			void endInTime(deps, one.ended.signal, () => end(one));
			return one.undoable;
		},
		endOf: async (ticket) => {
			const ofTicket = [...open.values()].filter(({ grant }) => grant.ticketId === ticket);
			for (const one of ofTicket) await end(one);
			return ofTicket.length > 0;
		},
		undo: async (redemptionId, by) => {
			const one = open.get(redemptionId);
			if (one === undefined) return false;
			const back = { outcome: 'not_taken', taken: 0, back: true, counted: false } as const;
			await ledger.settle({ redemptionId, ...back, by }, nowMs());
			forget(one);
			return true;
		},
		endAll: async () => {
			for (const one of open.values()) await end(one);
		},
	};
}

function undoableOf({ redemptionId, idx, cls, uses, reentry }: Grant, nowMs: number): Undoable {
	return { redemptionId, idx, cls, people: reentry ? 1 : uses, untilMs: nowMs + undoMs };
}

/** Ends a grant when its time is over; a ledger that fails is tried again, and a restart would end it too. */
async function endInTime(
	{ clock, serial, log }: OpenGrantsDeps,
	signal: AbortSignal,
	end: () => Promise<void>,
): Promise<void> {
	for (let waitMs = undoMs; ; waitMs = againMs) {
		await clock.sleep(waitMs, signal);
		if (signal.aborted) return;
		try {
			await serial(end);
			return;
		} catch (error) {
			if (!(error instanceof StilewardError)) throw error;
			log('ledger_failed', { code: error.code });
		}
	}
}
