import type { Decision, History } from '../../../gate-agent/core/decide.ts';
import { appendRow, ledgerTime } from '../../../gate-agent/core/journal.ts';
import type { Learned, LearnedState, Notes, Redeemed, RedeemRequest } from '../../../gate-agent/core/ledger.ts';
import {
	enteredElsewhere,
	enteredSince,
	exitPermits,
	type GrantRecord,
	grantedFact,
	grantOf,
	holdUses,
	longestDayMs,
	type Settled,
	settleGrant,
	splitTicketId,
} from '../../../gate-agent/core/ledger-rules.ts';
import type { Fact, Grant, Settlement } from '../../../gate-agent/core/redemption.ts';
import { pageChanges } from '../../../gate-agent/core/sparse-pages.ts';
import type { AccountRecord, HeadRecord } from './schema.ts';
import type { Store } from './store.ts';

/** The store inside one transaction, and the journal as it is after the rows written so far. */
export interface Transaction {
	readonly store: Store;
	head: HeadRecord;
}

/** Writes a row. */
export function append(tx: Transaction, fact: Fact, atMs: number): void {
	const { row, head } = appendRow(tx.head, fact, atMs);
	tx.store.appendRow(row);
	tx.head = { ...tx.head, ...head };
}

/** Answers a redemption: with its first answer, or by deciding on the history. */
export async function redeem(
	tx: Transaction,
	request: RedeemRequest,
	decide: (history: History) => Decision,
): Promise<Redeemed> {
	const { store, head } = tx;
	const atMs = ledgerTime(head, request.atMs);
	const [first, { history, account }] = await Promise.all([
		store.grant(request.redemptionId),
		store.history(request, { ownThrough: head.ownThrough, atMs }),
	]);
	if (first !== undefined) return { kind: 'granted', grant: first.grant };
	const decision = decide(history);
	if (decision.kind === 'deny') return { kind: 'denied', decision };
	const grant = grantOf(request, decision, atMs);
	if (decision.direction === 'exit') await letOut(tx, grant);
	else hold(tx, { grant, account, request, unverifiedInHour: history.unverifiedInHour });
	return { kind: 'granted', grant };
}

async function letOut(tx: Transaction, grant: Grant): Promise<void> {
	const { ticketId: ticket, allowance, cls, lane, atMs } = grant;
	await exit(tx, { kind: 'exited', ticket, allowance, cls, lane }, atMs);
	const { seq } = tx.head;
	tx.store.putGrant({ seq, lastSeq: seq, grant, open: false, returned: 0 });
}

interface Holding {
	readonly grant: Grant;
	readonly account: AccountRecord;
	readonly request: RedeemRequest;
	readonly unverifiedInHour: number;
}

function hold(tx: Transaction, { grant, account, request, unverifiedInHour }: Holding): void {
	const { store } = tx;
	const { exits } = account;
	const consumed = grant.reentry ? exits.at(-1) : undefined;
	store.putAccount({
		...account,
		counts: holdUses(account.counts, grant),
		exits: consumed === undefined ? exits : exits.slice(0, -1),
	});
	if (grant.rung === 'local') store.countUnverified(grant, unverifiedInHour);
	append(tx, grantedFact(grant, request), grant.atMs);
	const { seq } = tx.head;
	const record: GrantRecord = { seq, lastSeq: seq, grant, open: true, returned: 0 };
	store.putGrant({ ...record, ...(consumed === undefined ? {} : { exit: consumed }) });
}

/** Ends a grant, or takes a returned use again. */
export async function settle(tx: Transaction, settlement: Settlement, atMs: number): Promise<void> {
	const { store } = tx;
	const record = await store.grant(settlement.redemptionId);
	if (record === undefined) return;
	const account = await store.account(record.grant);
	const settled = settleGrant(record, account.counts, settlement);
	if (settled === undefined) return;
	store.putAccount({ ...account, counts: settled.counts, exits: exitsAfter(account, settled) });
	append(tx, settled.fact, atMs);
	store.putGrant({ ...settled.record, lastSeq: tx.head.seq });
}

function exitsAfter({ exits }: AccountRecord, { exit: change }: Settled): AccountRecord['exits'] {
	if (change === undefined) return exits;
	const others = exits.filter(({ seq }) => seq !== change.exit.seq);
	return change.kind === 'consume' ? others : [...others, change.exit].sort((a, b) => a.seq - b.seq);
}

/** Writes a fact and what follows from it: an exit may permit a re-entry, a lane's mode outlives a restart. */
export async function record(tx: Transaction, fact: Fact, atMs: number): Promise<void> {
	if (fact.kind === 'exited') {
		await exit(tx, fact, atMs);
		return;
	}
	append(tx, fact, atMs);
	if (fact.kind === 'lane') tx.store.putLane(fact);
}

async function exit(tx: Transaction, fact: Fact & { kind: 'exited' }, atMs: number): Promise<void> {
	const { store } = tx;
	const { allowance, ticket } = fact;
	const key = { ...splitTicketId(ticket), allowance };
	const sinceMs = ledgerTime(tx.head, atMs) - longestDayMs;
	const [records, account, listedRedeemed, learned] = await Promise.all([
		store.grantsOf(ticket),
		store.account(key),
		store.isListed('redeemed', key.evt, key.idx),
		store.learned(key),
	]);
	append(tx, fact, atMs);
	const inside = {
		...{ allowance, listedRedeemed, entered: enteredSince(records, allowance, sinceMs) },
		elsewhere: enteredElsewhere(learned, sinceMs),
		exited: account.exits.filter((left) => left.atMs >= sinceMs).length,
	};
	if (!exitPermits(inside)) return;
	store.putAccount({ ...account, exits: [...account.exits, { seq: tx.head.seq, atMs: tx.head.atMs }] });
}

/** Takes over what others count, in the order given. */
export async function learn({ store }: Transaction, changes: readonly Learned[], notes: Notes): Promise<void> {
	for (const change of changes) {
		if (change.kind === 'right') await store.learnRight(change);
		else await store.changePages(change.list, change.evt, pageChanges(change.set, change.clear));
	}
	store.putNotes(notes);
}

/** Puts what the authority knows in the place of everything learned before. */
export async function replaceLearned(tx: Transaction, state: LearnedState): Promise<void> {
	const { store } = tx;
	store.forgetLearned();
	for (const { list, evt, pages } of state.lists) store.addPages(list, evt, pages);
	store.addRights(state.rights);
	tx.head = { ...tx.head, ownThrough: state.ownThrough };
	store.putNotes(state.notes);
}

/** Gives a claim back, unless a row says already what became of it. */
export async function release(
	tx: Transaction,
	{ redemptionId, lane }: Pick<Grant, 'redemptionId' | 'lane'>,
	atMs: number,
): Promise<'found' | 'released'> {
	const { store } = tx;
	const [grant, isReleased] = await Promise.all([store.grant(redemptionId), store.isReleased(redemptionId)]);
	if (grant !== undefined || isReleased) return 'found';
	append(tx, { kind: 'released', redemption: redemptionId, lane }, atMs);
	store.addReleased(redemptionId);
	return 'released';
}
