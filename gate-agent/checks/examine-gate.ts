import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { ConfigSource } from '../config-source.ts';
import { StilewardError } from '../core/errors.ts';
import { type EnrolledGate, readEnrollment } from '../enrollment.ts';
import { pluggedDevices } from '../plugged-devices.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { clockCheck } from './clock.ts';
import { configurationCheck, readConfiguration, readPushed } from './configuration.ts';
import { devicesCheck } from './devices.ts';
import { diskCheck } from './disk.ts';
import { type Finding, found } from './finding.ts';
import { inputsCheck } from './inputs.ts';
import { keysCheck } from './keys.ts';
import { ledgerCheck } from './ledger.ts';
import { memoryCheck } from './memory.ts';
import { permissionsCheck } from './permissions.ts';
import { portHoldersCheck } from './port-holders.ts';
import { relayCheck } from './relay.ts';
import { findAgent, isRunning, type RunningAgent } from './running-agent.ts';
import { scannerCheck } from './scanner.ts';
import { serverCheck } from './server.ts';
import { serviceCheck } from './service.ts';
import { type ServiceUser, serviceUserName, userByName, userOfProcess } from './service-user.ts';
import type { MachineRoots, Surroundings } from './surroundings.ts';
import { venueCheck } from './venue.ts';
import { versionCheck } from './version.ts';

/** All checks in the order in which a technician reads them: what lies below comes first. */
export const checks: readonly Check[] = [
	...[configurationCheck, serviceCheck, versionCheck, permissionsCheck, devicesCheck, portHoldersCheck, scannerCheck],
	...[relayCheck, inputsCheck, clockCheck, diskCheck, memoryCheck, ledgerCheck, keysCheck, serverCheck, venueCheck],
];

/** Which gate is looked at, and how closely. */
export interface Examination {
	readonly configFile: string;
	/** `path.to.key=value`, applied over the file. */
	readonly sets: readonly string[];
	/** Devices are opened where no agent has them. */
	readonly openDevices: boolean;
	/** Whose rights count, in the place of the agent's user. */
	readonly user?: string;
}

/** A gate that was looked at. */
export interface Examined {
	readonly gate: GateUnderCheck;
	readonly findings: readonly Finding[];
}

/** Looks at a gate with all checks. Throws `usage` for a user that is not there; whatever is wrong with the gate is a finding. */
export async function examineGate(examination: Examination, around: Surroundings): Promise<Examined> {
	const gate = await gateUnderCheck(examination, around);
	const findings: Finding[] = [];
	// One after the other: two that open the same bus would be in each other's way.
	for (const check of checks) findings.push(...(await runCheck(check, gate, around)));
	return { gate, findings };
}

/** Gathers what checks need to know of a gate. Throws `usage`. */
export async function gateUnderCheck(
	{ configFile, sets, openDevices, user }: Examination,
	{ roots }: Surroundings,
): Promise<GateUnderCheck> {
	const own = readConfiguration(configFile, sets);
	const dataDir = own.config?.dataDir ?? dataOf(own.source);
	const enrollment = dataDir === undefined ? {} : await enrollmentOf(dataDir);
	const device = enrollment.enrolled?.enrollment.device;
	const pushed =
		own.source && dataDir !== undefined && device !== undefined ? await readPushed(own.source, dataDir, device) : {};
	// A gate whose lanes are pushed needs none in its own file.
	const config = pushed.config ?? own.config;
	const agent: RunningAgent = config ? await findAgent(config, roots) : {};
	return {
		...{ configFile, configurationFindings: own.findings, agent, pushed, ...enrollment },
		...(config && { config }),
		...(dataDir !== undefined && { dataDir }),
		user: await userOf(user, agent, roots),
		plugged: await pluggedDevices(roots),
		mayOpen: openDevices && !isRunning(agent),
	};
}

/** The data folder of a file that may not be valid otherwise. */
function dataOf(source: ConfigSource | undefined): string | undefined {
	const { data } = (source?.value ?? {}) as { readonly data?: unknown };
	return typeof data === 'string' && data !== '' ? resolve(data) : undefined;
}

async function enrollmentOf(
	dir: string,
): Promise<Pick<GateUnderCheck, 'enrollmentHidden' | 'enrollmentProblem'> & { readonly enrolled?: EnrolledGate }> {
	try {
		const enrolled = await readEnrollment(dir);
		return enrolled ? { enrolled } : {};
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
		return code === 'EACCES' ? { enrollmentHidden: true } : { enrollmentProblem: error.message };
	}
}

async function userOf(named: string | undefined, { pid }: RunningAgent, roots: MachineRoots): Promise<ServiceUser> {
	if (named !== undefined) {
		const user = await userByName(named, roots);
		if (user === undefined) throw new StilewardError('usage', `there is no user ${named}`);
		return user;
	}
	const own = { name: userInfo().username, uid: process.getuid?.() ?? 0, gids: process.getgroups?.() ?? [] };
	const agents = pid === undefined ? undefined : await userOfProcess(pid, roots);
	return agents ?? (await userByName(serviceUserName, roots)) ?? own;
}

/** A check that the system does not let finish is a finding; a bug passes on. */
async function runCheck(check: Check, gate: GateUnderCheck, around: Surroundings): Promise<readonly Finding[]> {
	try {
		return await check.run(gate, around);
	} catch (error) {
		const isOperating = error instanceof StilewardError || (error instanceof Error && 'syscall' in error);
		if (!isOperating) throw error;
		return [found('check_failed', check.name, { problem: error.message })];
	}
}
