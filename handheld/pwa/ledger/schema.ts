import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, type StoreNames } from 'idb';
import type { JournalHead, StoredRow } from '../../../gate-agent/core/journal.ts';
import type { LaneMemory, LearnedList } from '../../../gate-agent/core/ledger.ts';
import type { Counts, Exit, GrantRecord, LearnedCounts } from '../../../gate-agent/core/ledger-rules.ts';
import type { AccountKey } from '../../../gate-agent/core/memory-learned.ts';
import type { RedemptionId } from '../../../gate-agent/core/redemption.ts';
import type { TicketId } from '../../../gate-agent/core/ticket.ts';

/** The end of the journal as it is stored; every transaction reads it and a longer journal writes it. */
export interface HeadRecord extends JournalHead {
	readonly name: 'head';
	readonly device: string;
	/** Own rows that the last snapshot included. */
	readonly ownThrough: number;
	/** The hold of the tab that wrote last: a write under an older one is refused. */
	readonly holder: string;
}

/** What this device admitted on one allowance, and the exits whose re-entry is not taken yet, oldest first. */
export interface AccountRecord extends AccountKey {
	readonly counts: Counts;
	readonly exits: readonly Exit[];
}

/** A grant; `openTicket` is there as long as it is open, so that the index of open grants has only those. */
export interface GrantEntry {
	readonly record: GrantRecord;
	readonly openTicket?: TicketId;
}

/** One page of a list that was learned. */
export interface PageRecord {
	readonly list: LearnedList['list'];
	readonly evt: string;
	readonly page: number;
	readonly bits: Uint8Array;
}

/** Tickets of a block: a snapshot with rights all over a million tickets is a thousand writes, and a scan reads one block. */
export const blockTickets = 1024;

/** What the authority counts on the allowances of a block of tickets, by `idx allowance`. */
export interface LearnedRecord {
	readonly evt: string;
	readonly block: number;
	readonly rights: ReadonlyMap<string, LearnedCounts>;
}

/** The ledger's object stores. Keys lie in the records, so that a record can be put and carried over as it is. */
export interface LedgerSchema extends DBSchema {
	meta: { key: string; value: HeadRecord };
	journal: { key: number; value: StoredRow };
	accounts: { key: [string, number, string]; value: AccountRecord };
	grants: { key: RedemptionId; value: GrantEntry; indexes: { ticket: TicketId; open: TicketId } };
	released: { key: RedemptionId; value: { readonly redemption: RedemptionId } };
	pages: { key: [string, string, number]; value: PageRecord };
	learned: { key: [string, number]; value: LearnedRecord };
	/** Grants on the rung local in the newest clock hour that has some. */
	tallies: {
		key: [string, string];
		value: { readonly lane: string; readonly cls: string; readonly hour: number; readonly grants: number };
	};
	lanes: { key: string; value: LaneMemory };
	notes: { key: string; value: { readonly name: string; readonly value: string } };
}

/** An open database of one ledger. */
export type Database = IDBPDatabase<LedgerSchema>;

/** Every object store: each transaction spans all of them, so that they run one after the other. */
export const storeNames: StoreNames<LedgerSchema>[] = [
	...(['meta', 'journal', 'accounts', 'grants', 'released', 'pages'] as const),
	...(['learned', 'tallies', 'lanes', 'notes'] as const),
];

/** A transaction over all stores. */
export type LedgerTransaction<Mode extends IDBTransactionMode> = IDBPTransaction<
	LedgerSchema,
	StoreNames<LedgerSchema>[],
	Mode
>;

/**
 * The schema, step by step. Steps are only ever added: a handheld that was off for a year runs those it has missed, in
 * one transaction of the browser, and an older program is refused a database that has more of them than it knows.
 */
const migrations: readonly ((db: Database) => void)[] = [
	(db) => {
		db.createObjectStore('meta', { keyPath: 'name' });
		db.createObjectStore('journal', { keyPath: 'seq' });
		db.createObjectStore('accounts', { keyPath: ['evt', 'idx', 'allowance'] });
		const grants = db.createObjectStore('grants', { keyPath: 'record.grant.redemptionId' });
		grants.createIndex('ticket', 'record.grant.ticketId');
		grants.createIndex('open', 'openTicket');
		db.createObjectStore('released', { keyPath: 'redemption' });
		db.createObjectStore('pages', { keyPath: ['list', 'evt', 'page'] });
		db.createObjectStore('learned', { keyPath: ['evt', 'block'] });
		db.createObjectStore('tallies', { keyPath: ['lane', 'cls'] });
		db.createObjectStore('lanes', { keyPath: 'lane' });
		db.createObjectStore('notes', { keyPath: 'name' });
	},
];

/** The schema that this program writes. */
export const schemaVersion = migrations.length;

/** What is told of an open database. */
export interface DatabaseEvents {
	/** Another connection still has an older schema open and was asked to close. */
	readonly onBlocked: () => void;
	/** The browser took the connection away, or somebody wants to change the schema: it is closed. */
	readonly onLost: () => void;
}

/** Opens a database, makes it or brings it to the newest schema. Rejects with a `DOMException`. */
export async function openDatabase(name: string, { onBlocked, onLost }: DatabaseEvents): Promise<Database> {
	const db: Database = await openDB<LedgerSchema>(name, schemaVersion, {
		upgrade(opened, from) {
			for (const step of migrations.slice(from)) step(opened);
		},
		blocked: onBlocked,
		blocking() {
			db.close();
			onLost();
		},
		terminated: onLost,
	});
	return db;
}
