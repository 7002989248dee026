import { writeSync } from 'node:fs';
import { wholeTicket } from '../../core/allowance.ts';
import type { Decision, History } from '../../core/decide.ts';
import type { RedeemRequest } from '../../core/ledger.ts';
import type { RedemptionId } from '../../core/redemption.ts';
import { ticketId } from '../../core/ticket.ts';
import { openSqliteLedger } from '../sqlite-ledger.ts';

/**
 * A program that redeems tickets `first` … one after the other, each of them once, prints the number of each that was
 * acknowledged, and stays alive: crash tests kill it or cut its power. Every third grant is left open.
 * Arguments: data folder, first ticket number, how many.
 */
async function main([dir = '', first = '0', count = '0']: readonly string[]): Promise<void> {
	const { ledger } = await openSqliteLedger({
		...{ dir, device: 'gate-1', newEpoch: () => `epoch-${process.pid}` },
		log: () => undefined,
		verifyAtStart: false,
	});
	for (let idx = Number(first); idx < Number(first) + Number(count); idx++) {
		const request = requestOf(idx);
		const answer = await ledger.redeem(request, once);
		if (answer.kind === 'granted') writeSync(1, `${idx}\n`);
		if (idx % 3 !== 0) {
			const { redemptionId } = request;
			await ledger.settle({ redemptionId, outcome: 'taken', taken: 1, back: true, counted: true }, request.atMs);
		}
	}
	writeSync(1, 'done\n');
	setInterval(() => undefined, 60_000);
}

/** The redemption of ticket `idx`. */
export function requestOf(idx: number): RedeemRequest {
	return {
		redemptionId: `redemption-${idx}` as RedemptionId,
		ticketId: ticketId('lantern-2026', idx),
		evt: 'lantern-2026',
		idx,
		allowance: wholeTicket,
		cls: 'adult',
		use: 1,
		lane: 'lane-1',
		zone: 'main',
		atMs: 1_790_000_000_000 + idx,
	};
}

/** Grants a whole ticket once. */
export function once(history: History): Decision {
	if (history.used + history.held > 0) return { kind: 'deny', refusal: { reason: 'already_redeemed' } };
	const rest = { allowance: wholeTicket, uses: 1, reentry: false, rung: 'local', left: 0 } as const;
	return { kind: 'grant', direction: 'entry', ...rest };
}

if (import.meta.main) await main(process.argv.slice(2));
