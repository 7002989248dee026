import type { AgentClock } from '../../../gate-agent/core/agent-clock.ts';
import type { LinkStatus } from './handheld.ts';
import type { Identity } from './identity.ts';
import type { VenueLine } from './venue-line.ts';

/** A handheld that has not heard of its server for so long needs somebody to look at it. */
export const offlineAlarmMs = 600_000;

/** What the status of the link is made of. */
export interface LinkParts {
	readonly identity: Identity;
	readonly line: VenueLine;
	readonly clock: AgentClock;
	readonly persisted: boolean;
}

/** How a handheld stands with its venue. */
export function linkStatusOf({ identity, line, clock, persisted }: LinkParts): LinkStatus {
	const { state, waiting, ...status } = line.status();
	// The feed may still be followed when it says that the device is not wanted any more.
	const problem = line.standing() === 'disabled' ? 'device_disabled' : status.problem;
	const policies = line.policies();
	const { nowMs, trusted } = clock.read();
	const listAgeMs = Math.round(line.listAgeMs());
	// While the first attempt is under way nobody needs to be called.
	const isCutOff = state !== 'online' && problem !== undefined && listAgeMs > offlineAlarmMs;
	return {
		...{ state, waiting, listAgeMs, persisted, clockTrusted: trusted },
		...(problem !== undefined && { problem }),
		rung: state === 'online' && line.authority.state() === 'reachable' ? 'authority' : 'local',
		...(Number.isFinite(listAgeMs) && { lastSyncMs: Math.round(nowMs - listAgeMs) }),
		alarm: isCutOff || policies.some((policy) => line.listsStale(policy)),
		...{ device: identity.name, venue: identity.venue },
		timeZone: policies[0]?.timeZone ?? 'UTC',
		events: policies.map(({ evt, classes }) => ({ evt, classes: Object.keys(classes) })),
	};
}
