import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ledgerSuite } from '../core/ledger.suite.ts';
import { ledgerClockSuite } from '../core/ledger-clock.suite.ts';
import { learnedSuite } from '../core/ledger-learned.suite.ts';
import { ledgerStaffSuite } from '../core/ledger-staff.suite.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';

const base = mkdtempSync(join(tmpdir(), 'ledger-suite-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

let folders = 0;
let epochs = 0;
const newEpoch = () => {
	epochs += 1;
	return `epoch-${epochs}`;
};
const makeLedger = async () => {
	folders += 1;
	const dir = join(base, String(folders));
	const { ledger } = await openSqliteLedger({
		...{ dir, device: 'gate-1', newEpoch },
		log: () => undefined,
		nowMs: () => 0,
		verifyAtStart: false,
	});
	return ledger;
};
ledgerSuite('SQLite ledger', makeLedger);
ledgerClockSuite('SQLite ledger', makeLedger);
ledgerStaffSuite('SQLite ledger', makeLedger);
learnedSuite('SQLite ledger', makeLedger);
