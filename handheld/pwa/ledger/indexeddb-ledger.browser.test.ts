import { afterEach } from 'vitest';
import { ledgerSuite } from '../../../gate-agent/core/ledger.suite.ts';
import { ledgerClockSuite } from '../../../gate-agent/core/ledger-clock.suite.ts';
import { learnedSuite } from '../../../gate-agent/core/ledger-learned.suite.ts';
import { dropLedgers, openForTest } from './testing/open-for-test.ts';

afterEach(dropLedgers);

const makeLedger = async () => (await openForTest()).ledger;
ledgerSuite('IndexedDB ledger', makeLedger);
ledgerClockSuite('IndexedDB ledger', makeLedger);
learnedSuite('IndexedDB ledger', makeLedger);
