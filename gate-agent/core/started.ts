import type { AgentClock } from './agent-clock.ts';
import type { Fact, Grant, Settlement } from './redemption.ts';

/** Who begins to write into a journal. */
export interface Starter {
	readonly clock: AgentClock;
	readonly agent: string;
	readonly version: string;
}

/** The first row that a program writes into a journal. */
export function startedFact({ clock, agent, version }: Starter): Fact {
	const { doubt, trusted, epoch } = clock.read();
	return { kind: 'started', agent, version, clock: trusted && !doubt ? 'trusted' : 'untrusted', clockEpoch: epoch };
}

/** How a grant ends of which nobody saw the end: its program died, or nobody watches. It counts as taken. */
export function assumedTaken({ redemptionId, uses, reentry }: Grant): Settlement {
	return { redemptionId, outcome: 'taken_assumed', taken: reentry ? 1 : uses, back: false, counted: false };
}
