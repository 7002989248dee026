import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wholeTicket } from './allowance.ts';
import type { Decision } from './decide.ts';
import { genesisHash, rowHash } from './journal.ts';
import { cursorNote, type LearnedRight, type Ledger, type RedeemRequest } from './ledger.ts';
import type { RedemptionId, Settlement } from './redemption.ts';
import { ticketId } from './ticket.ts';

const evt = 'lantern-2026';
const startMs = Date.UTC(2026, 10, 22, 10);

function requestOf(idx: number, n: number): RedeemRequest {
	const redemptionId = `redemption-${n}` as RedemptionId;
	const place = { lane: 'lane-1', zone: 'main' };
	const about = { ticketId: ticketId(evt, idx), evt, idx, allowance: wholeTicket, cls: 'tour', use: 20 };
	return { redemptionId, ...about, ...place, atMs: startMs + n };
}

function right(idx: number, used: number, more: Partial<LearnedRight> = {}): LearnedRight {
	return { kind: 'right', evt, idx, allowance: wholeTicket, use: 20, used, held: 0, ...more };
}

/** What others count, and how the own rows lie over it: a part of the ledger's conformance suite. */
export function learnedSuite(name: string, makeLedger: () => Promise<Ledger>): void {
	let ledger: Ledger;
	beforeEach(async () => {
		ledger = await makeLedger();
	});
	afterEach(async () => {
		await ledger.close();
	});

	/** Grants `uses` of a group ticket and gives the number of the row. */
	async function grant(idx: number, n: number, uses = 1): Promise<number> {
		const decision: Decision = {
			...{ kind: 'grant', direction: 'entry', allowance: wholeTicket, uses, reentry: false, rung: 'local', left: 0 },
		};
		expect((await ledger.redeem(requestOf(idx, n), () => decision)).kind).toBe('granted');
		return ledger.newestSeq();
	}
	async function settle(n: number, end: Partial<Settlement> = {}): Promise<number> {
		const redemptionId = `redemption-${n}` as RedemptionId;
		const taken = { outcome: 'taken', taken: 1, back: true, counted: false } as const;
		await ledger.settle({ redemptionId, ...taken, ...end }, startMs + 100 + n);
		return ledger.newestSeq();
	}
	async function counts(idx: number): Promise<[used: number, held: number]> {
		const { used, held } = await ledger.history(requestOf(idx, 999));
		return [used, held];
	}
	const load = (rights: readonly LearnedRight[], ownThrough: number) =>
		ledger.replaceLearned({ lists: [], rights, ownThrough, notes: {} });

	describe(`${name}: what the authority counts`, () => {
		test('counts what others used and hold, and says where', async () => {
			const last = { lane: 'lane-9', atMs: startMs };
			await ledger.learn([right(1, 8, { held: 2, last })]);
			expect(await ledger.history(requestOf(1, 1))).toMatchObject({ used: 8, held: 2, last });
			await ledger.learn([right(1, 10)]);
			expect(await ledger.history(requestOf(1, 1))).toMatchObject({ used: 10, held: 0, last });
		});

		test('lays own rows over it until the feed has them', async () => {
			await ledger.learn([right(1, 8)]);
			const granted = await grant(1, 1, 3);
			expect(await counts(1)).toEqual([8, 3]);
			await ledger.learn([right(1, 8, { held: 3, ownSeq: granted })]);
			expect(await counts(1)).toEqual([8, 3]);
			const settled = await settle(1, { taken: 2 });
			expect(await counts(1)).toEqual([10, 0]);
			await ledger.learn([right(1, 10, { ownSeq: settled })]);
			expect(await counts(1)).toEqual([10, 0]);
		});

		test('counts own rows once when a snapshot includes some of them', async () => {
			const first = await grant(1, 1, 4);
			await settle(1, { taken: 4 });
			await grant(1, 2, 2);
			await load([right(1, 0, { held: 4 })], first);
			expect(await counts(1)).toEqual([4, 2]);
			await load([right(1, 4, { held: 2 })], await ledger.newestSeq());
			expect(await counts(1)).toEqual([4, 2]);
		});

		test('never forgets a use that was granted here, whatever an authority says', async () => {
			await grant(1, 1);
			await settle(1);
			await load([right(1, 0)], await ledger.newestSeq());
			expect(await counts(1)).toEqual([1, 0]);
		});

		test('a passage that comes late is not lost between two answers', async () => {
			await grant(1, 1);
			const back = await settle(1, { outcome: 'not_taken', taken: 0 });
			await ledger.learn([right(1, 0, { ownSeq: back })]);
			await settle(1, { late: true });
			expect(await counts(1)).toEqual([1, 0]);
			await ledger.learn([right(1, 0, { ownSeq: back - 1 })]);
			expect(await counts(1)).toEqual([1, 0]);
		});

		test('says the newer of list and count about a whole ticket', async () => {
			await ledger.learn([{ kind: 'list', evt, list: 'redeemed', set: [5] }]);
			expect(await ledger.history(requestOf(5, 1))).toMatchObject({ listedRedeemed: true });
			await ledger.learn([right(5, 0)]);
			expect(await ledger.history(requestOf(5, 1))).toMatchObject({ listedRedeemed: false, used: 0 });
		});

		test('is replaced whole by a snapshot, with its notes', async () => {
			await ledger.learn([right(1, 8), { kind: 'list', evt, list: 'revoked', set: [2] }], { cursor: '1.1.1' });
			const pages = new Map([[0, new Uint8Array(512).fill(8, 0, 1)]]);
			const state = { lists: [{ evt, list: 'revoked' as const, pages }], rights: [], ownThrough: 0 };
			await ledger.replaceLearned({ ...state, notes: { cursor: '2.0.0' } });
			expect(await ledger.history(requestOf(1, 1))).toMatchObject({ used: 0, revoked: false });
			expect(await ledger.history(requestOf(2, 1))).toMatchObject({ revoked: false });
			expect(await ledger.history(requestOf(3, 1))).toMatchObject({ revoked: true });
			expect(await ledger.recall('cursor')).toBe('2.0.0');
		});

		test('changes nothing where one change of several cannot be', async () => {
			const changes = [right(1, 8), { kind: 'list', evt, list: 'revoked', set: [-1] } as const];
			await expect(ledger.learn(changes, { cursor: '9.9.9' })).rejects.toThrow('out of range');
			expect(await counts(1)).toEqual([0, 0]);
			expect(await ledger.recall('cursor')).toBeUndefined();
		});
	});

	describe(`${name}: the journal on its way out`, () => {
		test('is read verbatim, with the hash that it continues from', async () => {
			expect(await ledger.stored(0, 10)).toEqual({ before: genesisHash, rows: [] });
			for (const n of [1, 2, 3]) await grant(n, n);
			const whole = await ledger.stored(0, 10);
			expect(whole.rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
			const [first, second] = whole.rows;
			expect(first?.text).toMatch(`{"seq":1,"epoch":"${ledger.epoch}","at":`);
			expect(first && rowHash(genesisHash, first.text)).toEqual(first?.hash);
			expect(first && second && rowHash(first.hash, second.text)).toEqual(second?.hash);
			const rest = await ledger.stored(1, 1);
			expect(rest.before).toEqual(first?.hash);
			expect(rest.rows).toEqual([second]);
		});

		test('says of each claim what became of it, once', async () => {
			await grant(1, 1);
			expect(await ledger.release('redemption-1' as RedemptionId, 'lane-1', startMs)).toBe('found');
			expect(await ledger.release('redemption-2' as RedemptionId, 'lane-1', startMs)).toBe('released');
			expect(await ledger.release('redemption-2' as RedemptionId, 'lane-1', startMs)).toBe('found');
			expect((await ledger.rows(0, 10)).map(({ kind }) => kind)).toEqual(['granted', 'released']);
		});

		test('begins a new epoch that knows every used ticket and no row', async () => {
			const before = ledger.epoch;
			await grant(1, 1, 2);
			await settle(1, { taken: 2 });
			await grant(2, 2);
			await ledger.learn([right(3, 7), { kind: 'list', evt, list: 'revoked', set: [4] }], {
				[cursorNote]: '1.1.1',
				rules: 'kept',
			});
			await load([right(3, 7)], await ledger.newestSeq());
			await ledger.learn([right(3, 7, { ownSeq: 99 })]);
			await ledger.beginEpoch();
			expect(ledger.epoch).not.toBe(before);
			expect(await ledger.newestSeq()).toBe(0);
			expect([await ledger.recall(cursorNote), await ledger.recall('rules')]).toEqual([undefined, 'kept']);
			expect(await counts(1)).toEqual([2, 0]);
			expect(await counts(2)).toEqual([1, 0]);
			expect(await counts(3)).toEqual([7, 0]);
			expect(await ledger.openGrants()).toEqual([]);
			await grant(3, 3);
			expect(await counts(3)).toEqual([7, 1]);
		});
	});
}
