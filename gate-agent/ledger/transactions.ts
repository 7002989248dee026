import type { Decision, History } from '../core/decide.ts';
import { appendRow, type JournalHead, ledgerTime } from '../core/journal.ts';
import type { Learned, LearnedState, Notes, Redeemed, RedeemRequest } from '../core/ledger.ts';
import {
	type Counts,
	enteredElsewhere,
	enteredSince,
	exitPermits,
	grantedFact,
	grantOf,
	holdUses,
	longestDayMs,
	settleGrant,
	splitTicketId,
} from '../core/ledger-rules.ts';
import type { Fact, Grant, Settlement } from '../core/redemption.ts';
import { pageChanges } from '../core/sparse-pages.ts';
import type { Store } from './store.ts';

/** The store inside one transaction, and the journal as it is after the rows written so far. */
export interface Transaction {
	readonly store: Store;
	head: JournalHead;
}

/** Writes a row. */
export function append(tx: Transaction, fact: Fact, atMs: number): void {
	const { row, head } = appendRow(tx.head, fact, atMs);
	tx.store.appendRow(head.epoch, row);
	if (head.clockEpoch !== tx.head.clockEpoch) tx.store.putNote('clock_epoch', `${head.clockEpoch}`);
	tx.head = head;
}

/** Answers a redemption: with its first answer, or by deciding on the history. */
export function redeem(tx: Transaction, request: RedeemRequest, decide: (history: History) => Decision): Redeemed {
	const first = tx.store.grant(request.redemptionId);
	if (first !== undefined) return { kind: 'granted', grant: first.grant };
	const atMs = ledgerTime(tx.head, request.atMs);
	const { history, own } = tx.store.history(request, atMs);
	const decision = decide(history);
	if (decision.kind === 'deny') return { kind: 'denied', decision };
	const grant = grantOf(request, decision, atMs);
	if (decision.direction === 'exit') letOut(tx, grant);
	else hold(tx, { grant, counts: own, request });
	return { kind: 'granted', grant };
}

function letOut(tx: Transaction, grant: Grant): void {
	const { ticketId: ticket, allowance, cls, lane, atMs } = grant;
	exit(tx, { kind: 'exited', ticket, allowance, cls, lane }, atMs);
	const { seq } = tx.head;
	tx.store.addGrant({ seq, lastSeq: seq, grant, open: false, returned: 0 });
}

interface Holding {
	readonly grant: Grant;
	readonly counts: Counts;
	readonly request: RedeemRequest;
}

function hold(tx: Transaction, { grant, counts, request }: Holding): void {
	const { store } = tx;
	const consumed = grant.reentry ? store.lastExit(grant) : undefined;
	if (consumed !== undefined) store.dropExit(grant, consumed);
	store.putCounts(grant, holdUses(counts, grant));
	if (grant.rung === 'local') store.countUnverified(grant);
	append(tx, grantedFact(grant, request), grant.atMs);
	const { seq } = tx.head;
	store.addGrant({
		seq,
		lastSeq: seq,
		grant,
		...(consumed === undefined ? {} : { exit: consumed }),
		open: true,
		returned: 0,
	});
}

/** Ends a grant, or takes a returned use again. */
export function settle(tx: Transaction, settlement: Settlement, atMs: number): void {
	const { store } = tx;
	const record = store.grant(settlement.redemptionId);
	const settled = record && settleGrant(record, store.counts(record.grant), settlement);
	if (record === undefined || settled === undefined) return;
	store.putCounts(record.grant, settled.counts);
	if (settled.exit?.kind === 'restore') store.addExit(record.grant, settled.exit.exit);
	if (settled.exit?.kind === 'consume') store.dropExit(record.grant, settled.exit.exit);
	append(tx, settled.fact, atMs);
	store.updateGrant({ ...settled.record, lastSeq: tx.head.seq });
}

/** Writes a fact and what follows from it: an exit may permit a re-entry, a lane's mode outlives a restart. */
export function record(tx: Transaction, fact: Fact, atMs: number): void {
	if (fact.kind === 'exited') {
		exit(tx, fact, atMs);
		return;
	}
	append(tx, fact, atMs);
	if (fact.kind === 'lane') tx.store.putLane(fact);
}

function exit(tx: Transaction, fact: Fact & { kind: 'exited' }, atMs: number): void {
	const { store } = tx;
	const { allowance } = fact;
	const { evt, idx } = splitTicketId(fact.ticket);
	const account = { evt, idx, allowance };
	const sinceMs = ledgerTime(tx.head, atMs) - longestDayMs;
	const entered = enteredSince(store.grantsSince(account, sinceMs), allowance, sinceMs);
	const exited = store.exitsSince(account, sinceMs);
	const listedRedeemed = store.isListed('redeemed', evt, idx);
	const elsewhere = enteredElsewhere(store.learned(account), sinceMs);
	append(tx, fact, atMs);
	if (exitPermits({ allowance, listedRedeemed, entered, elsewhere, exited })) {
		store.addExit(account, { seq: tx.head.seq, atMs: tx.head.atMs });
	}
}

/** Takes over what others count, in the order given. */
export function learn({ store }: Transaction, changes: readonly Learned[], notes: Notes): void {
	for (const change of changes) {
		if (change.kind === 'right') store.learnRight(change);
		else store.changePages(change.list, change.evt, pageChanges(change.set, change.clear));
	}
	store.putNotes(notes);
}

/** Puts what the authority knows in the place of everything learned before. */
export function replaceLearned({ store }: Transaction, { lists, rights, ownThrough, notes }: LearnedState): void {
	store.forgetLearned();
	for (const { list, evt, pages } of lists) store.addPages(list, evt, pages);
	for (const right of rights) store.learnRight(right);
	store.setOwnThrough(ownThrough);
	store.putNotes(notes);
}

/** Gives a claim back, unless a row says already what became of it. */
export function release(
	tx: Transaction,
	{ redemptionId, lane }: Pick<Grant, 'redemptionId' | 'lane'>,
	atMs: number,
): 'found' | 'released' {
	const { store } = tx;
	if (store.grant(redemptionId) !== undefined || store.isReleased(redemptionId)) return 'found';
	append(tx, { kind: 'released', redemption: redemptionId, lane }, atMs);
	store.addReleased(redemptionId);
	return 'released';
}
