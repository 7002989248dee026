import { dirname, join } from 'node:path';
import { type LaneStatus, laneInUse } from '../core/lane.ts';
import type { UpdateFollowerDeps } from './update-follower.ts';

/** What of an update the agent knows; whoever knows the server brings the rest. */
export type UpdatePlan = Pick<
	UpdateFollowerDeps,
	'wanted' | 'running' | 'arch' | 'dir' | 'results' | 'timeZone' | 'busy'
>;

/** What an agent plans from. */
export interface PlanOptions extends Pick<UpdateFollowerDeps, 'wanted' | 'running' | 'timeZone'> {
	readonly dataDir: string;
	readonly statuses: () => ReadonlyMap<string, Pick<LaneStatus, 'phase' | 'emergency' | 'fire'>>;
}

/** Where packages and results lie, and when lanes are at rest. The updater's folder is beside the gate's: only root may write to it. */
export function updatePlan({ dataDir, wanted, running, timeZone, statuses }: PlanOptions): UpdatePlan {
	return {
		...{ wanted, running, timeZone, arch: process.arch === 'arm64' ? 'arm64' : 'amd64' },
		...{ dir: join(dataDir, 'updates'), results: join(dirname(dataDir), 'updates') },
		busy: () => [...statuses().values()].some(laneInUse),
	};
}
