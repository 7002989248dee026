import { openDB } from 'idb';
import { afterEach, describe, expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { wholeTicket } from '../../../gate-agent/core/allowance.ts';
import { cursorNote, type Ledger, type RedeemRequest } from '../../../gate-agent/core/ledger.ts';
import { noCounts } from '../../../gate-agent/core/ledger-rules.ts';
import type { RedemptionId } from '../../../gate-agent/core/redemption.ts';
import { once, requestOf } from '../../../gate-agent/core/testing/one-ticket-each.ts';
import { holdLedger } from './hold.ts';
import { type Database, openDatabase } from './schema.ts';
import { dropLedgers, freshName, openForTest } from './testing/open-for-test.ts';

afterEach(dropLedgers);

async function ask(ledger: Ledger, idx: number, id = `redemption-${idx}`): Promise<string> {
	const request: RedeemRequest = { ...requestOf(idx), redemptionId: id as RedemptionId };
	return ledger.redeem(request, once).then(
		({ kind }) => kind,
		(error: { code?: string }) => error.code ?? 'bug',
	);
}

async function settle(ledger: Ledger, idx: number): Promise<void> {
	const redemptionId = `redemption-${idx}` as RedemptionId;
	await ledger.settle({ redemptionId, outcome: 'taken', taken: 1, back: true, counted: true }, requestOf(idx).atMs);
}

/** Changes a closed ledger's database as no ledger would. */
async function damage(name: string, how: (db: Database) => Promise<unknown>): Promise<void> {
	const db = await openDatabase(name, { onBlocked: () => undefined, onLost: () => undefined });
	await how(db);
	db.close();
}

const breakRow = (seq: number) => async (db: Database) => {
	const row = await db.get('journal', seq);
	if (row !== undefined) await db.put('journal', { ...row, text: row.text.replace('adult', 'child') });
};

test('knows after a restart what it knew before, under the same epoch', async () => {
	const { ledger, hold } = await openForTest();
	await ask(ledger, 1);
	await settle(ledger, 1);
	await ask(ledger, 2);
	ledger.deny({ reason: 'unreadable', lane: 'lane-1', atMs: 5 });
	await ledger.close();
	const again = await openForTest(hold.name);
	expect(again.setAside).toBeUndefined();
	expect(again.ledger.epoch).toBe(ledger.epoch);
	expect(await again.ledger.verified).toEqual({ ok: true, rows: 4, problems: [] });
	expect((await again.ledger.openGrants()).map(({ idx }) => idx)).toEqual([2]);
	expect([await ask(again.ledger, 1, 'other'), await ask(again.ledger, 1)]).toEqual(['denied', 'granted']);
	expect(again.ledger.health()).toMatchObject({ state: 'ok', integrity: 'whole', rows: 4, denialsWaiting: 0 });
	await again.ledger.close();
});

describe('a damaged ledger', () => {
	async function filled(): Promise<string> {
		const { ledger, hold } = await openForTest();
		for (const idx of [1, 2]) await ask(ledger, idx);
		await settle(ledger, 1);
		await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'redeemed', set: [7] }], {
			[cursorNote]: '1.1.1',
			rules: 'kept',
		});
		await ledger.record(
			{ kind: 'started', agent: 'handheld-1', version: '1', clock: 'trusted', clockEpoch: 3 },
			requestOf(9).atMs,
		);
		await ledger.close();
		return hold.name;
	}

	async function expectCarried(ledger: Ledger): Promise<void> {
		expect(await ledger.newestSeq()).toBe(0);
		expect([await ask(ledger, 1, 'a'), await ask(ledger, 2, 'b')]).toEqual(['denied', 'denied']);
		expect(await ledger.history(requestOf(2))).toMatchObject({ used: 1, held: 0, open: [] });
		expect(await ledger.history(requestOf(7))).toMatchObject({ listedRedeemed: true });
		expect([await ledger.recall(cursorNote), await ledger.recall('rules')]).toEqual([undefined, 'kept']);
		expect(await ledger.clockEpoch()).toBe(3);
		expect(await ask(ledger, 3)).toBe('granted');
	}

	test.each([
		['a changed row', breakRow(2)],
		['a missing row', (db: Database) => db.delete('journal', 2)],
		['a row too many', async (db: Database) => db.add('journal', { seq: 5, text: '{}', hash: new Uint8Array(32) })],
		['a missing newest row', (db: Database) => db.delete('journal', 4)],
	])('with %s is set aside; the new one has another epoch and every used ticket', async (_, how) => {
		const name = await filled();
		await damage(name, how);
		const { ledger, setAside, log } = await openForTest(name);
		expect(setAside).toBe(name);
		expect(log).toContain('ledger_set_aside');
		await expectCarried(ledger);
		await ledger.close();
		const again = await openForTest(name);
		expect(again.setAside).toBeUndefined();
		expect([again.ledger.epoch, await ask(again.ledger, 3, 'c')]).toEqual([ledger.epoch, 'denied']);
		await again.ledger.close();
	});

	test('that was cut off while a new one was made is made again from the old one', async () => {
		const name = await filled();
		await damage(`${name}~2`, async () => undefined);
		const { ledger } = await openForTest(name);
		await expectCarried(ledger);
		await ledger.close();
	});

	test('keeps the two newest that were set aside', async () => {
		const { ledger, hold } = await openForTest();
		await ask(ledger, 1);
		for (let n = 0; n < 4; n++) await ledger.beginEpoch();
		expect(await ask(ledger, 1, 'again')).toBe('denied');
		await ledger.close();
		const names = (await indexedDB.databases()).map(({ name }) => name);
		expect(names.filter((name) => name?.startsWith(hold.name)).sort()).toEqual(
			[3, 4, 5].map((n) => `${hold.name}~${n}`),
		);
	});

	test('far from its end is found in the background, and the next use has a new epoch', async () => {
		const { ledger, hold } = await openForTest();
		for (let idx = 0; idx < 110; idx++) await ask(ledger, idx);
		await ledger.close();
		await damage(hold.name, breakRow(3));
		const again = await openForTest(hold.name);
		expect(again.ledger.epoch).toBe(ledger.epoch);
		expect(await again.ledger.verified).toMatchObject({ ok: false, problems: [expect.stringContaining('row 3')] });
		expect(await ask(again.ledger, 109, 'again')).toBe('denied');
		expect(again.ledger.epoch).not.toBe(ledger.epoch);
		expect(again.ledger.health()).toMatchObject({ setAside: hold.name });
		await again.ledger.close();
	});
});

test.each([
	['held by no open grant', 599, 1],
	['of an open grant that are not held', 1, 0],
])('uses %s are found in the background, also behind many tickets', async (_, idx, held) => {
	const { ledger, hold } = await openForTest();
	await ask(ledger, 1);
	await ledger.close();
	await damage(hold.name, async (db) => {
		const tx = db.transaction('accounts', 'readwrite');
		const account = { evt: 'lantern-2026', allowance: wholeTicket, counts: noCounts, exits: [] };
		for (let unused = 2; unused < 700; unused++) void tx.store.put({ ...account, idx: unused });
		await tx.store.put({ ...account, idx, counts: { ...noCounts, held } });
		await tx.done;
	});
	const again = await openForTest(hold.name);
	expect(await again.ledger.verified).toEqual({
		...{ ok: false, rows: 1 },
		problems: [`ticket lantern-2026/${idx} holds other uses than its open grants`],
	});
	expect(again.log).toContain('ledger_damaged');
	await ask(again.ledger, 3);
	expect(again.ledger.health()).toMatchObject({ setAside: hold.name });
	await again.ledger.close();
});

describe('another schema', () => {
	test('of a newer program is refused, and the hold stays with the caller', async () => {
		const name = freshName();
		(await openDB(name, 99)).close();
		await expect(openForTest(name)).rejects.toMatchObject({ code: 'ledger_newer' });
		expect(await holdLedger(name)).toEqual({ kind: 'in_use' });
	});

	test('that comes while the ledger is open ends its admissions and is not held up by it', async () => {
		const { ledger, hold } = await openForTest();
		expect(await ask(ledger, 1)).toBe('granted');
		(await openDB(hold.name, 99)).close();
		expect([await ask(ledger, 2), await ask(ledger, 2)]).toEqual(['ledger_newer', 'ledger_newer']);
		expect(ledger.health().state).toBe('ledger_newer');
		await ledger.close();
	});
});

describe('a ledger that another tab took over', () => {
	test('refuses every write once it is told', async () => {
		const { ledger, hold } = await openForTest();
		expect(await ask(ledger, 1)).toBe('granted');
		const taking = await holdLedger(hold.name, { how: 'take_over' });
		await hold.ended;
		expect(await ask(ledger, 2)).toBe('ledger_busy');
		await expect(ledger.remember('a', 'b')).rejects.toMatchObject({ code: 'ledger_busy' });
		await expect(ledger.beginEpoch()).rejects.toMatchObject({ code: 'ledger_busy' });
		expect(ledger.health().state).toBe('ledger_busy');
		await ledger.close();
		if (taking.kind === 'held') await taking.hold.release();
	});

	test('refuses every write also before it is told', async () => {
		const { ledger, hold } = await openForTest();
		expect(await ask(ledger, 1)).toBe('granted');
		const own = {
			name: hold.name,
			token: 'another',
			isHeld: () => true,
			ended: hold.ended,
			release: async () => undefined,
		};
		const { openIndexedDbLedger } = await import('./indexeddb-ledger.ts');
		const options = { device: 'handheld-1', newEpoch: () => 'e', log: () => undefined };
		const other = (await openIndexedDbLedger({ ...options, hold: own })).ledger;
		expect([await ask(ledger, 2), await ask(other, 1, 'again'), await ask(other, 2, 'mine')]).toEqual([
			...['ledger_busy', 'denied', 'granted'],
		]);
		await other.close();
		await ledger.close();
	});
});

test('a browser that throws the site’s data away takes the connection, and the ledger begins a new epoch', async () => {
	const { ledger, log } = await openForTest();
	expect(await ask(ledger, 1)).toBe('granted');
	const before = ledger.epoch;
	await cdp().send('Storage.clearDataForOrigin', { origin: location.origin, storageTypes: 'indexeddb' });
	expect(await ask(ledger, 2)).toBe('granted');
	expect(log).toContain('ledger_recovered');
	expect([ledger.epoch === before, await ledger.newestSeq()]).toEqual([false, 1]);
	await ledger.close();
});
