import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { holdLedger } from '../ledger/hold.ts';
import { openIndexedDbLedger } from '../ledger/indexeddb-ledger.ts';
import type { HandheldDeps, LedgerAnswer, OpenLedger } from './handheld-deps.ts';
import { newNonce } from './random-ids.ts';

/** Opens the ledger of a device in IndexedDB, unless another tab writes it. Rejects with `ledger_*`. */
export async function openBrowserLedger(
	{ device, takeOver, nowMs, onRows }: OpenLedger,
	log: HandheldDeps['log'],
): Promise<LedgerAnswer> {
	const answer = await holdLedger(`handheld ${device}`, { how: takeOver ? 'take_over' : 'if_free' });
	if (answer.kind === 'in_use') return { kind: 'other_tab' };
	const { hold } = answer;
	try {
		const newEpoch = () => newNonce(crypto).slice(0, 12);
		const { ledger } = await openIndexedDbLedger({ hold, device, newEpoch, log, nowMs, onRows });
		const lost = new Promise<void>((resolve) => {
			void hold.ended.then((how) => how === 'taken_over' && resolve());
		});
		return { kind: 'open', ledger, lost };
	} catch (error) {
		await hold.release();
		throw error instanceof StilewardError ? error : new StilewardError('ledger_io', 'no storage', { cause: error });
	}
}
