import { writeSync } from 'node:fs';
import { openSqliteLedger } from '../sqlite-ledger.ts';

const rowsMax = 10_000;

/** Opens the ledger as the agent does after a power cut, checks it, and prints the number of each granted ticket. Argument: data folder. */
async function main([dir = '']: readonly string[]): Promise<void> {
	const { ledger, setAside } = await openSqliteLedger({
		...{ dir, device: 'gate-1', newEpoch: () => `epoch-${process.pid}` },
		log: () => undefined,
	});
	// The check in the background keeps no program alive.
	const waiting = setInterval(() => undefined, 60_000);
	const report = await ledger.verified;
	clearInterval(waiting);
	if (!report?.ok || setAside !== undefined) throw new Error(`the ledger is damaged: ${JSON.stringify(report)}`);
	for (let after = 0; after < (await ledger.newestSeq()); after += rowsMax) {
		for (const row of await ledger.rows(after, rowsMax)) {
			if (row.kind === 'granted') writeSync(1, `${row.ticket.split('/')[1]}\n`);
		}
	}
	await ledger.close();
}

if (import.meta.main) await main(process.argv.slice(2));
