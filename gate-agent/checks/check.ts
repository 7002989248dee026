import type { GateConfig } from '../config.ts';
import type { EnrolledGate } from '../enrollment.ts';
import type { PluggedDevice } from '../plugged-devices.ts';
import type { PushedConfiguration } from './configuration.ts';
import type { Finding } from './finding.ts';
import type { RunningAgent } from './running-agent.ts';
import type { ServiceUser } from './service-user.ts';
import type { Surroundings } from './surroundings.ts';

/** What is known of a gate before it is looked at closely. Whatever could not be read is absent; a check says why. */
export interface GateUnderCheck {
	readonly configFile: string;
	/** Absent where it is missing or wrong: `configurationFindings` say how. */
	readonly config?: GateConfig;
	readonly configurationFindings: readonly Finding[];
	/** What the server has pushed on top of the file; `config` has it already. */
	readonly pushed?: PushedConfiguration;
	readonly dataDir?: string;
	readonly enrolled?: EnrolledGate;
	/** Why the enrollment that is there cannot be read. */
	readonly enrollmentProblem?: string;
	/** It may be there: whoever runs the checks may not read it. */
	readonly enrollmentHidden?: true;
	readonly agent: RunningAgent;
	/** Whose rights count: the agent's, while it runs. */
	readonly user: ServiceUser;
	readonly plugged: readonly PluggedDevice[];
	/** Whether devices may be opened: somebody asked for it, and no agent has them. */
	readonly mayOpen: boolean;
}

/** One check. It opens nothing that an agent may hold unless `mayOpen`, never pulses a relay, and changes nothing. */
export interface Check {
	readonly name: string;
	run(gate: GateUnderCheck, around: Surroundings): Promise<readonly Finding[]>;
}
