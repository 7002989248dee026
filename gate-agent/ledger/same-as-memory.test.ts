import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { expectSameAsMemory } from '../core/same-as-memory.suite.ts';
import { readLedger } from './read-ledger.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';

const base = mkdtempSync(join(tmpdir(), 'ledger-same-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function expectWhole(dir: string): void {
	const view = readLedger(dir);
	const report = view.verify();
	view.close();
	expect(report).toMatchObject({ ok: true });
}

test('memory and disk give the same answers, histories and rows for any sequence of operations', async () => {
	let runs = 0;
	await expectSameAsMemory(async () => {
		runs += 1;
		const dir = join(base, String(runs));
		const options = {
			...{ dir, device: 'gate-1', newEpoch: () => 'epoch-1', log: () => undefined },
			...{ nowMs: () => 0, verifyAtStart: false },
		};
		const open = async () => (await openSqliteLedger(options)).ledger;
		return { ledger: await open(), reopen: open, check: async () => expectWhole(dir) };
	}, 12);
}, 60_000);
