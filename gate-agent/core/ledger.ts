import type { Decision, History } from './decide.ts';
import type { StoredRow } from './journal.ts';
import type { LaneMode } from './lane-state.ts';
import type { Allowance, Fact, ForeignTrace, Grant, JournalRow, RedemptionId, Settlement } from './redemption.ts';
import type { RefusalReason } from './refusal.ts';
import type { SparsePages } from './sparse-pages.ts';
import type { TicketId } from './ticket.ts';

/** Which history a decision needs, and who asks. */
export interface RedeemRequest {
	readonly redemptionId: RedemptionId;
	readonly ticketId: TicketId;
	readonly evt: string;
	readonly idx: number;
	readonly allowance: Allowance;
	readonly cls: string;
	readonly lane: string;
	readonly zone: string;
	/** Admissions per allowance that the ticket carries. */
	readonly use: number;
	/** Who of the staff admits, and why where a person decides against a refusal. */
	readonly by?: string;
	readonly reason?: string;
	readonly atMs: number;
}

/** A refused scan on its way to the journal. */
export interface Denial {
	readonly reason: RefusalReason;
	readonly lane: string;
	readonly ticketId?: TicketId;
	readonly code?: ForeignTrace;
	readonly atMs: number;
}

/** What the ledger remembers of a lane over a restart. */
export interface LaneMemory {
	readonly lane: string;
	readonly mode: LaneMode;
	readonly emergency: boolean;
}

/** What a list from others says of whole tickets. */
export interface LearnedList {
	readonly kind: 'list';
	readonly evt: string;
	readonly list: 'redeemed' | 'revoked';
	readonly set: Iterable<number>;
	readonly clear?: Iterable<number>;
}

/**
 * What the authority counts on one allowance now. It replaces what was learned of it before, also by a list where the
 * allowance is the whole ticket.
 */
export interface LearnedRight {
	readonly kind: 'right';
	readonly evt: string;
	readonly idx: number;
	readonly allowance: Allowance;
	readonly use: number;
	readonly used: number;
	readonly held: number;
	/** The newest use: where and when. */
	readonly last?: { readonly lane: string; readonly atMs: number };
	/** The counts include this row of the own journal and all of this allowance before it. */
	readonly ownSeq?: number;
}

/** What a device learns about tickets from others: by feed or status list. */
export type Learned = LearnedList | LearnedRight;

/** Small values by name that become durable together with what they are about. */
export type Notes = Readonly<Record<string, string>>;

/** All that the authority knows, in the place of everything learned before. */
export interface LearnedState {
	readonly lists: readonly {
		readonly evt: string;
		readonly list: LearnedList['list'];
		readonly pages: SparsePages;
	}[];
	readonly rights: Iterable<LearnedRight>;
	/** The counts include the own journal up to this row. */
	readonly ownThrough: number;
	readonly notes: Notes;
}

/**
 * The note that says how far the feed was followed. A ledger that begins anew forgets it, because what it took over may not be
 * all there was: the next thing that it learns is everything.
 */
export const cursorNote = 'sync_cursor';

/** A run of the journal, verbatim. */
export interface StoredRun {
	/** Chain hash of the row before the first one. */
	readonly before: Uint8Array;
	readonly rows: readonly StoredRow[];
}

/**
 * The ledger of one agent: what was admitted, exactly once, and the journal that proves it.
 *
 * Its law, which every implementation passes in `ledger.suite.ts`:
 * 1. `redeem` reads the history, calls `decide` synchronously and commits the grant in one transaction. When it
 *    resolves with a grant, that grant survives any crash. When it rejects, nothing was granted.
 * 2. Two redemptions are never decided on the same history: calls are serial.
 * 3. The same `redemptionId` again gives the first answer and writes nothing.
 * 4. A grant holds its uses until it is settled; `settle` of an unknown or settled grant writes nothing, except the
 *    late passage (`late: true`), which takes a returned use again.
 * 5. Rows are numbered 1, 2, 3 … within an epoch without gaps; no row is ever changed; `at` never goes back within a
 *    clock epoch, and only a `started` row of a newer one begins it.
 * 6. What others count comes by `learn` and `replaceLearned`, each one transaction with its notes. The history is that,
 *    plus the own rows that it does not include yet, and never less than the own uses: a use that this ledger granted
 *    is not forgotten because somebody else has not heard of it.
 * 7. `deny` never throws and never waits: equal denials are coalesced, more than `denialsPerMinuteMax` of a lane are
 *    only counted. `flush` makes them durable.
 */
export interface Ledger {
	/** The device epoch: a new random name each time the journal starts from nothing. It changes with `beginEpoch`. */
	readonly epoch: string;
	/** The history a decision would see now, without deciding anything. */
	history(request: RedeemRequest): Promise<History>;
	/**
	 * Decides and commits. Resolves with the decision; `grant` is there exactly when the decision granted.
	 * Rejects with `ledger_full`, `ledger_io` or `ledger_corrupt`; then nothing opens.
	 */
	redeem(request: RedeemRequest, decide: (history: History) => Decision): Promise<Redeemed>;
	/** Ends a grant. Durable when it resolves. */
	settle(settlement: Settlement, atMs: number): Promise<void>;
	/** Writes a fact that is neither a grant, a settlement nor a denial. Durable when it resolves. */
	record(fact: Fact, atMs: number): Promise<void>;
	deny(denial: Denial): void;
	flush(): Promise<void>;
	/** Grants that no settlement ended, oldest first: after a crash they are settled as assumed. */
	openGrants(): Promise<readonly Grant[]>;
	lanes(): Promise<readonly LaneMemory[]>;
	/** Takes over changes in the order given. */
	learn(changes: readonly Learned[], notes?: Notes): Promise<void>;
	replaceLearned(state: LearnedState): Promise<void>;
	/**
	 * Gives a claim back that the authority has granted: writes a `released` row, unless a row of this journal says
	 * already what became of it.
	 */
	release(redemptionId: RedemptionId, lane: string, atMs: number): Promise<'found' | 'released'>;
	/**
	 * Begins a new journal: the server knows rows of this epoch that this ledger does not have. What is known of used
	 * tickets stays, uses that are held count as taken, and `cursorNote` is forgotten.
	 */
	beginEpoch(): Promise<void>;
	/** Rows after `seq`, oldest first, at most `limit` (1 … 10,000). */
	rows(after: number, limit: number): Promise<readonly JournalRow[]>;
	/** The same rows as they are stored, with the hash that they continue from. */
	stored(after: number, limit: number): Promise<StoredRun>;
	/** Number of the newest row, 0 for an empty journal. */
	newestSeq(): Promise<number>;
	/** Milliseconds since 1970 of the newest row, 0 for an empty journal: one of the clock's floors. */
	latestMs(): Promise<number>;
	/** The newest clock epoch that a `started` row has begun, 1 before any. It outlives a restart. */
	clockEpoch(): Promise<number>;
	/** Small values that outlive a restart, e.g. the version of the key manifest. */
	remember(name: string, value: string): Promise<void>;
	recall(name: string): Promise<string | undefined>;
	close(): Promise<void>;
}

/** The answer of `redeem`. */
export type Redeemed =
	| { readonly kind: 'granted'; readonly grant: Grant }
	| { readonly kind: 'denied'; readonly decision: Decision & { kind: 'deny' } };

/** Denied rows per lane and minute; above it denials are only counted, so that noise cannot wear out a card. */
export const denialsPerMinuteMax = 60;

/** How long a denial may wait for its row. */
export const denialFlushMs = 200;
