import type { AgentClock } from './agent-clock.ts';
import type { Ledger } from './core/ledger.ts';
import type { Fact, Grant } from './core/redemption.ts';
import type { LedgerWriter } from './ledger-writer.ts';

/** What a start writes down, and where. */
export interface AgentStart {
	readonly writer: LedgerWriter;
	readonly ledger: Ledger;
	readonly clock: AgentClock;
	/** Grants of the life before that nothing has ended. */
	readonly openGrants: readonly Grant[];
	readonly agent: string;
	readonly version: string;
}

/** The first row that a program writes into a journal. */
export function startedFact({ clock, agent, version }: Pick<AgentStart, 'clock' | 'agent' | 'version'>): Fact {
	const { doubt, trusted, epoch } = clock.read();
	return { kind: 'started', agent, version, clock: trusted && !doubt ? 'trusted' : 'untrusted', clockEpoch: epoch };
}

/** Writes that the agent has started, and settles what a crash left open. */
export function recordStart({ writer, openGrants, ...start }: AgentStart): void {
	const { ledger, clock } = start;
	const started = startedFact(start);
	writer.write('started', () => ledger.record(started, clock.read().nowMs));
	// The agent died with these gates open: nobody knows who passed, so each counts as taken.
	for (const { redemptionId, uses, reentry } of openGrants) {
		const assumed = { outcome: 'taken_assumed', taken: reentry ? 1 : uses, back: false, counted: false } as const;
		writer.write('settlement', () => ledger.settle({ redemptionId, ...assumed }, clock.read().nowMs));
	}
}
