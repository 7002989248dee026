import type { Decision, History } from './decide.ts';
import { addDenial, type Denials, noDenials, takeAllDenials, takeDenials, type WaitingDenial } from './denials.ts';
import { assert, StilewardError } from './errors.ts';
import {
	appendRow,
	emptyJournal,
	genesisHash,
	type JournalHead,
	ledgerTime,
	parseRow,
	type StoredRow,
} from './journal.ts';
import {
	cursorNote,
	type Denial,
	type LaneMemory,
	type Learned,
	type LearnedState,
	type Ledger,
	type Notes,
	type Redeemed,
	type RedeemRequest,
	type StoredRun,
} from './ledger.ts';
import {
	assertRecordable,
	type Counts,
	type Exit,
	enteredElsewhere,
	enteredSince,
	exitPermits,
	type GrantRecord,
	grantedFact,
	grantOf,
	holdUses,
	hourOf,
	joinCounts,
	keepAnswer,
	longestDayMs,
	noCounts,
	rowsLimitMax,
	settleGrant,
	splitTicketId,
} from './ledger-rules.ts';
import { type AccountKey, accountKey, MemoryLearned } from './memory-learned.ts';
import type { Fact, Grant, JournalRow, RedemptionId, Settlement } from './redemption.ts';
import type { TicketId } from './ticket.ts';

/**
 * A ledger that lives as long as its process: for the simulator, for tests and for a demonstration without a disk.
 * It has no timer; denials become rows when somebody reads or flushes.
 */
export function createMemoryLedger(options: MemoryLedgerOptions): Ledger {
	return new MemoryLedger(options);
}

/** What a memory ledger needs. */
export interface MemoryLedgerOptions {
	readonly epoch: string;
	readonly device: string;
	/** A new random name for `beginEpoch`; the old one with a mark where it is absent. */
	readonly newEpoch?: () => string;
}

/** What is kept per (event, number, allowance). */
interface Account {
	counts: Counts;
	exits: Exit[];
}

class MemoryLedger implements Ledger {
	#epoch: string;
	readonly #newEpoch: () => string;
	#head: JournalHead;
	#rows: StoredRow[] = [];
	readonly #accounts = new Map<string, Account>();
	#grants = new Map<RedemptionId, GrantRecord>();
	#grantsOfTicket = new Map<TicketId, RedemptionId[]>();
	readonly #released = new Set<RedemptionId>();
	readonly #denied = new Map<RedemptionId, Redeemed>();
	readonly #learned = new MemoryLearned();
	readonly #tallies = new Map<string, number>();
	readonly #lanes = new Map<string, LaneMemory>();
	readonly #notes = new Map<string, string>();
	#denials: Denials = noDenials;
	#closed = false;

	constructor({ epoch, newEpoch }: MemoryLedgerOptions) {
		this.#epoch = epoch;
		this.#newEpoch = newEpoch ?? (() => `${this.#epoch}_`);
		this.#head = emptyJournal(epoch);
	}

	get epoch(): string {
		return this.#epoch;
	}

	async history(request: RedeemRequest): Promise<History> {
		this.#assertOpen();
		return this.#historyOf(request, ledgerTime(this.#head, request.atMs));
	}

	async redeem(request: RedeemRequest, decide: (history: History) => Decision): Promise<Redeemed> {
		this.#assertOpen();
		const { redemptionId } = request;
		const first = this.#grants.get(redemptionId);
		if (first !== undefined) return { kind: 'granted', grant: first.grant };
		const denied = this.#denied.get(redemptionId);
		if (denied !== undefined) return denied;
		const atMs = ledgerTime(this.#head, request.atMs);
		const decision = decide(this.#historyOf(request, atMs));
		if (decision.kind === 'grant') return { kind: 'granted', grant: this.#grant(request, decision, atMs) };
		const answer: Redeemed = { kind: 'denied', decision };
		keepAnswer(this.#denied, redemptionId, answer);
		return answer;
	}

	async settle(settlement: Settlement, atMs: number): Promise<void> {
		this.#assertOpen();
		const record = this.#grants.get(settlement.redemptionId);
		if (record === undefined) return;
		const account = this.#account(record.grant);
		const settled = settleGrant(record, account.counts, settlement);
		if (settled === undefined) return;
		account.counts = settled.counts;
		if (settled.exit?.kind === 'restore') account.exits = [...account.exits, settled.exit.exit].sort(bySeq);
		if (settled.exit?.kind === 'consume') {
			const { seq } = settled.exit.exit;
			account.exits = account.exits.filter((exit) => exit.seq !== seq);
		}
		this.#append(settled.fact, atMs);
		this.#grants.set(settlement.redemptionId, { ...settled.record, lastSeq: this.#head.seq });
	}

	async record(fact: Fact, atMs: number): Promise<void> {
		this.#assertOpen();
		assertRecordable(fact);
		if (fact.kind === 'exited') {
			this.#exit(fact, atMs);
			return;
		}
		this.#append(fact, atMs);
		if (fact.kind === 'lane') {
			this.#lanes.set(fact.lane, { lane: fact.lane, mode: fact.mode, emergency: fact.emergency });
		}
	}

	deny(denial: Denial): void {
		if (!this.#closed) this.#denials = addDenial(this.#denials, denial);
	}

	async flush(): Promise<void> {
		this.#assertOpen();
		this.#flush();
	}

	async openGrants(): Promise<readonly Grant[]> {
		this.#assertOpen();
		return [...this.#grants.values()].filter(({ open }) => open).map(({ grant }) => grant);
	}

	async lanes(): Promise<readonly LaneMemory[]> {
		this.#assertOpen();
		return [...this.#lanes.values()].sort((a, b) => (a.lane < b.lane ? -1 : 1));
	}

	async learn(changes: readonly Learned[], notes: Notes = {}): Promise<void> {
		this.#assertOpen();
		this.#learned.learn(changes);
		this.#note(notes);
	}

	async replaceLearned(state: LearnedState): Promise<void> {
		this.#assertOpen();
		this.#learned.replace(state);
		this.#note(state.notes);
	}

	async release(redemptionId: RedemptionId, lane: string, atMs: number): Promise<'found' | 'released'> {
		this.#assertOpen();
		if (this.#grants.has(redemptionId) || this.#released.has(redemptionId)) return 'found';
		this.#append({ kind: 'released', redemption: redemptionId, lane }, atMs);
		this.#released.add(redemptionId);
		return 'released';
	}

	async beginEpoch(): Promise<void> {
		this.#assertOpen();
		const { atMs, clockEpoch } = this.#head;
		this.#epoch = this.#newEpoch();
		this.#head = { ...emptyJournal(this.#epoch), atMs, clockEpoch };
		this.#rows = [];
		this.#grants = new Map();
		this.#grantsOfTicket = new Map();
		this.#learned.forgetOwn();
		this.#notes.delete(cursorNote);
		for (const account of this.#accounts.values()) {
			const { counts } = account;
			account.counts = { ...counts, used: counts.used + counts.held, held: 0 };
			account.exits = [];
		}
	}

	async rows(after: number, limit: number): Promise<readonly JournalRow[]> {
		this.#assertOpen();
		assert(limit >= 1 && limit <= rowsLimitMax, `rows are read 1 to ${rowsLimitMax} at a time`);
		this.#flush();
		return this.#rows.slice(after, after + limit).map(({ text }) => parseRow(text));
	}

	async stored(after: number, limit: number): Promise<StoredRun> {
		this.#assertOpen();
		assert(limit >= 1 && limit <= rowsLimitMax, `rows are read 1 to ${rowsLimitMax} at a time`);
		return { before: this.#rows[after - 1]?.hash ?? genesisHash, rows: this.#rows.slice(after, after + limit) };
	}

	async newestSeq(): Promise<number> {
		this.#assertOpen();
		return this.#head.seq;
	}

	async latestMs(): Promise<number> {
		this.#assertOpen();
		return this.#head.atMs;
	}

	async clockEpoch(): Promise<number> {
		this.#assertOpen();
		return this.#head.clockEpoch;
	}

	async remember(name: string, value: string): Promise<void> {
		this.#assertOpen();
		this.#notes.set(name, value);
	}

	async recall(name: string): Promise<string | undefined> {
		this.#assertOpen();
		return this.#notes.get(name);
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#write(takeAllDenials(this.#denials, this.#head.atMs));
		this.#closed = true;
	}

	#assertOpen(): void {
		if (this.#closed) throw new StilewardError('ledger_io', 'the ledger is closed');
	}

	#grant(request: RedeemRequest, decision: Decision & { kind: 'grant' }, atMs: number): Grant {
		const grant = grantOf(request, decision, atMs);
		const account = this.#account(grant);
		if (decision.direction === 'exit') {
			const { ticketId: ticket, allowance, cls, lane } = grant;
			this.#exit({ kind: 'exited', ticket, allowance, cls, lane }, atMs);
			this.#keep({ ...this.#rowOf(), grant, open: false, returned: 0 });
			return grant;
		}
		const exit = grant.reentry ? account.exits.at(-1) : undefined;
		if (grant.reentry) account.exits = account.exits.slice(0, -1);
		account.counts = holdUses(account.counts, grant);
		if (grant.rung === 'local') this.#tally(grant);
		this.#append(grantedFact(grant, request), atMs);
		this.#keep({ ...this.#rowOf(), grant, ...(exit === undefined ? {} : { exit }), open: true, returned: 0 });
		return grant;
	}

	#rowOf(): Pick<GrantRecord, 'seq' | 'lastSeq'> {
		return { seq: this.#head.seq, lastSeq: this.#head.seq };
	}

	#note(notes: Notes): void {
		for (const [name, value] of Object.entries(notes)) this.#notes.set(name, value);
	}

	#keep(record: GrantRecord): void {
		const { redemptionId, ticketId: ticket } = record.grant;
		this.#grants.set(redemptionId, record);
		this.#grantsOfTicket.set(ticket, [...(this.#grantsOfTicket.get(ticket) ?? []), redemptionId]);
	}

	#tally({ lane, cls, atMs }: Grant): void {
		const key = tallyKey(lane, cls, atMs);
		this.#tallies.set(key, (this.#tallies.get(key) ?? 0) + 1);
	}

	#exit(fact: Fact & { kind: 'exited' }, atMs: number): void {
		const { evt, idx } = splitTicketId(fact.ticket);
		const { allowance } = fact;
		const account = this.#account({ evt, idx, allowance });
		const at = ledgerTime(this.#head, atMs);
		const sinceMs = at - longestDayMs;
		const entered = enteredSince(this.#recordsOf(fact.ticket), allowance, sinceMs);
		const exited = account.exits.filter((exit) => exit.atMs >= sinceMs).length;
		const listedRedeemed = this.#learned.isListed('redeemed', evt, idx);
		const elsewhere = enteredElsewhere(this.#learned.counts({ evt, idx, allowance }), sinceMs);
		this.#append(fact, atMs);
		if (exitPermits({ allowance, listedRedeemed, entered, elsewhere, exited })) {
			account.exits = [...account.exits, { seq: this.#head.seq, atMs: at }];
		}
	}

	#historyOf(request: RedeemRequest, atMs: number): History {
		const { evt, idx, lane, cls } = request;
		const { counts, exits } = this.#account(request);
		const exitedAtMs = exits.at(-1)?.atMs;
		const records = this.#recordsOf(request.ticketId);
		const learned = this.#learned.counts(request);
		const mine = records.filter(({ grant }) => grant.allowance === request.allowance);
		return {
			revoked: this.#learned.isListed('revoked', evt, idx),
			listedRedeemed: this.#learned.isListed('redeemed', evt, idx),
			...joinCounts(counts, learned, { records: mine, ownThrough: this.#learned.ownThrough }),
			open: records.filter(({ open }) => open).map(({ grant }) => grant),
			...(exitedAtMs === undefined ? {} : { exitedAtMs }),
			unverifiedInHour: this.#tallies.get(tallyKey(lane, cls, atMs)) ?? 0,
		};
	}

	#account(of: AccountKey): Account {
		const key = accountKey(of);
		let account = this.#accounts.get(key);
		if (account === undefined) {
			account = { counts: noCounts, exits: [] };
			this.#accounts.set(key, account);
		}
		return account;
	}

	#recordsOf(ticket: TicketId): readonly GrantRecord[] {
		return (this.#grantsOfTicket.get(ticket) ?? []).flatMap((id) => this.#grants.get(id) ?? []);
	}

	#flush(): void {
		const { rows, rest } = takeDenials(this.#denials, this.#head.atMs);
		this.#write(rows);
		this.#denials = rest;
	}

	#write(rows: readonly WaitingDenial[]): void {
		for (const { fact, atMs } of rows) this.#append(fact, atMs);
	}

	#append(fact: Fact, atMs: number): void {
		const { row, head } = appendRow(this.#head, fact, atMs);
		this.#rows.push(row);
		this.#head = head;
	}
}

function bySeq(a: Exit, b: Exit): number {
	return a.seq - b.seq;
}

function tallyKey(lane: string, cls: string, atMs: number): string {
	return `${hourOf(atMs)} ${lane} ${cls}`;
}
