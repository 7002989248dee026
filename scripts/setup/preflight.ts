import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Check, GateUnderCheck } from '../../gate-agent/checks/check.ts';
import { clockCheck } from '../../gate-agent/checks/clock.ts';
import { devicesCheck } from '../../gate-agent/checks/devices.ts';
import { diskCheck } from '../../gate-agent/checks/disk.ts';
import { gateUnderCheck } from '../../gate-agent/checks/examine-gate.ts';
import type { Finding } from '../../gate-agent/checks/finding.ts';
import { keysCheck } from '../../gate-agent/checks/keys.ts';
import { memoryCheck } from '../../gate-agent/checks/memory.ts';
import { permissionsCheck } from '../../gate-agent/checks/permissions.ts';
import { portHoldersCheck } from '../../gate-agent/checks/port-holders.ts';
import { reachFindings, serverCheck } from '../../gate-agent/checks/server.ts';
import type { Surroundings } from '../../gate-agent/checks/surroundings.ts';
import type { Joining } from './gate-plan.ts';
import { exists } from './install-gate.ts';

const machineChecks: readonly Check[] = [
	permissionsCheck,
	devicesCheck,
	portHoldersCheck,
	clockCheck,
	diskCheck,
	memoryCheck,
];

/** What the doctor would say of a gate that is not written yet: its configuration, the machine, and the way to its server. */
export async function preflight(text: string, joining: Joining, around: Surroundings): Promise<readonly Finding[]> {
	const folder = await mkdtemp(join(tmpdir(), 'stileward-setup-'));
	try {
		const configFile = join(folder, 'gate.yaml');
		await writeFile(configFile, text);
		const gate = await gateUnderCheck({ configFile, sets: [], openDevices: false }, around);
		if (gate.config === undefined) return gate.configurationFindings;
		const dataDir = await nearest(gate.config.dataDir);
		// The candidate's file is this program's own; whoever owns it tells nothing of the gate.
		const candidate: GateUnderCheck = { ...gate, dataDir, configFile: dataDir };
		const findings: Finding[] = [];
		for (const check of machineChecks) findings.push(...(await check.run(candidate, around)));
		return [...findings, ...(await joiningFindings(gate, joining, around))];
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

function joiningFindings(gate: GateUnderCheck, joining: Joining, around: Surroundings): Promise<readonly Finding[]> {
	if (joining.kind === 'enroll') return reachFindings(joining.link, around);
	return joining.kind === 'keys' ? keysCheck.run(gate, around) : serverCheck.run(gate, around);
}

/** The folder itself, or the nearest one above it: the disk is the same. */
async function nearest(dir: string): Promise<string> {
	return (await exists(dir)) || dir === dirname(dir) ? dir : nearest(dirname(dir));
}
