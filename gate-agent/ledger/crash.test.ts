import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JournalRow, RedemptionId } from '../core/redemption.ts';
import { once, requestOf } from '../core/testing/one-ticket-each.ts';
import { readLedger } from './read-ledger.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';
import { type Child, startProgram } from './testing/child.ts';

let dir: string;
let child: Child | undefined;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'ledger-crash-'));
});
afterEach(async () => {
	child?.kill('SIGKILL');
	await child?.ended;
	child = undefined;
	rmSync(dir, { recursive: true, force: true });
});

const options = { device: 'gate-1', newEpoch: () => 'another-epoch', log: () => undefined };

async function allRows(): Promise<JournalRow[]> {
	const view = readLedger(dir);
	const rows: JournalRow[] = [];
	for (let batch = view.rows(0, 10_000); batch.length > 0; batch = view.rows(rows.length, 10_000)) rows.push(...batch);
	view.close();
	return rows;
}

test('every acknowledged redemption survives kill -9, none twice, and open grants are listed', async () => {
	let acknowledged: number[] = [];
	for (const [round, after] of [200, 1, 57].entries()) {
		child = startProgram('redeem-loop.ts', [dir, String(round * 100_000), '50000']);
		await child.until((lines) => lines.length >= after);
		child.kill('SIGKILL');
		await child.ended;
		acknowledged = [...acknowledged, ...child.lines.filter((line) => line !== 'done').map(Number)];
	}
	const { ledger, setAside } = await openSqliteLedger({ dir, ...options });
	expect(setAside).toBeUndefined();
	expect(await ledger.verified).toMatchObject({ ok: true });

	const granted = (await allRows()).flatMap((row) => (row.kind === 'granted' ? [row.ticket] : []));
	expect(new Set(granted).size).toBe(granted.length);
	expect(granted.length - acknowledged.length).toBeGreaterThanOrEqual(0);
	expect(granted.length - acknowledged.length).toBeLessThanOrEqual(3);
	for (const idx of acknowledged) {
		expect(granted).toContain(`lantern-2026/${idx}`);
		const again = { ...requestOf(idx), redemptionId: `again-${idx}` as RedemptionId };
		expect(await ledger.redeem(again, once)).toMatchObject({ kind: 'denied' });
	}
	const open = (await ledger.openGrants()).map(({ idx }) => idx);
	for (const idx of acknowledged.filter((number) => number % 3 === 0)) expect(open).toContain(idx);
	expect(open.filter((idx) => idx % 3 !== 0).length).toBeLessThanOrEqual(3);
	await ledger.close();
});

test('a second agent on the same data folder is told so, until the first one is dead', async () => {
	child = startProgram('redeem-loop.ts', [dir, '0', '10']);
	await child.until((lines) => lines.includes('done'));
	await expect(openSqliteLedger({ dir, ...options })).rejects.toMatchObject({
		code: 'ledger_busy',
		message: expect.stringContaining(dir),
	});
	expect(await allRows()).toHaveLength(16);
	child.kill('SIGKILL');
	await child.ended;
	const { ledger } = await openSqliteLedger({ dir, ...options });
	await expect(openSqliteLedger({ dir, ...options })).rejects.toMatchObject({ code: 'ledger_busy' });
	await ledger.close();
	await (await openSqliteLedger({ dir, ...options })).ledger.close();
});
