import { expect, test } from 'vitest';
import type { Ledger } from './ledger.ts';

const nowMs = Date.UTC(2026, 10, 22, 10);
const poisonedMs = Date.UTC(2036, 0, 1);
const started = { kind: 'started', agent: 'gate-1', version: '1.0.0', clock: 'trusted' } as const;
const alarm = { kind: 'alarm', lane: 'lane-1', alarm: 'tamper', on: true } as const;

/** The law of the ledger port about clock epochs, on an empty ledger. */
export function ledgerClockSuite(name: string, makeLedger: () => Promise<Ledger>): void {
	test(`${name}: time goes back where a root-signed reset begins a clock epoch, and only there`, async () => {
		const ledger = await makeLedger();
		expect(await ledger.clockEpoch()).toBe(1);
		await ledger.record({ ...started, clockEpoch: 1 }, poisonedMs);
		await ledger.record(alarm, nowMs);
		await ledger.record({ ...started, clockEpoch: 2 }, nowMs);
		await ledger.record(alarm, nowMs + 7);
		await ledger.record({ ...started, clockEpoch: 2 }, nowMs);
		const rows = await ledger.rows(0, 100);
		expect(rows.map(({ at }) => at)).toEqual([poisonedMs, poisonedMs, nowMs, nowMs + 7, nowMs + 7]);
		expect(await ledger.latestMs()).toBe(nowMs + 7);
		expect(await ledger.clockEpoch()).toBe(2);
		await ledger.close();
	});
}
