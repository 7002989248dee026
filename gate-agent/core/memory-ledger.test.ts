import { ledgerSuite } from './ledger.suite.ts';
import { createMemoryLedger } from './memory-ledger.ts';

ledgerSuite('memory ledger', async () => createMemoryLedger({ epoch: 'epoch-1', device: 'gate-1' }));
