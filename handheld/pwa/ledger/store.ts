import type { StoreNames } from 'idb';
import { wholeTicket } from '../../../gate-agent/core/allowance.ts';
import type { History } from '../../../gate-agent/core/decide.ts';
import { genesisHash, type StoredRow } from '../../../gate-agent/core/journal.ts';
import type { LaneMemory, LearnedList, LearnedRight, Notes, RedeemRequest } from '../../../gate-agent/core/ledger.ts';
import {
	type GrantRecord,
	hourOf,
	joinCounts,
	type LearnedCounts,
	learnRight,
	noCounts,
} from '../../../gate-agent/core/ledger-rules.ts';
import type { AccountKey } from '../../../gate-agent/core/memory-learned.ts';
import type { Grant, RedemptionId } from '../../../gate-agent/core/redemption.ts';
import {
	bitPlace,
	changedPage,
	isBitSet,
	type PageChanges,
	pageChanges,
	type SparsePages,
} from '../../../gate-agent/core/sparse-pages.ts';
import type { TicketId } from '../../../gate-agent/core/ticket.ts';
import {
	type AccountRecord,
	blockTickets,
	type HeadRecord,
	type LearnedRecord,
	type LedgerSchema,
	type LedgerTransaction,
	type PageRecord,
	storeNames,
} from './schema.ts';

/** The records of a ledger inside one transaction, to read: by key or by an index of few. */
export type Reader = ReturnType<typeof createReader>;

/** The records of a ledger inside one transaction. */
export type Store = ReturnType<typeof createStore>;

/** Records of several stores. */
export type Records = { readonly [Name in StoreNames<LedgerSchema>]?: readonly LedgerSchema[Name]['value'][] };

/** Reads within a transaction; nothing else may be waited for, or the browser commits it. */
export function createReader<Mode extends IDBTransactionMode>(tx: LedgerTransaction<Mode>) {
	const parts = { ...accountReader(tx), ...grantReader(tx), ...journalReader(tx) };
	return { ...parts, ...historyReader(tx, parts) };
}

/**
 * Reads and writes within a transaction. A write is not waited for: when it fails the transaction fails, and its end
 * tells.
 */
export function createStore(tx: LedgerTransaction<'readwrite'>) {
	const reader = createReader(tx);
	return { ...reader, ...ownWriter(tx), ...learnedWriter(tx, reader) };
}

function accountReader<Mode extends IDBTransactionMode>(tx: LedgerTransaction<Mode>) {
	const pages = tx.objectStore('pages');
	const block = async (evt: string, number: number): Promise<LearnedRecord['rights']> =>
		(await tx.objectStore('learned').get([evt, number]))?.rights ?? new Map();
	const page = (list: LearnedList['list'], evt: string, number: number): Promise<PageRecord | undefined> =>
		pages.get([list, evt, number]);
	return {
		async account({ evt, idx, allowance }: AccountKey): Promise<AccountRecord> {
			const found = await tx.objectStore('accounts').get([evt, idx, allowance]);
			return found ?? { evt, idx, allowance, counts: noCounts, exits: [] };
		},
		block,
		learned: async (key: AccountKey): Promise<LearnedCounts | undefined> =>
			(await block(key.evt, blockOf(key.idx))).get(rightKey(key)),
		page,
		isListed: async (list: LearnedList['list'], evt: string, idx: number): Promise<boolean> =>
			isBitSet((await page(list, evt, bitPlace(idx).page))?.bits, idx),
	};
}

function grantReader<Mode extends IDBTransactionMode>(tx: LedgerTransaction<Mode>) {
	const grants = tx.objectStore('grants');
	return {
		grant: async (id: RedemptionId): Promise<GrantRecord | undefined> => (await grants.get(id))?.record,
		grantsOf: async (ticket: TicketId): Promise<readonly GrantRecord[]> =>
			(await grants.index('ticket').getAll(ticket)).map(({ record }) => record),
		/** Open grants, oldest first: of one ticket or of all. */
		openGrants: async (ticket?: TicketId): Promise<readonly Grant[]> => {
			const open = (await grants.index('open').getAll(ticket)).map(({ record }) => record);
			return open.sort((a, b) => a.seq - b.seq).map(({ grant }) => grant);
		},
		isReleased: async (id: RedemptionId): Promise<boolean> => (await tx.objectStore('released').get(id)) !== undefined,
	};
}

function journalReader<Mode extends IDBTransactionMode>(tx: LedgerTransaction<Mode>) {
	const journal = tx.objectStore('journal');
	return {
		head: (): Promise<HeadRecord | undefined> => tx.objectStore('meta').get('head'),
		journalAfter: (seq: number, limit: number): Promise<readonly StoredRow[]> =>
			journal.getAll(IDBKeyRange.lowerBound(seq, true), limit),
		/** The chain hash of a row; before the first one that of nothing. */
		hashAt: async (seq: number): Promise<Uint8Array> => (await journal.get(seq))?.hash ?? genesisHash,
		lanes: (): Promise<readonly LaneMemory[]> => tx.objectStore('lanes').getAll(),
		note: async (name: string): Promise<string | undefined> => (await tx.objectStore('notes').get(name))?.value,
	};
}

type HistoryParts = ReturnType<typeof accountReader> & ReturnType<typeof grantReader>;

function historyReader<Mode extends IDBTransactionMode>(tx: LedgerTransaction<Mode>, parts: HistoryParts) {
	const tallies = tx.objectStore('tallies');
	return {
		/** What is known of a ticket's allowance at `atMs`, and the own part of it. All is asked for at once. */
		async history(request: RedeemRequest, { ownThrough, atMs }: { ownThrough: number; atMs: number }) {
			const { evt, idx, ticketId, allowance, lane, cls } = request;
			const [account, learned, open, tally, revoked, listedRedeemed] = await Promise.all([
				parts.account(request),
				parts.learned(request),
				parts.openGrants(ticketId),
				tallies.get([lane, cls]),
				parts.isListed('revoked', evt, idx),
				parts.isListed('redeemed', evt, idx),
			]);
			const exitedAtMs = account.exits.at(-1)?.atMs;
			const records = learned === undefined ? [] : await parts.grantsOf(ticketId);
			const mine = records.filter(({ grant }) => grant.allowance === allowance);
			const history: History = {
				revoked,
				listedRedeemed,
				...joinCounts(account.counts, learned, { records: mine, ownThrough }),
				open,
				...(exitedAtMs === undefined ? {} : { exitedAtMs }),
				unverifiedInHour: tally?.hour === hourOf(atMs) ? tally.grants : 0,
			};
			return { history, account };
		},
	};
}

function ownWriter(tx: LedgerTransaction<'readwrite'>) {
	return {
		putHead: (head: HeadRecord): void => put(tx.objectStore('meta').put(head)),
		/** A row is added, never put: one that is there already is a fault, not overwritten. */
		appendRow: (row: StoredRow): void => put(tx.objectStore('journal').add(row)),
		putAccount: (account: AccountRecord): void => put(tx.objectStore('accounts').put(account)),
		putGrant: (record: GrantRecord): void =>
			put(tx.objectStore('grants').put({ record, ...(record.open ? { openTicket: record.grant.ticketId } : {}) })),
		addReleased: (redemption: RedemptionId): void => put(tx.objectStore('released').put({ redemption })),
		/** Counts one more grant on the rung local than the `before` of its hour. */
		countUnverified: ({ lane, cls, atMs }: Grant, before: number): void =>
			put(tx.objectStore('tallies').put({ lane, cls, hour: hourOf(atMs), grants: before + 1 })),
		/** Puts records as they are, store by store. */
		carryOver(records: Records): void {
			for (const name of storeNames) for (const record of records[name] ?? []) put(tx.objectStore(name).put(record));
		},
		putLane: ({ lane, mode, emergency }: LaneMemory): void =>
			put(tx.objectStore('lanes').put({ lane, mode, emergency })),
		putNotes(notes: Notes): void {
			for (const [name, value] of Object.entries(notes)) put(tx.objectStore('notes').put({ name, value }));
		},
	};
}

function learnedWriter(tx: LedgerTransaction<'readwrite'>, { page, block, isListed }: Reader) {
	const pages = tx.objectStore('pages');
	const blocks = tx.objectStore('learned');
	const changePages = async (list: LearnedList['list'], evt: string, changes: PageChanges): Promise<void> => {
		for (const [number, change] of changes) {
			const bits = changedPage((await page(list, evt, number))?.bits, change);
			put(bits === undefined ? pages.delete([list, evt, number]) : pages.put({ list, evt, page: number, bits }));
		}
	};
	return {
		changePages,
		async learnRight(change: LearnedRight): Promise<void> {
			const { evt, idx, allowance } = change;
			const [number, key] = [blockOf(idx), rightKey(change)];
			const before = await block(evt, number);
			const rights = new Map(before).set(key, learnRight(before.get(key), change));
			put(blocks.put({ evt, block: number, rights }));
			if (allowance === wholeTicket && (await isListed('redeemed', evt, idx))) {
				await changePages('redeemed', evt, pageChanges([], [idx]));
			}
		},
		forgetLearned(): void {
			put(blocks.clear());
			put(pages.clear());
		},
		addPages(list: LearnedList['list'], evt: string, added: SparsePages): void {
			for (const [number, bits] of added) put(pages.put({ list, evt, page: number, bits }));
		},
		/** Puts rights where there are none: nothing is read before. */
		addRights(added: Iterable<LearnedRight>): void {
			for (const record of blocksOf(added)) put(blocks.put(record));
		},
	};
}

function blocksOf(rights: Iterable<LearnedRight>): readonly LearnedRecord[] {
	const blocks = new Map<string, LearnedRecord & { readonly rights: Map<string, LearnedCounts> }>();
	for (const right of rights) {
		const { evt, idx } = right;
		const key = `${blockOf(idx)} ${evt}`;
		const block = blocks.get(key) ?? { evt, block: blockOf(idx), rights: new Map() };
		block.rights.set(rightKey(right), learnRight(undefined, right));
		blocks.set(key, block);
	}
	return [...blocks.values()];
}

function blockOf(idx: number): number {
	return Math.floor(idx / blockTickets);
}

function rightKey({ idx, allowance }: AccountKey): string {
	return `${idx} ${allowance}`;
}

/** The transaction's end tells of a write that failed; its own promise has nothing to add. */
function put(written: Promise<unknown>): void {
	written.catch(() => undefined);
}
