import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { RedemptionId } from '../../core/redemption.ts';
import { once, requestOf } from '../../core/testing/one-ticket-each.ts';
import { readLedger } from '../read-ledger.ts';
import { openSqliteLedger } from '../sqlite-ledger.ts';

/**
 * A program that redeems until the limit on file sizes it was started under makes a write fail, then lifts the limit
 * and goes on; it prints what the ledger answered. Arguments: data folder.
 */
async function main([dir = '']: readonly string[]): Promise<void> {
	const log: string[] = [];
	const { ledger } = await openSqliteLedger({
		...{ dir, device: 'gate-1', newEpoch: () => 'epoch-1', verifyAtStart: false },
		log: (event) => log.push(event),
	});
	const ask = (idx: number, id: string) =>
		ledger.redeem({ ...requestOf(idx), redemptionId: id as RedemptionId }, once).then(
			({ kind }) => kind,
			(error: { code?: string }) => error.code ?? 'bug',
		);
	let idx = 0;
	let failed: string = 'granted';
	// Without a pause no timer runs, so no checkpoint cuts the log down before the limit is reached.
	for (; failed === 'granted' && idx < 5_000; idx++) failed = await ask(idx, `first-${idx}`);
	const { state } = ledger.health();
	execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:']);
	const again = await ask(idx - 1, 'second');
	const twice = await ask(idx - 1, 'third');
	const openOfFailed = (await ledger.openGrants()).filter((grant) => grant.idx === idx - 1).length;
	await ledger.close();
	const view = readLedger(dir);
	const verified = view.verify().ok;
	view.close();
	writeSync(1, `${JSON.stringify({ failed, state, again, twice, openOfFailed, verified, log })}\n`);
}

if (import.meta.main) await main(process.argv.slice(2));
