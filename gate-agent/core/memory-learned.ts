import { wholeTicket } from './allowance.ts';
import type { Learned, LearnedList, LearnedState } from './ledger.ts';
import { type LearnedCounts, learnRight } from './ledger-rules.ts';
import type { Allowance } from './redemption.ts';
import { applyChanges, bitPlace, isBitSet, type PageChanges, pageChanges, type SparsePages } from './sparse-pages.ts';
import { ticketId } from './ticket.ts';

/** Whose uses are counted together. */
export interface AccountKey {
	readonly evt: string;
	readonly idx: number;
	readonly allowance: Allowance;
}

/** One text for each account. */
export function accountKey({ evt, idx, allowance }: AccountKey): string {
	return `${ticketId(evt, idx)} ${allowance}`;
}

/** What a memory ledger has learned from others. */
export class MemoryLearned {
	#lists = new Map<string, SparsePages>();
	#counts = new Map<string, LearnedCounts>();
	#ownThrough = 0;

	/** Own rows that the last snapshot included. */
	get ownThrough(): number {
		return this.#ownThrough;
	}

	counts(key: AccountKey): LearnedCounts | undefined {
		return this.#counts.get(accountKey(key));
	}

	isListed(list: LearnedList['list'], evt: string, idx: number): boolean {
		return isBitSet(this.#lists.get(`${list} ${evt}`)?.get(bitPlace(idx).page), idx);
	}

	/** Takes over changes, or none of them where a number is out of range. */
	learn(changes: readonly Learned[]): void {
		for (const change of changes.map(prepared)) {
			if (change.kind === 'right') {
				const key = accountKey(change);
				this.#counts.set(key, learnRight(this.#counts.get(key), change));
				if (change.allowance === wholeTicket) this.#change('redeemed', change.evt, pageChanges([], [change.idx]));
			} else this.#change(change.list, change.evt, change.changes);
		}
	}

	replace({ lists, rights, ownThrough }: Omit<LearnedState, 'notes'>): void {
		this.#lists = new Map(lists.map(({ evt, list, pages }) => [`${list} ${evt}`, new Map(pages)]));
		this.#counts = new Map();
		for (const right of rights) this.#counts.set(accountKey(right), learnRight(undefined, right));
		this.#ownThrough = ownThrough;
	}

	/** A new journal begins: no row of it is included anywhere. */
	forgetOwn(): void {
		this.#ownThrough = 0;
		for (const [key, counts] of this.#counts) this.#counts.set(key, { ...counts, ownSeq: 0 });
	}

	#change(list: LearnedList['list'], evt: string, changes: PageChanges): void {
		const key = `${list} ${evt}`;
		const pages = this.#lists.get(key) ?? new Map<number, Uint8Array>();
		applyChanges(pages, changes);
		this.#lists.set(key, pages);
	}
}

/** Reads the numbers of lists before anything is changed, because a number out of range changes nothing. */
function prepared(change: Learned) {
	return change.kind === 'right' ? change : { ...change, changes: pageChanges(change.set, change.clear) };
}
