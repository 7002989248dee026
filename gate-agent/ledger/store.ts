import { wholeTicket } from '../core/allowance.ts';
import type { History } from '../core/decide.ts';
import { assert } from '../core/errors.ts';
import type { JournalHead, StoredRow } from '../core/journal.ts';
import { emptyJournal, parseRow } from '../core/journal.ts';
import type { LaneMemory, LearnedList, LearnedRight, Notes, RedeemRequest } from '../core/ledger.ts';
import {
	type Counts,
	type Exit,
	type GrantRecord,
	hourOf,
	joinCounts,
	type LearnedCounts,
	learnRight,
	noCounts,
} from '../core/ledger-rules.ts';
import type { Allowance, Grant, RedemptionId } from '../core/redemption.ts';
import {
	bitPlace,
	changedPage,
	isBitSet,
	type PageChanges,
	pageChanges,
	type SparsePages,
} from '../core/sparse-pages.ts';
import { ticketId } from '../core/ticket.ts';
import type { Connection } from './connection.ts';

/** Whose uses are counted together. */
export interface AccountKey {
	readonly evt: string;
	readonly idx: number;
	readonly allowance: Allowance;
}

interface UsesRow {
	used: number;
	held: number;
	given_back: number;
	last_lane: string | null;
	last_at: number | null;
}

interface GrantRow {
	redemption: RedemptionId;
	seq: number;
	evt: string;
	idx: number;
	allowance: Allowance;
	cls: string;
	uses: number;
	reentry: number;
	rung: Grant['rung'];
	lane: string;
	at: number;
	exit_seq: number | null;
	exit_at: number | null;
	is_open: number;
	returned: number;
	last_seq: number;
}

interface LearnedRow {
	used: number;
	held: number;
	own_seq: number;
	last_lane: string | null;
	last_at: number | null;
}

/** The ledger's tables as records. Each method is one or two prepared statements; transactions are the caller's. */
export type Store = ReturnType<typeof createStore>;

/** Prepares every statement once. Throws `SqliteError` where the schema is not as it must be. */
export function createStore(db: Connection) {
	const [accounts, grants, pages] = [accountStore(db), grantStore(db), pageStore(db)];
	const learned = learnedStore(db, pages);
	return {
		...historyStore(db, { ...accounts, ...grants, ...learned }),
		...journalStore(db),
		...accounts,
		...grants,
		...pages,
		...learned,
		...laneStore(db),
	};
}

/** What is asked at every scan beside the counts. */
interface MarksRow {
	revoked: Buffer | null;
	redeemed: Buffer | null;
	unverified: number | null;
	/** Whether there is an exit, and an open grant. */
	exited: number;
	open: number;
	/** Whether the authority has said something of this allowance. */
	learned: number;
}

/**
 * One statement, because each has its own cost and a lane waits for it. Without FROM, ORDER BY and LIMIT, which cost
 * more than all that is looked up here; what is rarely there is only asked for by EXISTS.
 */
const marksSql = `
	SELECT
		(SELECT bits FROM pages WHERE list = 'revoked' AND evt = @evt AND page = @page) AS revoked,
		(SELECT bits FROM pages WHERE list = 'redeemed' AND evt = @evt AND page = @page) AS redeemed,
		(SELECT grants FROM tallies WHERE lane = @lane AND cls = @cls AND hour = @hour) AS unverified,
		EXISTS (SELECT 1 FROM exits WHERE evt = @evt AND idx = @idx AND allowance = @allowance) AS exited,
		EXISTS (SELECT 1 FROM grants WHERE evt = @evt AND idx = @idx AND is_open = 1) AS open,
		EXISTS (SELECT 1 FROM learned WHERE evt = @evt AND idx = @idx AND allowance = @allowance) AS learned`;

type HistoryParts = ReturnType<typeof accountStore> & ReturnType<typeof grantStore> & ReturnType<typeof learnedStore>;

function historyStore(db: Connection, parts: HistoryParts) {
	const { counts, lastExit, openGrantsOfTicket, learned, ownThrough, grantsSince } = parts;
	const readMarks = db.prepare<[Readonly<Record<string, string | number>>], MarksRow>(marksSql);
	const joined = (request: RedeemRequest, own: Counts): Counts => {
		const records = grantsSince(request, 0).filter(({ grant }) => grant.allowance === request.allowance);
		return joinCounts(own, learned(request), { records, ownThrough: ownThrough() });
	};
	return {
		/**
		 * What is known of a ticket's allowance, and the own part of the counts; a limit of the lane is counted by the hour
		 * of `atMs`.
		 */
		history(request: RedeemRequest, atMs: number): { readonly history: History; readonly own: Counts } {
			const { evt, idx, allowance, lane, cls } = request;
			const marks = readMarks.get({ evt, idx, allowance, lane, cls, page: bitPlace(idx).page, hour: hourOf(atMs) });
			assert(marks !== undefined, 'a statement without FROM has one row');
			const exitedAtMs = marks.exited === 1 ? lastExit(request)?.atMs : undefined;
			const own = counts(request);
			const history = {
				revoked: isBitSet(marks.revoked ?? undefined, idx),
				listedRedeemed: isBitSet(marks.redeemed ?? undefined, idx),
				...(marks.learned === 1 ? joined(request, own) : own),
				open: marks.open === 1 ? openGrantsOfTicket(evt, idx) : [],
				...(exitedAtMs === undefined ? {} : { exitedAtMs }),
				unverifiedInHour: marks.unverified ?? 0,
			};
			return { history, own };
		},
	};
}

function journalStore(db: Connection) {
	const insert = db.prepare('INSERT INTO journal (seq, epoch, row, hash) VALUES (?, ?, ?, ?)');
	const newest = db.prepare<[], { seq: number; row: string; hash: Buffer }>(
		'SELECT seq, row, hash FROM journal ORDER BY seq DESC LIMIT 1',
	);
	const after = db.prepare<[number, number], { seq: number; text: string; hash: Buffer }>(
		'SELECT seq, row AS text, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?',
	);
	const changes = db.prepare<[], number>('SELECT total_changes()').pluck();
	const meta = db.prepare<[string], string>('SELECT value FROM meta WHERE name = ?').pluck();
	const clockEpoch = db.prepare<[], string>("SELECT value FROM notes WHERE name = 'clock_epoch'").pluck();
	const setMeta = db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value');
	return {
		/** Rows that this connection has written since it was opened. */
		changes: (): number => changes.get() ?? 0,
		meta: (name: string): string | undefined => meta.get(name),
		setMeta: (name: string, value: string): void => void setMeta.run(name, value),
		appendRow: (epoch: string, { seq, text, hash }: StoredRow): void => void insert.run(seq, epoch, text, hash),
		journalAfter: (seq: number, limit: number): readonly StoredRow[] => after.all(seq, limit),
		journalHead(epoch: string): JournalHead {
			const row = newest.get();
			// A note, because notes come over from a ledger that was set aside: an epoch must not begin twice.
			const known = { clockEpoch: Number(clockEpoch.get() ?? 1) };
			if (row === undefined) return { ...emptyJournal(epoch), ...known };
			return { epoch, seq: row.seq, hash: new Uint8Array(row.hash), atMs: parseRow(row.row).at, ...known };
		},
	};
}

function accountStore(db: Connection) {
	const key = 'evt = ? AND idx = ? AND allowance = ?';
	const get = db.prepare<[string, number, string], UsesRow>(
		`SELECT used, held, given_back, last_lane, last_at FROM uses WHERE ${key}`,
	);
	const put = db.prepare(
		`INSERT INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used,
		held = excluded.held, given_back = excluded.given_back, last_lane = excluded.last_lane, last_at = excluded.last_at`,
	);
	const lastExit = db.prepare<[string, number, string], Exit>(
		`SELECT seq, at AS atMs FROM exits WHERE ${key} ORDER BY seq DESC LIMIT 1`,
	);
	const exitsSince = db
		.prepare<[string, number, string, number], number>(`SELECT count(*) FROM exits WHERE ${key} AND at >= ?`)
		.pluck();
	const addExit = db.prepare('INSERT INTO exits VALUES (?, ?, ?, ?, ?)');
	const dropExit = db.prepare(`DELETE FROM exits WHERE ${key} AND seq = ?`);
	return {
		counts({ evt, idx, allowance }: AccountKey): Counts {
			const row = get.get(evt, idx, allowance);
			if (row === undefined) return noCounts;
			const { used, held, given_back: givenBack, last_lane: lane, last_at: atMs } = row;
			return { used, held, givenBack, ...(lane === null || atMs === null ? {} : { last: { lane, atMs } }) };
		},
		putCounts({ evt, idx, allowance }: AccountKey, { used, held, givenBack, last }: Counts): void {
			put.run(evt, idx, allowance, used, held, givenBack, last?.lane ?? null, last?.atMs ?? null);
		},
		lastExit: ({ evt, idx, allowance }: AccountKey): Exit | undefined => lastExit.get(evt, idx, allowance),
		exitsSince: ({ evt, idx, allowance }: AccountKey, atMs: number): number =>
			exitsSince.get(evt, idx, allowance, atMs) ?? 0,
		addExit: ({ evt, idx, allowance }: AccountKey, { seq, atMs }: Exit): void =>
			void addExit.run(evt, idx, allowance, seq, atMs),
		dropExit: ({ evt, idx, allowance }: AccountKey, { seq }: Exit): void => void dropExit.run(evt, idx, allowance, seq),
	};
}

function grantStore(db: Connection) {
	const get = db.prepare<[string], GrantRow>('SELECT * FROM grants WHERE redemption = ?');
	const since = db.prepare<[string, number, number], GrantRow>(
		'SELECT * FROM grants WHERE evt = ? AND idx = ? AND at >= ?',
	);
	const openOfTicket = db.prepare<[string, number], GrantRow>(
		// Named, because a season's grants of one ticket may be many and the open ones among them are few.
		'SELECT * FROM grants INDEXED BY grants_open WHERE evt = ? AND idx = ? AND is_open = 1 ORDER BY seq',
	);
	const open = db.prepare<[], GrantRow>('SELECT * FROM grants WHERE is_open = 1 ORDER BY seq');
	const put = db.prepare('INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
	const settle = db.prepare(
		'UPDATE grants SET is_open = ?, returned = ?, last_seq = ? WHERE evt = ? AND idx = ? AND seq = ?',
	);
	return {
		grant(id: RedemptionId): GrantRecord | undefined {
			const row = get.get(id);
			return row === undefined ? undefined : recordOf(row);
		},
		grantsSince: ({ evt, idx }: AccountKey, atMs: number): readonly GrantRecord[] =>
			since.all(evt, idx, atMs).map(recordOf),
		openGrantsOfTicket: (evt: string, idx: number): readonly Grant[] =>
			openOfTicket.all(evt, idx).map((row) => recordOf(row).grant),
		openGrants: (): readonly Grant[] => open.all().map((row) => recordOf(row).grant),
		addGrant({ seq, lastSeq, grant: g, exit, open: isOpen, returned }: GrantRecord): void {
			const { evt, idx, allowance, cls, uses, rung, lane, atMs } = g;
			const what = [evt, idx, allowance, cls, uses, g.reentry ? 1 : 0, rung, lane, atMs];
			put.run(g.redemptionId, seq, ...what, exit?.seq ?? null, exit?.atMs ?? null, isOpen ? 1 : 0, returned, lastSeq);
		},
		updateGrant: ({ seq, lastSeq, grant: { evt, idx }, open: isOpen, returned }: GrantRecord): void =>
			void settle.run(isOpen ? 1 : 0, returned, lastSeq, evt, idx, seq),
	};
}

function recordOf(row: GrantRow): GrantRecord {
	const { redemption, evt, idx, allowance, cls, uses, rung, lane, at, exit_seq: seq, exit_at: atMs } = row;
	return {
		seq: row.seq,
		lastSeq: row.last_seq,
		grant: {
			redemptionId: redemption,
			ticketId: ticketId(evt, idx),
			...{ evt, idx, allowance, cls, uses },
			reentry: row.reentry === 1,
			...{ rung, lane, atMs: at },
		},
		...(seq === null || atMs === null ? {} : { exit: { seq, atMs } }),
		open: row.is_open === 1,
		returned: row.returned,
	};
}

function pageStore(db: Connection) {
	const get = db
		.prepare<[string, string, number], Buffer>('SELECT bits FROM pages WHERE list = ? AND evt = ? AND page = ?')
		.pluck();
	const put = db.prepare('INSERT INTO pages VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET bits = excluded.bits');
	const drop = db.prepare('DELETE FROM pages WHERE list = ? AND evt = ? AND page = ?');
	return {
		isListed: (list: LearnedList['list'], evt: string, idx: number): boolean =>
			isBitSet(get.get(list, evt, bitPlace(idx).page), idx),
		changePages(list: LearnedList['list'], evt: string, changes: PageChanges): void {
			for (const [page, change] of changes) {
				const bits = changedPage(get.get(list, evt, page), change);
				if (bits === undefined) drop.run(list, evt, page);
				else put.run(list, evt, page, bits);
			}
		},
	};
}

/** Where the ledger notes which own rows the last snapshot included; each epoch has a note of its own. */
const ownThroughNote = (epoch: string) => `own_through:${epoch}`;

function learnedStore(db: Connection, { isListed, changePages }: ReturnType<typeof pageStore>) {
	const key = 'evt = ? AND idx = ? AND allowance = ?';
	const get = db.prepare<[string, number, string], LearnedRow>(
		`SELECT used, held, own_seq, last_lane, last_at FROM learned WHERE ${key}`,
	);
	const put = db.prepare('INSERT OR REPLACE INTO learned VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
	const forgetRights = db.prepare('DELETE FROM learned');
	const forgetPages = db.prepare('DELETE FROM pages');
	const putPage = db.prepare('INSERT INTO pages VALUES (?, ?, ?, ?)');
	const note = db.prepare<[string], string>('SELECT value FROM notes WHERE name = ?').pluck();
	const putNote = db.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?)');
	const epoch = db.prepare<[], string>("SELECT value FROM meta WHERE name = 'epoch'").pluck();
	const released = db.prepare<[string], number>('SELECT 1 FROM released WHERE redemption = ?').pluck();
	const addReleased = db.prepare('INSERT INTO released VALUES (?)');
	const learned = ({ evt, idx, allowance }: AccountKey): LearnedCounts | undefined => {
		const row = get.get(evt, idx, allowance);
		if (row === undefined) return undefined;
		const { used, held, own_seq: ownSeq, last_lane: lane, last_at: atMs } = row;
		return { used, held, ownSeq, ...(lane === null || atMs === null ? {} : { last: { lane, atMs } }) };
	};
	const putLearned = ({ evt, idx, allowance }: AccountKey, { used, held, ownSeq, last }: LearnedCounts) =>
		put.run(evt, idx, allowance, used, held, ownSeq, last?.lane ?? null, last?.atMs ?? null);
	return {
		learned,
		learnRight(change: LearnedRight): void {
			putLearned(change, learnRight(learned(change), change));
			const { evt, idx, allowance } = change;
			if (allowance === wholeTicket && isListed('redeemed', evt, idx)) {
				changePages('redeemed', evt, pageChanges([], [idx]));
			}
		},
		/** Own rows that the last snapshot included. */
		ownThrough: (): number => Number(note.get(ownThroughNote(epoch.get() ?? '')) ?? 0),
		setOwnThrough: (seq: number): void => void putNote.run(ownThroughNote(epoch.get() ?? ''), `${seq}`),
		forgetLearned(): void {
			forgetRights.run();
			forgetPages.run();
		},
		/** Puts pages where there are none. */
		addPages(list: LearnedList['list'], evt: string, pages: SparsePages): void {
			for (const [page, bits] of pages) putPage.run(list, evt, page, bits);
		},
		putNotes(notes: Notes): void {
			for (const [name, value] of Object.entries(notes)) putNote.run(name, value);
		},
		isReleased: (id: RedemptionId): boolean => released.get(id) === 1,
		addReleased: (id: RedemptionId): void => void addReleased.run(id),
	};
}

function laneStore(db: Connection) {
	const putTally = db.prepare(
		`INSERT INTO tallies VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET
		grants = CASE WHEN hour = excluded.hour THEN grants + 1 ELSE 1 END, hour = excluded.hour`,
	);
	const lanes = db.prepare<[], { lane: string; mode: LaneMemory['mode']; emergency: number }>(
		'SELECT * FROM lanes ORDER BY lane',
	);
	const putLane = db.prepare('INSERT OR REPLACE INTO lanes VALUES (?, ?, ?)');
	const note = db.prepare<[string], string>('SELECT value FROM notes WHERE name = ?').pluck();
	const putNote = db.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?)');
	return {
		countUnverified: ({ lane, cls, atMs }: Grant): void => void putTally.run(lane, cls, hourOf(atMs)),
		lanes: (): readonly LaneMemory[] =>
			lanes.all().map(({ lane, mode, emergency }) => ({ lane, mode, emergency: emergency === 1 })),
		putLane: ({ lane, mode, emergency }: LaneMemory): void => void putLane.run(lane, mode, emergency ? 1 : 0),
		note: (name: string): string | undefined => note.get(name),
		putNote: (name: string, value: string): void => void putNote.run(name, value),
	};
}
