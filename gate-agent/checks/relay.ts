import type { Relay } from '../core/device.ts';
import { StilewardError } from '../core/errors.ts';
import { drivers } from '../drivers.ts';
import { createBuses } from '../serial/buses.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { type ConfiguredDevice, devicesOf } from './configured-device.ts';
import { deviceIo } from './device-io.ts';
import { type Finding, found } from './finding.ts';

/** Drivers of boards without a timer: this computer ends their pulses. */
const hostTimed: ReadonlySet<string> = new Set(['serial-lcus', 'hid-dcttech', 'gpio']);

/** Whether each relay board answers, and who ends its pulses. No relay is ever pulsed here. */
export const relayCheck: Check = {
	name: 'relay',
	run: async (gate) => {
		const boards = gate.config ? devicesOf(gate.config).filter(({ kind }) => kind === 'relay') : [];
		const findings = await Promise.all(boards.map((board) => boardFindings(board, gate)));
		return findings.flat();
	},
};

async function boardFindings(board: ConfiguredDevice, gate: GateUnderCheck): Promise<readonly Finding[]> {
	const timing = hostTimed.has(board.driver) ? [found('pulse_by_host', board.name, { driver: board.driver })] : [];
	return [...(gate.agent.health ? runningFindings(board, gate) : await stoppedFindings(board, gate)), ...timing];
}

function runningFindings({ name, lane, driver }: ConfiguredDevice, { agent }: GateUnderCheck): readonly Finding[] {
	const device = agent.health?.devices[name];
	if (agent.health?.lanes[lane]?.alarms.includes('relay_failed')) return [found('relay_failed', name, { driver })];
	if (device === undefined) return [found('relay_skipped', name, { why: 'other_configuration' })];
	if (device.state === 'ready') return [found('relay_ok', name, { driver })];
	return failureFindings(name, { code: device.code ?? device.state, message: device.problem ?? '' });
}

/** What keeps a board from working; what keeps it from being opened at all is named by other checks. */
function failureFindings(
	name: string,
	{ code, message }: { readonly code: string; readonly message: string },
): readonly Finding[] {
	if (code === 'device_timeout' || code === 'device_lost') return [found('relay_silent', name, { problem: message })];
	if (code === 'device_protocol') return [found('relay_protocol', name, { problem: message })];
	return [found('relay_skipped', name, { why: message || code })];
}

async function stoppedFindings(board: ConfiguredDevice, gate: GateUnderCheck): Promise<readonly Finding[]> {
	const { name, driver, options } = board;
	if (!gate.mayOpen) return [found('relay_skipped', name, { why: whyNotOpened(gate) })];
	let relay: Relay | undefined;
	try {
		relay = await drivers.relays[driver]?.open(options, deviceIo());
		const coils = await relay?.read();
		return [found('relay_ok', name, { driver, tells: coils !== undefined })];
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		const answers =
			error.code === 'device_timeout' || error.code === 'device_protocol' ? await otherBaudRate(options) : undefined;
		const evidence = { baudRate: Number(options.baudRate), answers: answers ?? 0 };
		return answers === undefined ? failureFindings(name, error) : [found('relay_other_baud', name, evidence)];
	} finally {
		await relay?.close();
	}
}

/** Why a device of a gate is not opened. */
export function whyNotOpened({ agent }: GateUnderCheck): string {
	return agent.pid === undefined ? 'not_running' : 'agent_silent';
}

/** Speeds that Waveshare boards and their kin can be set to, the usual ones first. */
const baudRates = [9600, 115_200, 19_200, 38_400, 57_600, 4800];

/** Which speed a board on a serial bus answers at, when it does not at its own. Only its coils are read. */
async function otherBaudRate({
	path,
	address,
	baudRate,
	parity,
}: ConfiguredDevice['options']): Promise<number | undefined> {
	if (typeof path !== 'string' || typeof address !== 'number') return undefined;
	for (const rate of baudRates.filter((each) => each !== baudRate)) {
		if (await answersAt({ path, address, baudRate: rate, parity })) return rate;
	}
	return undefined;
}

async function answersAt(port: {
	path: string;
	address: number;
	baudRate: number;
	parity?: unknown;
}): Promise<boolean> {
	const { path, address, baudRate, parity } = port;
	// The driver's schema has checked it.
	const bus = await createBuses().acquire({ path, baudRate, parity: (parity ?? 'none') as 'none' | 'even' | 'odd' });
	try {
		await bus.ask({ unit: address, tries: 1, request: { kind: 'read_coils', start: 0, count: 1 } });
		return true;
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return false;
	} finally {
		await bus.close();
	}
}
