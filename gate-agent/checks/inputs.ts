import type { InputStates, Inputs } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import type { LaneStatus } from '../core/lane.ts';
import { drivers } from '../drivers.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { type ConfiguredDevice, devicesOf } from './configured-device.ts';
import { deviceIo } from './device-io.ts';
import { type Evidence, type Finding, found } from './finding.ts';
import { whyNotOpened } from './relay.ts';

/** Whether contacts can be read and are at rest, and whether fire and passage look exchanged. */
export const inputsCheck: Check = {
	name: 'inputs',
	run: async (gate) => {
		const boards = gate.config ? devicesOf(gate.config).filter(({ kind }) => kind === 'inputs') : [];
		const findings: Finding[] = [];
		for (const board of boards) {
			findings.push(...(gate.agent.health ? runningFindings(board, gate) : await stoppedFindings(board, gate)));
		}
		return findings;
	},
};

function runningFindings({ name, lane }: ConfiguredDevice, { agent }: GateUnderCheck): readonly Finding[] {
	const device = agent.health?.devices[name];
	const status = agent.health?.lanes[lane];
	if (device === undefined || status === undefined)
		return [found('inputs_skipped', name, { why: 'other_configuration' })];
	if (device.state !== 'ready') {
		const isSilent =
			device.code === 'device_timeout' || device.code === 'device_lost' || device.code === 'device_protocol';
		return [found(isSilent ? 'inputs_silent' : 'inputs_skipped', name, { why: device.problem ?? device.state })];
	}
	const findings = laneFindings(lane, status);
	return findings.length > 0 ? findings : [found('inputs_ok', name, { fire: status.fire, sensor: status.sensor })];
}

function laneFindings(lane: string, { fire, passing, sensor, alarms, emergency }: LaneStatus): readonly Finding[] {
	const isStuck = alarms.includes('open_too_long') || passing.length > 0;
	const seen: Evidence = { fire, passing: passing.join(' ') || '–', sensor, emergency };
	// An alarm that comes and goes with visitors, whom the dead sensor does not see.
	if ((fire === 'active' && isStuck) || (emergency && sensor === 'dead')) {
		const why = sensor === 'dead' ? 'alarm_moves' : 'both_active';
		return [found('inputs_swapped', lane, { ...seen, why })];
	}
	return [
		...(fire === 'active' ? [found('fire_active', lane, seen)] : []),
		...(isStuck ? [found('passage_stuck', lane, seen)] : []),
		...(sensor === 'dead' || alarms.includes('sensor_dead') ? [found('sensor_dead', lane, seen)] : []),
		...(alarms.includes('tamper') ? [found('tamper_active', lane, seen)] : []),
	];
}

async function stoppedFindings(board: ConfiguredDevice, gate: GateUnderCheck): Promise<readonly Finding[]> {
	const { name, lane, driver, options } = board;
	if (!gate.mayOpen) return [found('inputs_skipped', name, { why: whyNotOpened(gate) })];
	let inputs: Inputs | undefined;
	try {
		inputs = await drivers.inputs[driver]?.open(options, { ...deviceIo(), onChange: () => {} });
		const states = (await inputs?.read()) ?? {};
		const findings = restFindings(lane, states);
		return findings.length > 0
			? findings
			: [found('inputs_ok', name, { driver, contacts: Object.keys(states).join(' ') })];
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return [found('inputs_silent', name, { problem: error.message })];
	} finally {
		await inputs?.close();
	}
}

/** Contacts of a lane that nobody walks through. */
function restFindings(lane: string, states: InputStates): readonly Finding[] {
	const isStuck = states.passage === true || states.reverse === true;
	const seen: Evidence = { fire: states.fire ?? '–', passage: states.passage ?? '–', reverse: states.reverse ?? '–' };
	if (states.fire === true && isStuck) return [found('inputs_swapped', lane, { ...seen, why: 'both_active' })];
	return [
		...(states.fire === true ? [found('fire_active', lane, seen)] : []),
		...(isStuck ? [found('passage_stuck', lane, seen)] : []),
		...(states.tamper === true ? [found('tamper_active', lane, seen)] : []),
	];
}
