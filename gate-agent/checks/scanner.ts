import { StilewardError } from '../core/errors.ts';
import { setUpGrowGm } from '../scanners/grow-gm-setup.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { type ConfiguredDevice, devicesOf, placeOf } from './configured-device.ts';
import { type Finding, found } from './finding.ts';
import { whyNotOpened } from './relay.ts';
import type { MachineRoots } from './surroundings.ts';

/** So many unreadable scans, and at least this share of all, are no dirty glass any more. */
const unreadableMin = 3;
const unreadableShare = 0.5;

/** Whether each scanner is open and speaks at the speed that it is read at. */
export const scannerCheck: Check = {
	name: 'scanner',
	run: async (gate, { roots }) => {
		const scanners = gate.config ? devicesOf(gate.config).filter(({ kind }) => kind === 'scanner') : [];
		const findings: Finding[] = [];
		for (const scanner of scanners) {
			findings.push(
				...(gate.agent.health ? runningFindings(scanner, gate) : await stoppedFindings(scanner, gate, roots)),
			);
		}
		return findings;
	},
};

function runningFindings(
	{ name, lane, options, driver }: ConfiguredDevice,
	{ agent }: GateUnderCheck,
): readonly Finding[] {
	const device = agent.health?.devices[name];
	if (device === undefined) return [found('scanner_skipped', name, { why: 'other_configuration' })];
	if (device.state !== 'ready') {
		if (device.code === 'device_timeout') return [found('scanner_silent', name, { problem: device.problem ?? '' })];
		return [found('scanner_skipped', name, { why: device.problem ?? device.state })];
	}
	const scans = figure(agent.metrics, 'stileward_scans_total', { lane });
	const unreadable = figure(agent.metrics, 'stileward_refusals_total', { lane, reason: 'unreadable' });
	const evidence = { driver, scans, unreadable };
	if (unreadable < unreadableMin || unreadable < scans * unreadableShare) return [found('scanner_ok', name, evidence)];
	return [found('scanner_unreadable', name, { ...evidence, baudRate: Number(options.baudRate ?? 0) })];
}

/** One figure of Prometheus' text form; 0 where it was never counted. */
function figure(metrics: string | undefined, name: string, labels: Readonly<Record<string, string>>): number {
	const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
	const line = metrics
		?.split('\n')
		.find((each) => each.startsWith(`${name}{`) && wanted.every((label) => each.includes(label)));
	return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
}

/** Only modules of Grow answer questions; they are asked for their version at each of their speeds, and nothing is set. */
async function stoppedFindings(
	scanner: ConfiguredDevice,
	gate: GateUnderCheck,
	roots: MachineRoots,
): Promise<readonly Finding[]> {
	const { name, driver, options } = scanner;
	if (!gate.mayOpen) return [found('scanner_skipped', name, { why: whyNotOpened(gate) })];
	const place = await placeOf(scanner, roots);
	const isGrow = driver === 'grow-gm';
	if (place.kind !== 'node' || !(isGrow || driver === 'serial-line'))
		return [found('scanner_skipped', name, { why: 'asks_nothing' })];
	try {
		const setup = { path: place.written, zoneMap: 'gm65', sameCodeDelayMs: 1000, provision: 'off' } as const;
		const { link, baudRate } = await setUpGrowGm(setup, () => {});
		await link.close();
		if (isGrow || baudRate === options.baudRate) return [found('scanner_ok', name, { driver, baudRate })];
		return [found('scanner_other_baud', name, { answers: baudRate, baudRate: Number(options.baudRate) })];
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		if (isGrow && error.code === 'device_timeout') return [found('scanner_silent', name, { problem: error.message })];
		return [found('scanner_skipped', name, { why: isGrow ? error.message : 'asks_nothing' })];
	}
}
