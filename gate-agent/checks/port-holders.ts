import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf } from '../nodes/sysfs.ts';
import type { Check } from './check.ts';
import { devicesOf, placeOf } from './configured-device.ts';
import { type Finding, found } from './finding.ts';
import { openersOf, processIds } from './open-files.ts';
import { lockHolder } from './running-agent.ts';

import type { MachineRoots } from './surroundings.ts';

/** Programs that open serial ports by themselves, and their Debian packages. */
const daemons = [
	{ comm: 'ModemManager', package: 'modemmanager' },
	{ comm: 'brltty', package: 'brltty' },
] as const;

/** Who else holds the devices of this gate. */
export const portHoldersCheck: Check = {
	name: 'ports',
	run: async ({ config, agent }, { roots }) => {
		if (config === undefined) return [];
		const pids = await processIds(roots);
		const own = await family(agent.pid, pids, roots);
		const findings: Finding[] = [];
		const seen = new Set<string>();
		for (const device of devicesOf(config)) {
			const place = await placeOf(device, roots);
			// A GPIO chip may be open in many programs: its lines have their own holders.
			if (place.kind !== 'node' || device.options.chip !== undefined || seen.has(place.path)) continue;
			seen.add(place.path);
			const holders = await holdersOf(place.path, roots);
			for (const pid of holders.filter((each) => !own.has(each))) {
				const program = (await textOf(roots.proc, `${pid}`, 'comm')) || '?';
				// What runs with the agent but not under it any more is its watchdog, which keeps an emergency open.
				findings.push(found('port_held', device.name, { path: place.path, pid, program }));
			}
		}
		findings.push(...(await daemonFindings(pids, roots)));
		return findings.length > 0 ? findings : [found('ports_ok', 'ports', { seen: seen.size })];
	},
};

/** Processes that have a node open: by their descriptors, and by the lock of a port, which anybody may see. */
async function holdersOf(path: string, roots: MachineRoots): Promise<readonly number[]> {
	const locker = await lockHolder(path, roots);
	return [...new Set([...(await openersOf(path, roots)), ...(locker === undefined ? [] : [locker])])];
}

/** The agent and all that it has started. */
async function family(
	agent: number | undefined,
	pids: readonly number[],
	roots: MachineRoots,
): Promise<ReadonlySet<number>> {
	const parents = new Map(
		await Promise.all(pids.map(async (pid) => [pid, parentOf(await textOf(roots.proc, `${pid}`, 'stat'))] as const)),
	);
	const members = new Set(agent === undefined ? [] : [agent]);
	// Children come after their parents in a list that grows while it is read.
	for (const member of members) for (const [pid, parent] of parents) if (parent === member) members.add(pid);
	return members;
}

/** The fourth field of `stat`, counted behind the name in brackets, which may hold anything. */
function parentOf(text: string): number {
	return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
}

async function daemonFindings(pids: readonly number[], roots: MachineRoots): Promise<readonly Finding[]> {
	// The package's rules keep both away from the devices of a gate.
	const isKeptOff = await hasRules(roots);
	if (isKeptOff) return [];
	const comms = await Promise.all(pids.map((pid) => textOf(roots.proc, `${pid}`, 'comm')));
	return daemons
		.filter(({ comm }) => comms.includes(comm))
		.map(({ comm, package: name }) => found('port_daemon', comm, { program: comm, package: name }));
}

async function hasRules({ etc }: MachineRoots): Promise<boolean> {
	const folders = [
		join(etc, 'udev', 'rules.d'),
		join(etc, '..', 'usr', 'lib', 'udev', 'rules.d'),
		join(etc, '..', 'lib', 'udev', 'rules.d'),
	];
	const names = (await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))).flat();
	return names.some((name) => name.includes('stileward'));
}
