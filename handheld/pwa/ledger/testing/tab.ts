import { type IDBPDatabase, openDB } from 'idb';
import type { LearnedRight } from '../../../../gate-agent/core/ledger.ts';
import type { RedemptionId } from '../../../../gate-agent/core/redemption.ts';
import { bitPlace, pageBytes, type SparsePages } from '../../../../gate-agent/core/sparse-pages.ts';
import { once, requestOf } from '../../../../gate-agent/core/testing/one-ticket-each.ts';
import { type HoldOptions, holdLedger, type LedgerHold } from '../hold.ts';
import { openIndexedDbLedger } from '../indexeddb-ledger.ts';
import type { IndexedDbLedger } from '../ledger-in-browser.ts';

/** Times in milliseconds. */
export interface Measured {
	readonly replaceMs: number;
	readonly decisionMs: readonly number[];
	/** What one durable write of one small record takes here: what no ledger can be faster than. */
	readonly bareMs: readonly number[];
}

/** What a test does in a tab, by name, from outside the browser. */
export interface Tab {
	/** Takes the ledger `handheld` for this tab and opens it. */
	open(how: HoldOptions['how']): Promise<'open' | 'in_use'>;
	/** Resolves once the hold of this tab has ended. */
	ended(): Promise<string | undefined>;
	/** Asks for a ticket once more, under a redemption id of its own. */
	ask(idx: number): Promise<string>;
	/** Redeems `count` tickets one after the other and tells of each once it is acknowledged. Every third stays open. */
	redeemAll(first: number, count: number): Promise<void>;
	/** What is there: the tickets granted and those still open. */
	granted(): Promise<{
		readonly granted: readonly number[];
		readonly open: readonly number[];
		readonly whole: boolean;
	}>;
	/** Loads a snapshot of an event, then redeems `asked` tickets in turn with one bare durable write each. */
	measure(asked: number): Promise<Measured>;
	/** Fills what space there is, and says how that ended. */
	fill(): Promise<string>;
	/** Refuses a scan and says whether its row could be written, and how many wait. */
	deny(): Promise<{ readonly flushed: string; readonly waiting: number }>;
	/** Uses of a ticket that are held or gone, and the ledger's state. */
	look(idx: number): Promise<{ readonly uses: number; readonly state: string; readonly epoch: string }>;
	close(): Promise<void>;
}

/** Given by the test: hears of each redemption that was acknowledged. */
declare function acknowledged(idx: number): Promise<void>;

const rowsMax = 10_000;

function makeTab(): Tab {
	let opened: { readonly ledger: IndexedDbLedger; readonly hold: LedgerHold } | undefined;
	const ledger = (): IndexedDbLedger => {
		if (opened === undefined) throw new Error('assertion failed: the tab has no ledger');
		return opened.ledger;
	};
	return {
		async open(how = 'if_free') {
			const answer = await holdLedger('handheld', { how });
			if (answer.kind === 'in_use') return 'in_use';
			const { hold } = answer;
			const newEpoch = () => crypto.randomUUID();
			const made = await openIndexedDbLedger({ hold, device: 'handheld-1', newEpoch, log: () => undefined });
			opened = { ledger: made.ledger, hold };
			return 'open';
		},
		ended: async () => opened?.hold.ended,
		ask: (idx) => ask(ledger(), idx),
		redeemAll: (first, count) => redeemAll(ledger(), first, count),
		granted: () => grantedOf(ledger()),
		measure: (asked) => measure(ledger(), asked),
		fill: () => fill(ledger()),
		async deny() {
			ledger().deny({ reason: 'unreadable', lane: 'lane-1', atMs: requestOf(0).atMs });
			const flushed = await outcomeOf(
				ledger()
					.flush()
					.then(() => 'written'),
			);
			return { flushed, waiting: ledger().health().denialsWaiting };
		},
		async look(idx) {
			const { used, held } = await ledger().history(requestOf(idx));
			return { uses: used + held, state: ledger().health().state, epoch: ledger().epoch };
		},
		close: () => ledger().close(),
	};
}

async function ask(ledger: IndexedDbLedger, idx: number): Promise<string> {
	const redemptionId = crypto.randomUUID() as string as RedemptionId;
	return outcomeOf(ledger.redeem({ ...requestOf(idx), redemptionId }, once).then(({ kind }) => kind));
}

/** What became of it: a word, or the code of the error. */
function outcomeOf(work: Promise<string>): Promise<string> {
	return work.catch((error: { code?: string }) => error.code ?? 'bug');
}

async function fill(ledger: IndexedDbLedger): Promise<string> {
	let [outcome, bytes] = ['written', 256 * 1024];
	for (let n = 0; bytes > 256; n++) {
		// Smaller and smaller, so that not even a row has space in the end.
		outcome = await outcomeOf(ledger.remember(`ballast-${n}`, 'x'.repeat(bytes)).then(() => 'written'));
		if (outcome !== 'written') bytes /= 4;
	}
	return outcome;
}

async function redeemAll(ledger: IndexedDbLedger, first: number, count: number): Promise<void> {
	for (let idx = first; idx < first + count; idx++) {
		const { redemptionId, atMs } = requestOf(idx);
		const { kind } = await ledger.redeem(requestOf(idx), once);
		if (kind !== 'granted') throw new Error(`ticket ${idx} was ${kind}`);
		await acknowledged(idx);
		const end = { outcome: 'taken', taken: 1, back: true, counted: true } as const;
		if (idx % 3 > 0) await ledger.settle({ redemptionId, ...end }, atMs);
	}
}

async function grantedOf(ledger: IndexedDbLedger): ReturnType<Tab['granted']> {
	const granted: number[] = [];
	const newest = await ledger.newestSeq();
	for (let after = 0; after < newest; after += rowsMax) {
		for (const row of await ledger.rows(after, rowsMax)) {
			if (row.kind === 'granted') granted.push(Number(row.ticket.split('/')[1]));
		}
	}
	const open = (await ledger.openGrants()).map(({ idx }) => idx);
	return { granted, open, whole: (await ledger.verified)?.ok === true };
}

/** An event of a million tickets: 200,000 redeemed, spread over all, and 20,000 more of which a count is known. */
async function measure(ledger: IndexedDbLedger, asked: number): ReturnType<Tab['measure']> {
	const { evt, allowance } = requestOf(0);
	const pages: SparsePages = new Map();
	for (let idx = 0; idx < 1_000_000; idx += 5) {
		const { page, byte, mask } = bitPlace(idx);
		const bits = pages.get(page) ?? new Uint8Array(pageBytes);
		bits[byte] = (bits[byte] ?? 0) | mask;
		pages.set(page, bits);
	}
	const rights = Array.from({ length: 20_000 }, (_, n): LearnedRight => {
		return { kind: 'right', evt, idx: n * 50 + 1, allowance, use: 20, used: 1, held: 0 };
	});
	const state = { lists: [{ evt, list: 'redeemed', pages } as const], rights, ownThrough: 0, notes: {} };
	const replaceMs = await timed(() => ledger.replaceLearned(state));
	const control = await openDB('control', 1, { upgrade: (db) => void db.createObjectStore('writes') });
	const [decisionMs, bareMs]: [number[], number[]] = [[], []];
	for (let n = 0; n < asked; n++) {
		decisionMs.push(await timed(() => ledger.redeem(requestOf(n * 997 + 500_000), once)));
		bareMs.push(await timed(() => writeOne(control, n)));
	}
	control.close();
	return { replaceMs, decisionMs, bareMs };
}

async function writeOne(db: IDBPDatabase, n: number): Promise<void> {
	const tx = db.transaction('writes', 'readwrite', { durability: 'strict' });
	await Promise.all([tx.store.put(n, n), tx.done]);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
	const from = performance.now();
	await work();
	return performance.now() - from;
}

Object.assign(window, { tab: makeTab() });
