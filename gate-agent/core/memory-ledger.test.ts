import { ledgerSuite } from './ledger.suite.ts';
import { ledgerClockSuite } from './ledger-clock.suite.ts';
import { learnedSuite } from './ledger-learned.suite.ts';
import { ledgerStaffSuite } from './ledger-staff.suite.ts';
import { createMemoryLedger } from './memory-ledger.ts';

const makeLedger = async () => createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' });
ledgerSuite('memory ledger', makeLedger);
ledgerClockSuite('memory ledger', makeLedger);
ledgerStaffSuite('memory ledger', makeLedger);
learnedSuite('memory ledger', makeLedger);
