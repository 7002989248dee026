import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectKept, type Load, startLoad } from '../store-crash.suite.ts';
import { startPostgres } from '../testing/postgres.ts';
import { type Acknowledged, openStore } from '../testing/store-load.ts';

/** Crashes of each database; `STILEWARD_ROUNDS=20` is the long form. */
const rounds = Number(process.env.STILEWARD_ROUNDS ?? 3);

let dir: string;
beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), 'store-crash-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs loads that a crash ends, and looks after each of them for everything that was ever answered. */
async function crashAgainAndAgain(address: string, crash: (load: Load, round: number) => Promise<void>): Promise<void> {
	const acknowledged: Acknowledged[] = [];
	for (let round = 0; round < rounds; round++) {
		const load = startLoad(address, round);
		try {
			await load.until(20 + ((round * 7) % 30));
			await crash(load, round);
		} finally {
			await load.kill();
		}
		acknowledged.push(...load.acknowledged);
		const store = await openStore(address);
		await expectKept(store, acknowledged);
		await store.close();
	}
	expect(acknowledged.length).toBeGreaterThan(rounds * 80);
}

test('SIGKILL of a process that writes to SQLite loses nothing it answered', async () => {
	await crashAgainAndAgain(join(dir, 'crash.db'), (load) => load.kill());
}, 300_000);

test('SIGKILL and SIGQUIT of PostgreSQL lose nothing that was answered', async () => {
	const server = await startPostgres();
	try {
		await crashAgainAndAgain(await server.createDatabase(), async (_, round) => {
			await server.kill(round % 2 === 0 ? 'SIGKILL' : 'SIGQUIT');
			await server.start();
		});
	} finally {
		await server.stop();
	}
}, 300_000);
