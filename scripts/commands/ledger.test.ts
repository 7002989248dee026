import { randomUUID } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Allowance, RedemptionId } from '../../gate-agent/core/redemption.ts';
import { ticketId } from '../../gate-agent/core/ticket.ts';
import { openSqliteLedger } from '../../gate-agent/ledger/sqlite-ledger.ts';
import { runCli, temporaryFolder } from './cli.suite.ts';

const startMs = Date.parse('2026-11-22T10:00:00.000Z');

/** A gate's own ledger, open as it is while the gate works, with one visitor admitted and then refused. */
async function workingLedger(dir: string, refusals = 1) {
	const { ledger } = await openSqliteLedger({
		...{ dir, device: 'gate-1', newEpoch: randomUUID, verifyAtStart: false },
		log: () => {},
	});
	const redemptionId = 'AAAAAAAAAAAAAAAAAAAAAA' as RedemptionId;
	const allowance = 'ticket' as Allowance;
	const ticket = ticketId('lantern-2026', 7);
	const place = { lane: 'lane-1', zone: 'main', cls: 'adult', use: 1 };
	await ledger.redeem(
		{ redemptionId, ticketId: ticket, evt: 'lantern-2026', idx: 7, allowance, ...place, atMs: startMs },
		() => ({ kind: 'grant', direction: 'entry', allowance, uses: 1, reentry: false, rung: 'local', left: 0 }),
	);
	const settlement = { redemptionId, outcome: 'taken', taken: 1, back: false, counted: false } as const;
	await ledger.settle(settlement, startMs + 1500);
	for (let i = 0; i < refusals; i++) {
		ledger.deny({ reason: 'already_redeemed', lane: 'lane-1', ticketId: ticket, atMs: startMs + 60_000 * (i + 1) });
		await ledger.flush();
	}
	return ledger;
}

describe('stileward ledger', () => {
	it('lists the journal of a working gate, one JSON object a row', async () => {
		await using folder = await temporaryFolder();
		const ledger = await workingLedger(folder.path);
		const { code, out, err } = await runCli(['ledger', 'list', '--data', folder.path, '--json']);
		await ledger.close();
		expect({ code, err }).toEqual({ code: 0, err: '' });
		expect(jsonLines(out)).toMatchObject([
			{
				seq: 1,
				kind: 'granted',
				ticket: 'lantern-2026/7',
				reason: null,
				rung: 'local',
				lane: 'lane-1',
				at: '2026-11-22T10:00:00.000Z',
			},
			{ seq: 2, kind: 'settled', ticket: 'lantern-2026/7', outcome: 'taken', reason: null, lane: 'lane-1' },
			{ seq: 3, kind: 'denied', ticket: 'lantern-2026/7', reason: 'already_redeemed', rung: null, lane: 'lane-1' },
		]);
	});

	it('shows a table to people, and the rows that were asked for', async () => {
		await using folder = await temporaryFolder();
		await (await workingLedger(folder.path, 3)).close();
		const list = (...more: readonly string[]) => runCli(['ledger', 'list', '--data', folder.path, ...more]);
		const { out } = await list();
		expect(out).toMatch(
			/^seq +at +kind +lane +ticket +what\n1 +2026-11-22T10:00:00.000Z +granted +lane-1 +lantern-2026\/7 +adult/,
		);
		const seqs = async (...more: readonly string[]) =>
			jsonLines((await list('--json', ...more)).out).map(({ seq }) => seq);
		expect(await seqs('--after', '2')).toEqual([3, 4, 5]);
		expect(await seqs('--kind', 'denied', '--limit', '2')).toEqual([3, 4]);
		expect(await seqs('--after', '5')).toEqual([]);
	});

	it('verifies an intact ledger and backs it up once', async () => {
		await using folder = await temporaryFolder();
		const data = join(folder.path, 'data');
		const ledger = await workingLedger(data);
		const verified = await runCli(['ledger', 'verify', '--data', data, '--json']);
		expect(verified.code).toBe(0);
		expect(JSON.parse(verified.out)).toMatchObject({ ok: true, problems: [], rows: 3, openGrants: 0 });
		expect((await runCli(['ledger', 'verify', '--data', data])).out).toMatch(/^ledger +intact\nrows +3 \(/);

		const copy = join(folder.path, 'copy', 'ledger.db');
		expect((await runCli(['ledger', 'backup', '--data', data, '--to', copy])).code).toBe(1);
		const to = join(folder.path, 'ledger.db');
		expect(await runCli(['ledger', 'backup', '--data', data, '--to', to])).toMatchObject({ code: 0, err: '' });
		await ledger.close();
		const listed = await runCli(['ledger', 'list', '--data', folder.path, '--json']);
		expect(jsonLines(listed.out)).toHaveLength(3);
		const before = await readFile(to);
		const again = await runCli(['ledger', 'backup', '--data', data, '--to', to]);
		expect(again).toMatchObject({ code: 2, out: '' });
		expect(await readFile(to)).toEqual(before);
	});

	it('ends with 3 for a damaged ledger and changes nothing', async () => {
		await using folder = await temporaryFolder();
		await (await workingLedger(folder.path, 200)).close();
		const file = join(folder.path, 'ledger.db');
		const handle = await open(file, 'r+');
		const { size } = await handle.stat();
		await handle.write(Buffer.alloc(Math.floor(size / 2), 0x5a), 0, Math.floor(size / 2), Math.floor(size / 2));
		await handle.close();
		const before = [await readdir(folder.path), await readFile(file)];
		const { code, out } = await runCli(['ledger', 'verify', '--data', folder.path, '--json']);
		expect(code).toBe(3);
		expect(JSON.parse(out)).toMatchObject({ ok: false });
		expect(JSON.parse(out).problems.length).toBeGreaterThan(0);
		expect([(await readdir(folder.path)).filter((name) => !/-(wal|shm)$/.test(name)), await readFile(file)]).toEqual(
			before,
		);
	});

	it('ends with 3 for a file that is no database at all', async () => {
		await using folder = await temporaryFolder();
		const handle = await open(join(folder.path, 'ledger.db'), 'w');
		await handle.writeFile('not a database, just text\n'.repeat(400));
		await handle.close();
		const verified = await runCli(['ledger', 'verify', '--data', folder.path]);
		expect(verified.code).toBe(3);
		expect(verified.out).toMatch(/^ledger +damaged\nproblem +\S/);
		expect((await runCli(['ledger', 'list', '--data', folder.path])).code).toBe(1);
	});

	it('says that a folder has no ledger, and makes none', async () => {
		await using folder = await temporaryFolder();
		for (const args of [['list'], ['verify'], ['backup', '--to', join(folder.path, 'copy')]]) {
			const { code, out, err } = await runCli(['ledger', ...args, '--data', folder.path]);
			expect({ code, out }).toEqual({ code: 1, out: '' });
			expect(err).toMatch(/\[ledger_missing\]\n$/);
		}
		expect(await readdir(folder.path)).toEqual([]);
	});
});

function jsonLines(text: string): readonly Record<string, unknown>[] {
	const lines = text.split('\n').filter((line) => line !== '');
	return lines.map((line) => JSON.parse(line));
}
