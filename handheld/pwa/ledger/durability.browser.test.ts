import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RedemptionId } from '../../../gate-agent/core/redemption.ts';
import { once, requestOf } from '../../../gate-agent/core/testing/one-ticket-each.ts';
import { dropLedgers, openForTest } from './testing/open-for-test.ts';

const { transaction } = IDBDatabase.prototype;
let opened: IDBTransaction[];
let happened: string[];

// Looked at from outside, because no database says afterwards how it was written.
beforeEach(() => {
	opened = [];
	happened = [];
	IDBDatabase.prototype.transaction = function (...args) {
		const tx = transaction.apply(this, args);
		opened.push(tx);
		// From its beginning, so that it hears of the end before the ledger does.
		tx.addEventListener('complete', () => happened.push('complete'));
		return tx;
	};
});
afterEach(async () => {
	IDBDatabase.prototype.transaction = transaction;
	await dropLedgers();
});

test('every write asks for the disk and not for its cache, and a redemption is one transaction', async () => {
	const { ledger } = await openForTest(undefined, { verifyAtStart: false });
	const before = opened.length;
	await ledger.redeem(requestOf(1), once);
	expect(opened.slice(before).map(({ mode, durability }) => [mode, durability])).toEqual([['readwrite', 'strict']]);

	const redemptionId = 'redemption-1' as RedemptionId;
	await ledger.settle({ redemptionId, outcome: 'taken', taken: 1, back: true, counted: true }, 0);
	await ledger.record({ kind: 'alarm', lane: 'lane-1', alarm: 'tamper', on: true }, 0);
	ledger.deny({ reason: 'unreadable', lane: 'lane-1', atMs: 0 });
	await ledger.flush();
	await ledger.learn([{ kind: 'list', evt: 'lantern-2026', list: 'revoked', set: [1] }]);
	await ledger.replaceLearned({ lists: [], rights: [], ownThrough: 0, notes: {} });
	await ledger.release('redemption-2' as RedemptionId, 'lane-1', 0);
	await ledger.remember('a', 'b');
	await ledger.beginEpoch();
	await ledger.close();
	const writes = opened.filter(({ mode }) => mode === 'readwrite');
	expect(writes.length).toBeGreaterThanOrEqual(10);
	expect(new Set(writes.map(({ durability }) => durability))).toEqual(new Set(['strict']));
});

test('a grant is answered after the transaction is complete', async () => {
	const { ledger } = await openForTest(undefined, { verifyAtStart: false });
	happened = [];
	const redeemed = ledger.redeem(requestOf(1), once);
	await redeemed.then(({ kind }) => happened.push(kind));
	expect(happened).toEqual(['complete', 'granted']);
	await ledger.close();
});
