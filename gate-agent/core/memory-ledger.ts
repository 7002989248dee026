import type { Decision, History } from './decide.ts';
import { addDenial, type Denials, noDenials, takeAllDenials, takeDenials, type WaitingDenial } from './denials.ts';
import { assert, StilewardError } from './errors.ts';
import { appendRow, emptyJournal, type JournalHead, ledgerTime, parseRow, type StoredRow } from './journal.ts';
import type { Denial, LaneMemory, Learned, Ledger, Redeemed, RedeemRequest } from './ledger.ts';
import {
	assertRecordable,
	type Counts,
	type Exit,
	exitPermits,
	type GrantRecord,
	grantedFact,
	grantOf,
	holdUses,
	hourOf,
	keepAnswer,
	longestDayMs,
	noCounts,
	rowsLimitMax,
	settleGrant,
	splitTicketId,
} from './ledger-rules.ts';
import type { Allowance, Fact, Grant, JournalRow, RedemptionId, Settlement } from './redemption.ts';
import { applyChanges, bitPlace, isBitSet, pageChanges, type SparsePages } from './sparse-pages.ts';
import { type TicketId, ticketId } from './ticket.ts';

/**
 * A ledger that lives as long as its process: for the simulator, for tests and for a demonstration without a disk.
 * It has no timer; denials become rows when somebody reads or flushes.
 */
export function createMemoryLedger(options: { readonly epoch: string; readonly device: string }): Ledger {
	return new MemoryLedger(options.epoch);
}

/** What is kept per (event, number, allowance). */
interface Account {
	counts: Counts;
	exits: Exit[];
}

class MemoryLedger implements Ledger {
	readonly epoch: string;
	#head: JournalHead;
	readonly #rows: StoredRow[] = [];
	readonly #accounts = new Map<string, Account>();
	readonly #grants = new Map<RedemptionId, GrantRecord>();
	readonly #grantsOfTicket = new Map<TicketId, RedemptionId[]>();
	readonly #denied = new Map<RedemptionId, Redeemed>();
	readonly #lists = new Map<string, SparsePages>();
	readonly #tallies = new Map<string, number>();
	readonly #lanes = new Map<string, LaneMemory>();
	readonly #notes = new Map<string, string>();
	#denials: Denials = noDenials;
	#closed = false;

	constructor(epoch: string) {
		this.epoch = epoch;
		this.#head = emptyJournal(epoch);
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
		this.#grants.set(settlement.redemptionId, settled.record);
		if (settled.exit?.kind === 'restore') account.exits = [...account.exits, settled.exit.exit].sort(bySeq);
		if (settled.exit?.kind === 'consume') {
			const { seq } = settled.exit.exit;
			account.exits = account.exits.filter((exit) => exit.seq !== seq);
		}
		this.#append(settled.fact, atMs);
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

	async learn({ evt, list, set, clear }: Learned): Promise<void> {
		this.#assertOpen();
		const changes = pageChanges(set, clear);
		const key = `${list} ${evt}`;
		const pages = this.#lists.get(key) ?? new Map<number, Uint8Array>();
		applyChanges(pages, changes);
		this.#lists.set(key, pages);
	}

	async rows(after: number, limit: number): Promise<readonly JournalRow[]> {
		this.#assertOpen();
		assert(limit >= 1 && limit <= rowsLimitMax, `rows are read 1 to ${rowsLimitMax} at a time`);
		this.#flush();
		return this.#rows.slice(after, after + limit).map(({ text }) => parseRow(text));
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
			this.#keep({ seq: this.#head.seq, grant, open: false, returned: 0 });
			return grant;
		}
		const exit = grant.reentry ? account.exits.at(-1) : undefined;
		if (grant.reentry) account.exits = account.exits.slice(0, -1);
		account.counts = holdUses(account.counts, grant);
		if (grant.rung === 'local') this.#tally(grant);
		this.#append(grantedFact(grant, request.zone), atMs);
		this.#keep({ seq: this.#head.seq, grant, ...(exit === undefined ? {} : { exit }), open: true, returned: 0 });
		return grant;
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
		const entered = this.#recordsOf(fact.ticket)
			.filter(({ grant }) => grant.allowance === allowance && !grant.reentry && grant.atMs >= sinceMs)
			.reduce((sum, { grant, returned }) => sum + grant.uses - returned, 0);
		const exited = account.exits.filter((exit) => exit.atMs >= sinceMs).length;
		const listedRedeemed = this.#isListed('redeemed', evt, idx);
		this.#append(fact, atMs);
		if (exitPermits({ allowance, listedRedeemed, entered, exited })) {
			account.exits = [...account.exits, { seq: this.#head.seq, atMs: at }];
		}
	}

	#historyOf(request: RedeemRequest, atMs: number): History {
		const { evt, idx, lane, cls } = request;
		const { counts, exits } = this.#account(request);
		const exitedAtMs = exits.at(-1)?.atMs;
		return {
			revoked: this.#isListed('revoked', evt, idx),
			listedRedeemed: this.#isListed('redeemed', evt, idx),
			...counts,
			open: this.#recordsOf(request.ticketId)
				.filter(({ open }) => open)
				.map(({ grant }) => grant),
			...(exitedAtMs === undefined ? {} : { exitedAtMs }),
			unverifiedInHour: this.#tallies.get(tallyKey(lane, cls, atMs)) ?? 0,
		};
	}

	#account({ evt, idx, allowance }: { evt: string; idx: number; allowance: Allowance }): Account {
		const key = `${ticketId(evt, idx)} ${allowance}`;
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

	#isListed(list: Learned['list'], evt: string, idx: number): boolean {
		return isBitSet(this.#lists.get(`${list} ${evt}`)?.get(bitPlace(idx).page), idx);
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
