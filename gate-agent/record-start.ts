import type { Ledger } from './core/ledger.ts';
import type { Grant } from './core/redemption.ts';
import { assumedTaken, type Starter, startedFact } from './core/started.ts';
import type { LedgerWriter } from './ledger-writer.ts';

/** What a start writes down, and where. */
export interface AgentStart extends Starter {
	readonly writer: LedgerWriter;
	readonly ledger: Ledger;
	/** Grants of the life before that nothing has ended. */
	readonly openGrants: readonly Grant[];
}

/** Writes that the agent has started, and settles what a crash left open. */
export function recordStart({ writer, openGrants, ...start }: AgentStart): void {
	const { ledger, clock } = start;
	const started = startedFact(start);
	writer.write('started', () => ledger.record(started, clock.read().nowMs));
	// The agent died with these gates open: nobody knows who passed, so each counts as taken.
	for (const grant of openGrants) {
		writer.write('settlement', () => ledger.settle(assumedTaken(grant), clock.read().nowMs));
	}
}
