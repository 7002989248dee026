import type { History } from '../core/decide.ts';
import { assert } from '../core/errors.ts';
import type { JournalHead, StoredRow } from '../core/journal.ts';
import { emptyJournal, parseRow } from '../core/journal.ts';
import type { LaneMemory, Learned, RedeemRequest } from '../core/ledger.ts';
import { type Counts, type Exit, type GrantRecord, hourOf, noCounts } from '../core/ledger-rules.ts';
import type { Allowance, Grant, RedemptionId } from '../core/redemption.ts';
import { bitPlace, changedPage, isBitSet, type PageChanges } from '../core/sparse-pages.ts';
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
}

/** The ledger's tables as records. Each method is one or two prepared statements; transactions are the caller's. */
export type Store = ReturnType<typeof createStore>;

/** Prepares every statement once. Throws `SqliteError` where the schema is not as it must be. */
export function createStore(db: Connection) {
	return {
		...historyStore(db),
		...journalStore(db),
		...accountStore(db),
		...grantStore(db),
		...pageStore(db),
		...laneStore(db),
	};
}

interface HistoryRow {
	/** Null in all of `uses` where the allowance has no row. */
	used: number | null;
	held: number | null;
	given_back: number | null;
	last_lane: string | null;
	last_at: number | null;
	revoked: Buffer | null;
	redeemed: Buffer | null;
	exited_at: number | null;
	unverified: number | null;
	open: number;
}

/** One statement for all that is asked at every scan: the lane waits for it, and each statement has its own cost. */
const historySql = `
	SELECT used, held, given_back, last_lane, last_at,
		(SELECT bits FROM pages WHERE list = 'revoked' AND evt = @evt AND page = @page) AS revoked,
		(SELECT bits FROM pages WHERE list = 'redeemed' AND evt = @evt AND page = @page) AS redeemed,
		(SELECT at FROM exits WHERE evt = @evt AND idx = @idx AND allowance = @allowance
			ORDER BY seq DESC LIMIT 1) AS exited_at,
		(SELECT grants FROM tallies WHERE lane = @lane AND cls = @cls AND hour = @hour) AS unverified,
		(SELECT count(*) FROM grants WHERE evt = @evt AND idx = @idx AND is_open = 1) AS open
	FROM (SELECT 1) LEFT JOIN uses ON evt = @evt AND idx = @idx AND allowance = @allowance`;

function historyStore(db: Connection) {
	const read = db.prepare<[Readonly<Record<string, string | number>>], HistoryRow>(historySql);
	const open = db.prepare<[string, number], GrantRow>(
		// Named, because a season's grants of one ticket may be many and the open ones among them are few.
		'SELECT * FROM grants INDEXED BY grants_open WHERE evt = ? AND idx = ? AND is_open = 1 ORDER BY seq',
	);
	return {
		/** What is known of a ticket's allowance; a limit of the lane is counted by the hour of `atMs`. */
		history({ evt, idx, allowance, lane, cls }: RedeemRequest, atMs: number): History {
			const row = read.get({ evt, idx, allowance, lane, cls, page: bitPlace(idx).page, hour: hourOf(atMs) });
			assert(row !== undefined, 'a history has one row');
			return {
				revoked: isBitSet(row.revoked ?? undefined, idx),
				listedRedeemed: isBitSet(row.redeemed ?? undefined, idx),
				...countsOf(row),
				open: row.open === 0 ? [] : open.all(evt, idx).map((grant) => recordOf(grant).grant),
				...(row.exited_at === null ? {} : { exitedAtMs: row.exited_at }),
				unverifiedInHour: row.unverified ?? 0,
			};
		},
	};
}

function countsOf(row: UsesRow | HistoryRow): Counts {
	const { used, held, given_back: givenBack, last_lane: lane, last_at: atMs } = row;
	if (used === null || held === null || givenBack === null) return noCounts;
	return { used, held, givenBack, ...(lane === null || atMs === null ? {} : { last: { lane, atMs } }) };
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
	const get = db.prepare<[string, number, string], UsesRow>(`SELECT * FROM uses WHERE ${key}`);
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
			return row === undefined ? noCounts : countsOf(row);
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
	const open = db.prepare<[], GrantRow>('SELECT * FROM grants WHERE is_open = 1 ORDER BY seq');
	const put = db.prepare('INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
	const settle = db.prepare('UPDATE grants SET is_open = ?, returned = ? WHERE evt = ? AND idx = ? AND seq = ?');
	return {
		grant(id: RedemptionId): GrantRecord | undefined {
			const row = get.get(id);
			return row === undefined ? undefined : recordOf(row);
		},
		grantsSince: ({ evt, idx }: AccountKey, atMs: number): readonly GrantRecord[] =>
			since.all(evt, idx, atMs).map(recordOf),
		openGrants: (): readonly Grant[] => open.all().map((row) => recordOf(row).grant),
		addGrant({ seq, grant: g, exit, open: isOpen, returned }: GrantRecord): void {
			const { evt, idx, allowance, cls, uses, rung, lane, atMs } = g;
			const what = [evt, idx, allowance, cls, uses, g.reentry ? 1 : 0, rung, lane, atMs];
			put.run(g.redemptionId, seq, ...what, exit?.seq ?? null, exit?.atMs ?? null, isOpen ? 1 : 0, returned);
		},
		updateGrant: ({ seq, grant: { evt, idx }, open: isOpen, returned }: GrantRecord): void =>
			void settle.run(isOpen ? 1 : 0, returned, evt, idx, seq),
	};
}

function recordOf(row: GrantRow): GrantRecord {
	const { redemption, evt, idx, allowance, cls, uses, rung, lane, at, exit_seq: seq, exit_at: atMs } = row;
	return {
		seq: row.seq,
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
		isListed: (list: Learned['list'], evt: string, idx: number): boolean =>
			isBitSet(get.get(list, evt, bitPlace(idx).page), idx),
		changePages(list: Learned['list'], evt: string, changes: PageChanges): void {
			for (const [page, change] of changes) {
				const bits = changedPage(get.get(list, evt, page), change);
				if (bits === undefined) drop.run(list, evt, page);
				else put.run(list, evt, page, bits);
			}
		},
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
