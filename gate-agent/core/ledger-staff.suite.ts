import { expect, test } from 'vitest';
import { wholeTicket } from './allowance.ts';
import type { Decision } from './decide.ts';
import type { Ledger, RedeemRequest } from './ledger.ts';
import type { RedemptionId } from './redemption.ts';
import { ticketId } from './ticket.ts';

const nowMs = Date.UTC(2026, 10, 22, 10);
const redemptionId = 'redemption-1' as RedemptionId;
const request: RedeemRequest = {
	...{ redemptionId, ticketId: ticketId('lantern-2026', 1), evt: 'lantern-2026', idx: 1, allowance: wholeTicket },
	...{ cls: 'adult', use: 1, lane: 'lane-1', zone: 'main', atMs: nowMs },
};
const grant: Decision = {
	...{ kind: 'grant', direction: 'entry', allowance: wholeTicket, uses: 1, reentry: false, rung: 'staff', left: 0 },
};

/** The law of the ledger port about who of the staff did something, on an empty ledger. */
export function ledgerStaffSuite(name: string, makeLedger: () => Promise<Ledger>): void {
	test(`${name}: rows say who of the staff admitted, why, and who undid it, and nothing where nobody did`, async () => {
		const ledger = await makeLedger();
		const back = { outcome: 'not_taken', taken: 0, back: true, counted: false } as const;
		await ledger.redeem({ ...request, by: 'chen', reason: 'train was late' }, () => grant);
		await ledger.settle({ redemptionId, ...back, by: 'li' }, nowMs);
		const second = 'redemption-2' as RedemptionId;
		await ledger.redeem({ ...request, redemptionId: second }, () => grant);
		await ledger.settle({ redemptionId: second, ...back }, nowMs);
		const said = (await ledger.rows(0, 10)).map((row) => [
			row.kind,
			'by' in row ? row.by : undefined,
			'reason' in row ? row.reason : undefined,
		]);
		expect(said).toEqual([
			['granted', 'chen', 'train was late'],
			['settled', 'li', undefined],
			['granted', undefined, undefined],
			['settled', undefined, undefined],
		]);
		await ledger.close();
	});
}
