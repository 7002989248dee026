import { type Authority, noAuthority } from './core/authority.ts';
import type { Standing } from './core/decide.ts';
import type { Keyset } from './core/keyset.ts';
import type { Policy } from './core/policy.ts';

/** By whose keys, rules and word the lanes of an agent admit. */
export interface LaneRules {
	readonly keyset: () => Keyset;
	/** The rules of an event, undefined where this gate does not serve it. */
	readonly policyOf: (evt: string) => Policy | undefined;
	readonly authority: Authority;
	/** How the venue takes this device. */
	readonly standing: () => Standing;
	/** Whether the lists of revoked and used tickets are older than a policy bears. */
	readonly listsStale: (policy: Policy) => boolean;
}

/** The rules of a gate that stands alone: one event, from its configuration, and nobody to ask. */
export function standaloneRules(policy: Policy, keyset: () => Keyset): LaneRules {
	return {
		keyset,
		policyOf: (evt) => (evt === policy.evt ? policy : undefined),
		authority: noAuthority,
		standing: () => 'active',
		listsStale: () => false,
	};
}
