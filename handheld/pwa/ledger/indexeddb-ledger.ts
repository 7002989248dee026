import type { Decision, History } from '../../../gate-agent/core/decide.ts';
import type { WaitingDenial } from '../../../gate-agent/core/denials.ts';
import { assert, StilewardError } from '../../../gate-agent/core/errors.ts';
import { ledgerTime, parseRow } from '../../../gate-agent/core/journal.ts';
import type {
	Denial,
	LaneMemory,
	Learned,
	LearnedState,
	Notes,
	Redeemed,
	RedeemRequest,
	StoredRun,
} from '../../../gate-agent/core/ledger.ts';
import { assertRecordable, keepAnswer, rowsLimitMax } from '../../../gate-agent/core/ledger-rules.ts';
import type { Fact, Grant, JournalRow, RedemptionId, Settlement } from '../../../gate-agent/core/redemption.ts';
import { commit } from './commit.ts';
import { DenialWriter } from './denial-writer.ts';
import { faultOf } from './faults.ts';
import { type Generation, openGeneration, type SetAsideReason } from './generations.ts';
import type { IndexedDbLedger, IndexedDbLedgerOptions, LedgerHealth } from './ledger-in-browser.ts';
import { type HeadRecord, storeNames } from './schema.ts';
import { createReader, type Reader } from './store.ts';
import { append, learn, record, redeem, release, replaceLearned, settle, type Transaction } from './transactions.ts';
import { type ChainReport, verifyJournal } from './verify-chain.ts';

/**
 * Opens the ledger that `hold` is for, or makes it; `setAside` names the database that was found damaged. When it
 * rejects the hold stays with the caller. Rejects with `ledger_newer`, `ledger_full` or `ledger_io`.
 */
export async function openIndexedDbLedger(
	options: IndexedDbLedgerOptions,
): Promise<{ ledger: IndexedDbLedger; setAside?: string }> {
	const ledger = new LedgerInBrowser(options);
	await ledger.open();
	const { setAside } = ledger.health();
	return { ledger, ...(setAside === undefined ? {} : { setAside }) };
}

class LedgerInBrowser implements IndexedDbLedger {
	readonly #options: IndexedDbLedgerOptions;
	#generation: Generation | undefined;
	/** The head after the newest commit of this tab; what decides is read anew in each transaction. */
	#head: HeadRecord | undefined;
	/** Why the database must be opened anew before it is used again. */
	#suspect: 'trusted' | SetAsideReason | undefined;
	#opening: Promise<void> | undefined;
	#closing: Promise<void> | undefined;
	#state: LedgerHealth['state'] = 'ok';
	#integrity: LedgerHealth['integrity'] = 'unchecked';
	#setAside: string | undefined;
	readonly #denied = new Map<RedemptionId, Redeemed>();
	/** Redemptions whose commit failed: their rows may still be found, and must not stay granted. */
	readonly #doubtful = new Set<RedemptionId>();
	readonly #denials: DenialWriter;
	#verified: Promise<ChainReport | undefined> = Promise.resolve(undefined);

	constructor(options: IndexedDbLedgerOptions) {
		this.#options = options;
		const { log, later = byTimeout } = options;
		this.#denials = new DenialWriter({
			...{ nowMs: () => this.#nowMs(), write: (rows) => this.#writeDenials(rows), later, log },
		});
	}

	async open(): Promise<void> {
		await this.#open('trusted');
		if (this.#options.verifyAtStart !== false) this.#verified = this.#verify();
	}

	get epoch(): string {
		return this.#known().epoch;
	}

	get verified(): Promise<ChainReport | undefined> {
		return this.#verified;
	}

	async history(request: RedeemRequest): Promise<History> {
		return this.#read(async (reader, head) => {
			const at = { ownThrough: head.ownThrough, atMs: ledgerTime(head, request.atMs) };
			return (await reader.history(request, at)).history;
		});
	}

	async redeem(request: RedeemRequest, decide: (history: History) => Decision): Promise<Redeemed> {
		const { redemptionId } = request;
		const denied = this.#denied.get(redemptionId);
		if (denied !== undefined) return denied;
		try {
			const answer = await this.#write((tx) => redeem(tx, request, decide));
			if (answer.kind === 'denied') keepAnswer(this.#denied, redemptionId, answer);
			return answer;
		} catch (error) {
			if (codeOf(error) === 'ledger_io') this.#doubtful.add(redemptionId);
			throw error;
		}
	}

	async settle(settlement: Settlement, atMs: number): Promise<void> {
		await this.#write((tx) => settle(tx, settlement, atMs));
	}

	async record(fact: Fact, atMs: number): Promise<void> {
		assertRecordable(fact);
		await this.#write((tx) => record(tx, fact, atMs));
	}

	deny(denial: Denial): void {
		this.#denials.add(denial);
	}

	async flush(): Promise<void> {
		await this.#denials.flush();
	}

	async openGrants(): Promise<readonly Grant[]> {
		return this.#read((reader) => reader.openGrants());
	}

	async lanes(): Promise<readonly LaneMemory[]> {
		return this.#read((reader) => reader.lanes());
	}

	async learn(changes: readonly Learned[], notes: Notes = {}): Promise<void> {
		await this.#write((tx) => learn(tx, changes, notes));
	}

	async replaceLearned(state: LearnedState): Promise<void> {
		await this.#write((tx) => replaceLearned(tx, state));
	}

	async release(redemptionId: RedemptionId, lane: string, atMs: number): Promise<'found' | 'released'> {
		return this.#write((tx) => release(tx, { redemptionId, lane }, atMs));
	}

	async beginEpoch(): Promise<void> {
		await this.#usable();
		this.#assertHeld();
		this.#suspect = 'behind';
		await this.#usable();
		// Its answers belong to the journal that was left.
		this.#denied.clear();
	}

	async rows(after: number, limit: number): Promise<readonly JournalRow[]> {
		return (await this.stored(after, limit)).rows.map(({ text }) => parseRow(text));
	}

	async stored(after: number, limit: number): Promise<StoredRun> {
		assert(limit >= 1 && limit <= rowsLimitMax, `rows are read 1 to ${rowsLimitMax} at a time`);
		return this.#read(async (reader) => {
			const [before, rows] = await Promise.all([reader.hashAt(after), reader.journalAfter(after, limit)]);
			return { before, rows };
		});
	}

	async newestSeq(): Promise<number> {
		return this.#read(async (_, { seq }) => seq);
	}

	async latestMs(): Promise<number> {
		return this.#read(async (_, { atMs }) => atMs);
	}

	async clockEpoch(): Promise<number> {
		return this.#read(async (_, { clockEpoch }) => clockEpoch);
	}

	async remember(name: string, value: string): Promise<void> {
		await this.#write(async ({ store }) => store.putNotes({ [name]: value }));
	}

	async recall(name: string): Promise<string | undefined> {
		return this.#read((reader) => reader.note(name));
	}

	health(): LedgerHealth {
		const isLost = this.#state !== 'closed' && !this.#options.hold.isHeld();
		return {
			state: isLost ? 'ledger_busy' : this.#state,
			integrity: this.#integrity,
			rows: this.#head?.seq ?? 0,
			denialsWaiting: this.#denials.waiting,
			...(this.#setAside === undefined ? {} : { setAside: this.#setAside }),
		};
	}

	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		await this.#denials.close();
		this.#state = 'closed';
		await this.#verified;
		await this.#opening?.catch(() => undefined);
		this.#generation?.db.close();
		await this.#options.hold.release();
	}

	#known(): HeadRecord {
		assert(this.#head !== undefined, 'a ledger is open before it is given out');
		return this.#head;
	}

	async #open(state: 'trusted' | SetAsideReason): Promise<void> {
		const { hold, device, newEpoch, log } = this.#options;
		const { name, token: holder } = hold;
		this.#generation?.db.close();
		this.#generation = undefined;
		const events = { onBlocked: () => log('ledger_blocked', { name }), onLost: () => this.#lose() };
		const opened = await openGeneration({ name, device, newEpoch, holder, events }, state);
		this.#generation = opened;
		this.#head = opened.head;
		if (opened.setAside === undefined) return;
		this.#setAside = opened.setAside.name;
		this.#integrity = 'unchecked';
		log('ledger_set_aside', { ...opened.setAside, epoch: opened.head.epoch });
	}

	#lose(): void {
		if (this.#state !== 'closed') this.#suspect ??= 'trusted';
	}

	async #usable(): Promise<Generation> {
		if (this.#state === 'closed') throw new StilewardError('ledger_io', 'the ledger is closed');
		while (this.#suspect !== undefined || this.#opening !== undefined) await this.#reopen();
		assert(this.#generation !== undefined, 'a ledger that opened has a generation');
		return this.#generation;
	}

	/** Never retried in place: what failed is closed, opened anew and its end verified before anything is granted on it. */
	#reopen(): Promise<void> {
		this.#opening ??= this.#openAnew(this.#suspect ?? 'trusted').finally(() => {
			this.#opening = undefined;
		});
		return this.#opening;
	}

	async #openAnew(state: 'trusted' | SetAsideReason): Promise<void> {
		this.#assertHeld();
		try {
			await this.#open(state);
		} catch (error) {
			throw this.#fault(error);
		}
		// What was found meanwhile, or asked for by beginEpoch, is still to be done.
		if (this.#suspect === state) this.#suspect = undefined;
		const { epoch, seq } = this.#known();
		this.#options.log('ledger_recovered', { epoch, rows: seq });
		await this.#takeBackDoubtful();
	}

	/** A commit that failed may have arrived all the same: the visitor was told no, so the use goes back. */
	async #takeBackDoubtful(): Promise<void> {
		for (const redemptionId of this.#doubtful) {
			const back = { redemptionId, outcome: 'not_taken', taken: 0, back: true, counted: false } as const;
			if (this.#generation !== undefined) {
				await this.#transact(this.#generation, (tx) => settle(tx, back, this.#nowMs()));
			}
			this.#doubtful.delete(redemptionId);
		}
	}

	#assertHeld(): void {
		if (this.#options.hold.isHeld()) return;
		throw new StilewardError('ledger_busy', `another tab has taken over the ledger ${this.#options.hold.name}`);
	}

	async #read<T>(work: (reader: Reader, head: HeadRecord) => Promise<T>): Promise<T> {
		const generation = await this.#usable();
		if (generation !== this.#generation) return this.#read(work);
		try {
			const reader = createReader(generation.db.transaction(storeNames, 'readonly'));
			const head = await reader.head();
			return await work(reader, assertHead(head));
		} catch (error) {
			throw this.#fault(error);
		}
	}

	async #write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
		const generation = await this.#usable();
		return generation === this.#generation ? this.#transact(generation, work) : this.#write(work);
	}

	async #transact<T>(generation: Generation, work: (tx: Transaction) => Promise<T>): Promise<T> {
		this.#assertHeld();
		try {
			const { result, before, after } = await commit(generation.db, async (store) => {
				const found = assertHead(await store.head());
				const claimed = this.#claimed(found);
				const tx: Transaction = { store, head: claimed };
				const answer = await work(tx);
				// A refusal writes nothing, the claim neither: it is an answer on a full phone as well.
				if (tx.head === claimed) return { result: answer, before: found, after: found };
				store.putHead(tx.head);
				return { result: answer, before: found, after: tx.head };
			});
			if (generation === this.#generation) this.#head = after;
			if (after.seq !== before.seq) this.#wroteRows();
			return result;
		} catch (error) {
			throw this.#fault(error);
		}
	}

	/** Only a row proves that the disk takes one. */
	#wroteRows(): void {
		this.#state = 'ok';
		this.#options.onRows?.();
	}

	/** A tab that another one has written after is out, also while the browser has not told it yet. */
	#claimed(head: HeadRecord): HeadRecord {
		const { name, token } = this.#options.hold;
		if (head.holder === token) return head;
		if (this.#head?.holder !== token) return { ...head, holder: token };
		throw new StilewardError('ledger_busy', `another tab has taken over the ledger ${name}`);
	}

	#fault(error: unknown): unknown {
		const { hold, log } = this.#options;
		const fault = faultOf(error, hold.name);
		if (fault === undefined) return error;
		if (fault.code !== this.#state) log('ledger_fault', { code: fault.code, message: fault.message });
		this.#state = fault.code;
		if (fault.code === 'ledger_corrupt') this.#suspect = 'corrupt';
		if (fault.code === 'ledger_io') this.#suspect ??= 'trusted';
		return fault;
	}

	/** Never before the newest row: what a denial's minute ends by. */
	#nowMs(): number {
		return Math.max((this.#options.nowMs ?? Date.now)(), this.#head?.atMs ?? 0);
	}

	async #writeDenials(rows: readonly WaitingDenial[]): Promise<void> {
		if (rows.length === 0) return;
		await this.#write(async (tx) => {
			for (const { fact, atMs } of rows) append(tx, fact, atMs);
		});
	}

	async #verify(): Promise<ChainReport | undefined> {
		const generation = this.#generation;
		if (generation === undefined) return undefined;
		this.#integrity = 'checking';
		const isStopped = () => this.#closing !== undefined || generation !== this.#generation;
		try {
			const report = await verifyJournal(generation.db, isStopped);
			if (report === undefined || isStopped()) this.#integrity = 'unchecked';
			else this.#judge(report);
			return report;
		} catch (error) {
			this.#options.log('ledger_verification_failed', { message: String(error) });
			this.#integrity = 'unchecked';
			return undefined;
		}
	}

	/** A broken chain is damage: the next use finds a new epoch. */
	#judge({ ok, rows, problems }: ChainReport): void {
		this.#integrity = ok ? 'whole' : 'damaged';
		this.#options.log(ok ? 'ledger_verified' : 'ledger_damaged', { rows, problems });
		if (!ok) this.#suspect = 'corrupt';
	}
}

function byTimeout(work: () => void, inMs: number): () => void {
	const timer = setTimeout(work, inMs);
	return () => clearTimeout(timer);
}

function assertHead(head: HeadRecord | undefined): HeadRecord {
	if (head === undefined) throw new StilewardError('ledger_corrupt', 'the head of the journal is gone');
	return head;
}

function codeOf(error: unknown): string {
	return error instanceof StilewardError ? error.code : 'bug';
}
