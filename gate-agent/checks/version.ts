import type { Check } from './check.ts';
import { found } from './finding.ts';

/** Whether what is installed is what runs. */
export const versionCheck: Check = {
	name: 'version',
	run: async ({ agent }, { build: { version } }) => {
		const running = agent.health?.version;
		if (running !== undefined && running !== version)
			return [found('version_not_restarted', 'stileward', { version, running })];
		return [found('version_ok', 'stileward', { version, node: process.versions.node })];
	},
};
