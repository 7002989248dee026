import { stat } from 'node:fs/promises';
import { enrollmentFiles } from '../enrollment.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { devicesOf, placeOf } from './configured-device.ts';
import { type Evidence, type Finding, found } from './finding.ts';
import { groupName, mayAccess, type Rights, right } from './service-user.ts';
import type { MachineRoots } from './surroundings.ts';

/** Whether the service's user may open each device, write to the data folder and read the configuration. */
export const permissionsCheck: Check = {
	name: 'permissions',
	run: async (gate, { roots }) => {
		const { config, user } = gate;
		if (config === undefined) return [found('permissions_skipped', user.name, { why: 'no_configuration' })];
		const findings = [...(await deviceFindings(gate, roots)), ...(await folderFindings(gate))];
		return findings.length > 0 ? findings : [found('permissions_ok', user.name, { uid: user.uid })];
	},
};

async function deviceFindings({ config, user }: GateUnderCheck, roots: MachineRoots): Promise<readonly Finding[]> {
	const findings: Finding[] = [];
	const seen = new Set<string>();
	for (const device of config ? devicesOf(config) : []) {
		const place = await placeOf(device, roots);
		if (place.kind !== 'node' || seen.has(place.path)) continue;
		seen.add(place.path);
		const stats = await stat(place.path).catch(() => undefined);
		if (stats === undefined || mayAccess(stats, user, right.read | right.write)) continue;
		const evidence: Evidence = {
			user: user.name,
			path: place.path,
			mode: modeOf(stats),
			group: await groupName(stats.gid, roots),
		};
		findings.push(found('device_not_permitted', device.name, evidence));
	}
	return findings;
}

async function folderFindings({ config, configFile, user }: GateUnderCheck): Promise<readonly Finding[]> {
	const wanted = [
		...(config
			? [{ path: config.dataDir, code: 'data_not_permitted', rights: right.read | right.write } as const]
			: []),
		...(config
			? [{ path: `${config.dataDir}/ledger.db`, code: 'data_not_permitted', rights: right.read | right.write } as const]
			: []),
		...(config
			? [
					{
						path: `${config.dataDir}/${enrollmentFiles.key}`,
						code: 'config_not_permitted',
						rights: right.read,
					} as const,
				]
			: []),
		{ path: configFile, code: 'config_not_permitted', rights: right.read } as const,
	];
	const findings: Finding[] = [];
	for (const { path, code, rights } of wanted) {
		const stats = await stat(path).catch(() => undefined);
		if (stats === undefined || mayAccess(stats, user, rights)) continue;
		findings.push(found(code, path, { user: user.name, mode: modeOf(stats) }));
	}
	return findings;
}

/** Permission bits as `ls` and `chmod` count them: `0660`. */
export function modeOf({ mode }: Pick<Rights, 'mode'>): string {
	return (mode & 0o7777).toString(8).padStart(4, '0');
}
