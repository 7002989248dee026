import { deleteDB, type StoreNames } from 'idb';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { emptyJournal, genesisHash, verifyChain } from '../../../gate-agent/core/journal.ts';
import { cursorNote } from '../../../gate-agent/core/ledger.ts';
import { commit } from './commit.ts';
import { faultOf } from './faults.ts';
import {
	type Database,
	type DatabaseEvents,
	type HeadRecord,
	type LearnedRecord,
	type LedgerSchema,
	openDatabase,
	storeNames,
} from './schema.ts';
import { createReader, type Records } from './store.ts';

/** Why a database is set aside: damaged, or behind what the server has of it. */
export type SetAsideReason = 'corrupt' | 'behind';

/** An open generation of a ledger. */
export interface Generation {
	readonly db: Database;
	/** The head when it was opened. */
	readonly head: HeadRecord;
	/** The database that this one took the place of just now. */
	readonly setAside?: { readonly name: string; readonly why: SetAsideReason; readonly carried: number };
}

/** What opening a generation needs. */
export interface GenerationOptions {
	readonly name: string;
	readonly device: string;
	readonly newEpoch: () => string;
	/** The hold under which it is opened. */
	readonly holder: string;
	readonly events: DatabaseEvents;
}

/** Rows at the end of the journal whose chain is followed at each start; the rest is followed in the background. */
const tailRows = 100;

/** Databases that stay after they were set aside, to be examined; the space of a phone is small. */
const setAsideMax = 2;

/**
 * Opens the newest generation of a ledger, or makes the first one. IndexedDB cannot rename a database, so each one that
 * is set aside keeps its name and the next gets a number: `handheld`, `handheld~2`, … A generation counts from its
 * head record on, which is written together with all that it takes over: one without it was cut off and is made anew.
 * Rejects with `ledger_newer`, `ledger_full`, `ledger_io`.
 */
export async function openGeneration(
	options: GenerationOptions,
	state: 'trusted' | SetAsideReason,
): Promise<Generation> {
	try {
		const numbers = await generationsOf(options.name);
		const newest = numbers.at(-1) ?? 1;
		if (state !== 'trusted') return await replace(options, newest, state);
		const opened = await openWhole(options, newest);
		return opened ?? (await replace(options, newest, 'corrupt'));
	} catch (error) {
		throw faultOf(error, options.name) ?? error;
	}
}

/** The numbers of the generations that the browser has, oldest first. */
async function generationsOf(name: string): Promise<readonly number[]> {
	const numbers = (await indexedDB.databases()).flatMap((found) => {
		const [base, number = '1', ...rest] = (found.name ?? '').split('~');
		return base === name && rest.length === 0 && /^[1-9]\d{0,8}$/.test(number) ? [Number(number)] : [];
	});
	return numbers.sort((a, b) => a - b);
}

function nameOf(name: string, generation: number): string {
	return generation === 1 ? name : `${name}~${generation}`;
}

/** Opens a generation; undefined where it is damaged. */
async function openWhole(options: GenerationOptions, generation: number): Promise<Generation | undefined> {
	const { name, events } = options;
	let db: Database | undefined;
	try {
		db = await openDatabase(nameOf(name, generation), events);
		const head = await headOf(db);
		if (head !== undefined) return { db, head: await claim(db, head, options) };
		if (generation === 1) return { db, head: await begin(db, options, nothing) };
		db.close();
		return undefined;
	} catch (error) {
		db?.close();
		if (faultOf(error, name)?.code === 'ledger_corrupt') return undefined;
		throw error;
	}
}

/** The head of a journal whose end holds together. Throws `ledger_corrupt` where it does not. */
async function headOf(db: Database): Promise<HeadRecord | undefined> {
	const tx = db.transaction(storeNames, 'readonly');
	const reader = createReader(tx);
	const head = await reader.head();
	const from = Math.max(0, (head?.seq ?? 0) - tailRows);
	const [hash, rows] = await Promise.all([reader.hashAt(from), reader.journalAfter(from, tailRows + 1)]);
	if (head === undefined && rows.length === 0) return undefined;
	const check = verifyChain(rows, { epoch: head?.epoch ?? '', seq: from, hash });
	const whole = check.kind === 'whole' && head !== undefined && sameEnd(head, from + check.rows, check.hash);
	if (!whole) throw new StilewardError('ledger_corrupt', `the journal's chain breaks in its last ${tailRows} rows`);
	return head;
}

function sameEnd(head: HeadRecord, seq: number, hash: Uint8Array): boolean {
	const expected = seq === 0 ? genesisHash : hash;
	return head.seq === seq && head.hash.every((byte, i) => byte === expected[i]);
}

/** Makes this tab the one that writes. Without space that waits for the first write: a handheld starts on a full phone. */
async function claim(db: Database, head: HeadRecord, { device, holder }: GenerationOptions): Promise<HeadRecord> {
	const claimed = { ...head, device, holder };
	const tx = db.transaction('meta', 'readwrite', { durability: 'strict' });
	try {
		await Promise.all([tx.store.put(claimed), tx.done]);
		return claimed;
	} catch (error) {
		if (faultOf(tx.error ?? error, db.name)?.code !== 'ledger_full') throw error;
		return head;
	}
}

/** What a new generation takes over from the one before. */
interface Carried {
	readonly records: Records;
	readonly head: Partial<Pick<HeadRecord, 'atMs' | 'clockEpoch'>>;
}

const nothing: Carried = { records: {}, head: {} };

async function replace(options: GenerationOptions, from: number, why: SetAsideReason): Promise<Generation> {
	const { name, events } = options;
	const aside = nameOf(name, from);
	const carried = await carriedOf(aside);
	if (carried === 'unfinished' && from > 1) {
		await deleteDB(aside);
		return replace(options, from - 1, why);
	}
	const db = await openDatabase(nameOf(name, from + 1), events);
	try {
		const head = await begin(db, options, carried === 'unfinished' ? nothing : carried);
		for (const old of await generationsOf(name)) {
			if (old <= from - setAsideMax) await deleteDB(nameOf(name, old));
		}
		return { db, head, setAside: { name: aside, why, carried: countOf(carried) } };
	} catch (error) {
		db.close();
		throw error;
	}
}

function countOf(carried: Carried | 'unfinished'): number {
	if (carried === 'unfinished') return 0;
	return Object.values(carried.records).reduce((sum, records) => sum + records.length, 0);
}

/** Begins a journal together with all that is known already, in one transaction. */
async function begin(db: Database, options: GenerationOptions, { records, head: known }: Carried): Promise<HeadRecord> {
	const { device, newEpoch, holder } = options;
	const head: HeadRecord = { ...emptyJournal(newEpoch()), ...known, name: 'head', device, holder, ownThrough: 0 };
	await commit(db, async (store) => {
		store.carryOver(records);
		store.putHead(head);
	});
	return head;
}

/**
 * What can still be read of a database, so that damage does not admit every used ticket again; damage ends one store's
 * copy and not the others'. The journal stays behind: it belongs to the old epoch. Uses that were held count as taken:
 * after a crash an open grant is assumed to have been used. Exits permit nothing any more; those visitors go to staff.
 */
async function carriedOf(name: string): Promise<Carried | 'unfinished'> {
	let db: Database;
	try {
		db = await openDatabase(name, { onBlocked: () => undefined, onLost: () => undefined });
	} catch {
		// Not a database that opens: there is nothing to take over.
		return nothing;
	}
	const [heads, accounts, pages, learned, lanes, notes] = await Promise.all([
		readable(db, 'meta'),
		readable(db, 'accounts'),
		readable(db, 'pages'),
		readable(db, 'learned'),
		readable(db, 'lanes'),
		readable(db, 'notes'),
	]);
	const rows = await readable(db, 'journal', 1);
	db.close();
	if ([heads, accounts, pages, learned, lanes, notes, rows].every(({ length }) => length === 0)) return 'unfinished';
	const [head] = heads;
	return {
		records: {
			accounts: accounts.map((account) => {
				const { used, held } = account.counts;
				return { ...account, counts: { ...account.counts, used: used + held, held: 0 }, exits: [] };
			}),
			pages,
			learned: learned.map((block) => ({ ...block, rights: withoutOwn(block.rights) })),
			lanes,
			notes: notes.filter((note) => note.name !== cursorNote),
		},
		head: head === undefined ? {} : { atMs: head.atMs, clockEpoch: head.clockEpoch },
	};
}

/** A new journal begins: no row of it is included anywhere. */
function withoutOwn(rights: LearnedRecord['rights']): LearnedRecord['rights'] {
	return new Map([...rights].map(([key, counts]) => [key, { ...counts, ownSeq: 0 }]));
}

async function readable<Name extends StoreNames<LedgerSchema>>(
	...[db, name, limit]: [Database, Name, limit?: number]
): Promise<readonly LedgerSchema[Name]['value'][]> {
	try {
		return await db.getAll(name, null, limit);
	} catch {
		return [];
	}
}
