import { writeSync } from 'node:fs';
import { once, requestOf } from '../../core/testing/one-ticket-each.ts';
import { openSqliteLedger } from '../sqlite-ledger.ts';

/**
 * A program that redeems tickets `first` … one after the other, each of them once, prints the number of each that was
 * acknowledged, and stays alive: crash tests kill it or cut its power. Every third grant is left open.
 * Arguments: data folder, first ticket number, how many.
 */
async function main([dir = '', first = '0', count = '0']: readonly string[]): Promise<void> {
	const { ledger } = await openSqliteLedger({
		...{ dir, device: 'gate-1', newEpoch: () => `epoch-${process.pid}` },
		log: () => undefined,
		verifyAtStart: false,
	});
	for (let idx = Number(first); idx < Number(first) + Number(count); idx++) {
		const request = requestOf(idx);
		const answer = await ledger.redeem(request, once);
		if (answer.kind === 'granted') writeSync(1, `${idx}\n`);
		if (idx % 3 !== 0) {
			const { redemptionId } = request;
			await ledger.settle({ redemptionId, outcome: 'taken', taken: 1, back: true, counted: true }, request.atMs);
		}
	}
	writeSync(1, 'done\n');
	setInterval(() => undefined, 60_000);
}

await main(process.argv.slice(2));
