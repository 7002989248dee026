import { StilewardError } from '../core/errors.ts';
import { readLedger } from '../ledger/read-ledger.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { type Finding, found } from './finding.ts';
import { iso } from './iso-time.ts';
import { isRunning } from './running-agent.ts';

/** Whether the ledger is whole and takes writes. A running agent has verified it; otherwise it is verified here. */
export const ledgerCheck: Check = {
	name: 'ledger',
	run: async (gate) => {
		if (gate.dataDir === undefined) return [];
		if (gate.agent.health) return healthFindings(gate.dataDir, gate.agent.health.ledger);
		return isRunning(gate.agent)
			? [found('ledger_unchecked', gate.dataDir, { why: 'agent_silent' })]
			: fileFindings(gate.dataDir);
	},
};

function healthFindings(
	dir: string,
	ledger: NonNullable<GateUnderCheck['agent']['health']>['ledger'],
): readonly Finding[] {
	const { ok, problem, hint, rows, integrity, setAside, pendingWrites } = ledger;
	const findings = [
		...(integrity === 'damaged' ? [found('ledger_damaged', dir, { problem: 'its verification failed', rows })] : []),
		...(problem ? [found('ledger_failing', dir, { problem, hint: hint ?? '', pendingWrites })] : []),
		...(setAside ? [found('ledger_set_aside', dir, { file: setAside })] : []),
	];
	return ok && findings.length === 0 ? [found('ledger_ok', dir, { rows, integrity })] : findings;
}

function fileFindings(dir: string): readonly Finding[] {
	try {
		const ledger = readLedger(dir);
		try {
			const { ok, problems, rows, latestMs, openGrants } = ledger.verify();
			if (!ok) return problems.map((problem) => found('ledger_damaged', dir, { problem, rows }));
			return [found('ledger_ok', dir, { rows, openGrants, ...(rows > 0 && { newest: iso(latestMs) }) })];
		} finally {
			ledger.close();
		}
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		if (error.code === 'ledger_missing') return [found('ledger_new', dir)];
		if (error.code === 'ledger_newer') return [found('ledger_newer', dir)];
		if (error.code === 'ledger_corrupt') return [found('ledger_damaged', dir, { problem: error.message })];
		return [found('ledger_unchecked', dir, { why: error.message })];
	}
}

/** The time of the newest row, milliseconds since 1970; undefined where there is none that can be read. */
export function newestRowMs(dir: string): number | undefined {
	try {
		const ledger = readLedger(dir);
		try {
			// An empty journal says nothing.
			return ledger.latestMs() || undefined;
		} finally {
			ledger.close();
		}
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return undefined;
	}
}
