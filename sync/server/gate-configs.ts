import type { ConfigOffer } from '../protocol/gate-config.ts';

/** What is told of a version beside its text. */
export interface GateConfigFacts {
	readonly gate: string;
	readonly version: number;
	readonly sha256: string;
	/** Why it was pushed, in the operator's words; empty where nobody said. */
	readonly note: string;
	/** The operator who pushed it. */
	readonly by: string;
	/** Milliseconds since 1970. */
	readonly atMs: number;
	/** The version whose text it is, where an operator went back to it. */
	readonly copyOf?: number;
}

/** One version of a gate's configuration. */
export type GateConfig = GateConfigFacts & Pick<ConfigOffer, 'text'>;

/** Versions of one gate that are kept; older ones are deleted by the next push. */
export const gateConfigsKept = 200;

/**
 * The configurations of a venue's gates. Its law:
 *
 * 1. A version is never changed. Numbers of a gate are 1, 2, 3 … in the order of the pushes, also where two push at once
 *    and after old ones were deleted.
 * 2. A push tells the control log, in the same transaction, once for each device of that name that is not disabled. A
 *    gate that enrolls later asks.
 * 3. Going back to a version is a push of its text: gates know by the number that they are to try it again.
 */
export interface GateConfigs {
	putGateConfig(push: {
		readonly venue: string;
		readonly gate: string;
		readonly text: string;
		readonly note: string;
		readonly by: string;
		readonly copyOf?: number;
		readonly atMs: number;
	}): Promise<GateConfigFacts>;
	/** A version with its text; without a number the newest. Undefined where there is none. */
	gateConfig(venue: string, gate: string, version?: number): Promise<GateConfig | undefined>;
	/** All versions of a gate, the newest first. */
	gateConfigHistory(venue: string, gate: string): Promise<readonly GateConfigFacts[]>;
	/** The newest version of each gate, by name. */
	newestGateConfigs(venue: string): Promise<readonly GateConfigFacts[]>;
}
