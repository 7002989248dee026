import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedemptionId } from '../../core/redemption.ts';
import { once, requestOf } from '../../core/testing/one-ticket-each.ts';
import { openSqliteLedger } from '../sqlite-ledger.ts';

/**
 * A program that fills the disk under a ledger and empties it again, and prints what the ledger answered as one line of
 * JSON. It runs in a mount namespace of its own, on a real file system of 2 MB.
 * Arguments: an empty folder to mount on.
 */
async function main([dir = '']: readonly string[]): Promise<void> {
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir]);
	const data = join(dir, 'data');
	const ballast = join(dir, 'ballast');
	const log: string[] = [];
	const { ledger } = await openSqliteLedger({
		...{ dir: data, device: 'gate-1', newEpoch: () => 'epoch-1', verifyAtStart: false },
		log: (event) => log.push(event),
	});
	const ask = (idx: number, id = `redemption-${idx}`) =>
		ledger.redeem({ ...requestOf(idx), redemptionId: id as RedemptionId }, once).then(
			({ kind }) => kind,
			(error: { code?: string }) => error.code,
		);

	const before = [await ask(1)];
	fill(ballast, dir);
	const full: unknown[] = [];
	for (let idx = 100; full.at(-1) !== 'ledger_full' && idx < 10_000; idx++) full.push(await ask(idx));
	const refused = 99 + full.length;
	full.push(await ask(refused), await ask(refused, 'another-id'), await ask(1, 'used-before'));
	for (let n = 0; n < 500; n++) ledger.deny({ reason: 'unreadable', lane: 'lane-1', atMs: requestOf(0).atMs + n });
	for (let looks = 0; looks < 200 && !log.includes('denials_waiting'); looks++) await sleep(20);
	const whileFull = { state: ledger.health().state, open: (await ledger.openGrants()).length, granted: await rows() };

	rmSync(ballast);
	const after = [await ask(refused), await ask(refused, 'second'), await ask(20_000), ledger.health().state];
	await ledger.flush();
	await ledger.close();
	writeSync(1, `${JSON.stringify({ before, full: full.slice(-4), whileFull, after, log })}\n`);

	async function rows(): Promise<boolean> {
		const granted = (await ledger.rows(0, 10_000)).filter((row) => row.kind === 'granted');
		return granted.some((row) => row.ticket === requestOf(refused).ticketId);
	}
}

function fill(path: string, dir: string): void {
	const { bavail, bsize } = statfsSync(dir);
	writeFileSync(path, new Uint8Array(bavail * bsize));
}

if (import.meta.main) await main(process.argv.slice(2));
