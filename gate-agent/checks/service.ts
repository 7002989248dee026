import type { Check, GateUnderCheck } from './check.ts';
import { type Finding, found } from './finding.ts';
import { isRunning } from './running-agent.ts';
import type { Surroundings } from './surroundings.ts';

/** The unit of the package. */
export const serviceUnit = 'stileward-gate.service';

/** So many restarts by themselves are no accident any more. */
const restartsMany = 3;

const properties = ['LoadState', 'UnitFileState', 'ActiveState', 'Result', 'NRestarts', 'WatchdogUSec', 'MainPID'];

/** Whether the gate runs, by itself and after a power cut too. */
export const serviceCheck: Check = {
	name: 'service',
	run: async (gate, around) => {
		const findings = [...agentFindings(gate), ...(await unitFindings(gate, around))];
		if (findings.some(({ state }) => state === 'fault')) return findings;
		const { pid } = gate.agent;
		return isRunning(gate.agent) ? [...findings, found('service_ok', serviceUnit, { pid: pid ?? 0 })] : findings;
	},
};

function agentFindings({ agent }: GateUnderCheck): readonly Finding[] {
	const { url, pid, health, stranger } = agent;
	if (stranger && url !== undefined) return [found('http_taken', url, { url })];
	const isSilent = pid !== undefined && url !== undefined && health === undefined;
	return isSilent ? [found('agent_silent', serviceUnit, { pid, url })] : [];
}

/** What the service manager says (systemctl(1), `show`); nothing where this machine has none. */
async function unitFindings({ agent }: GateUnderCheck, { run }: Surroundings): Promise<readonly Finding[]> {
	const stopped = isRunning(agent) ? [] : [found('gate_stopped', serviceUnit)];
	const shown = await run('systemctl', ['show', serviceUnit, `--property=${properties.join(',')}`]);
	if (shown === undefined || shown.code !== 0) return stopped;
	const unit = new Map(shown.out.split('\n').map((line) => line.split('=', 2) as [string, string]));
	const state = unit.get('ActiveState') ?? 'unknown';
	const evidence = { active: state, enabled: unit.get('UnitFileState') ?? '–', result: unit.get('Result') ?? '–' };
	if (unit.get('LoadState') === 'not-found') return [found('service_missing', serviceUnit, evidence), ...stopped];
	const restarts = Number(unit.get('NRestarts') ?? 0);
	return [
		...stateFindings(state, evidence),
		...(unit.get('UnitFileState') === 'enabled' ? [] : [found('service_disabled', serviceUnit, evidence)]),
		...(restarts >= restartsMany ? [found('service_restarting', serviceUnit, { ...evidence, restarts })] : []),
		...(/^(0|infinity)?$/.test(unit.get('WatchdogUSec') ?? '') ? [found('watchdog_off', serviceUnit, evidence)] : []),
	];
}

function stateFindings(state: string, evidence: Finding['evidence']): readonly Finding[] {
	if (state === 'failed') return [found('service_failed', serviceUnit, evidence)];
	return state === 'inactive' || state === 'deactivating' ? [found('service_stopped', serviceUnit, evidence)] : [];
}
