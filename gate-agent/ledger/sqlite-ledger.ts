import type { Decision, History } from '../core/decide.ts';
import { addDenial, type Denials, denialsDueInMs, noDenials, takeAllDenials, takeDenials } from '../core/denials.ts';
import { assert, StilewardError } from '../core/errors.ts';
import { genesisHash, ledgerTime, parseRow } from '../core/journal.ts';
import type {
	Denial,
	LaneMemory,
	Learned,
	LearnedState,
	Notes,
	Redeemed,
	RedeemRequest,
	StoredRun,
} from '../core/ledger.ts';
import { assertRecordable, keepAnswer, rowsLimitMax } from '../core/ledger-rules.ts';
import type { Fact, Grant, JournalRow, RedemptionId, Settlement } from '../core/redemption.ts';
import { type BackgroundJob, backupInBackground, verifyInBackground } from './background.ts';
import { type Checkpointer, createCheckpointer } from './checkpointer.ts';
import { checkpoint, walBacklogBytes } from './connection.ts';
import { faultOf } from './faults.ts';
import type { LedgerHealth, SqliteLedger, SqliteLedgerOptions } from './ledger-on-disk.ts';
import { type Lock, takeLock } from './lock.ts';
import { type FileState, type LedgerFile, makeFolder, openLedgerFile } from './open-file.ts';
import type { Store } from './store.ts';
import { append, learn, record, redeem, release, replaceLearned, settle, type Transaction } from './transactions.ts';
import type { LedgerReport } from './verify-file.ts';

/** How long denials wait after a write of them failed. */
const denialRetryMs = 5_000;

/**
 * Opens the ledger of a data folder, or makes it; `setAside` names the file that was found damaged.
 * Rejects with `ledger_busy`, `ledger_newer`, `ledger_full` or `ledger_io`.
 */
export async function openSqliteLedger(
	options: SqliteLedgerOptions,
): Promise<{ ledger: SqliteLedger; setAside?: string }> {
	const lock = lockFolder(options.dir);
	try {
		const ledger = new LedgerOnDisk(options, lock);
		const { setAside } = ledger.health();
		return { ledger, ...(setAside === undefined ? {} : { setAside }) };
	} catch (error) {
		lock.release();
		throw error;
	}
}

function lockFolder(dir: string): Lock {
	try {
		makeFolder(dir);
		return takeLock(dir);
	} catch (error) {
		throw faultOf(error, dir) ?? error;
	}
}

class LedgerOnDisk implements SqliteLedger {
	readonly #options: SqliteLedgerOptions;
	readonly #nowMs: () => number;
	readonly #lock: Lock;
	#file: LedgerFile;
	/** Why the file must be opened anew before it is used again. */
	#suspect: 'suspect' | 'damaged' | undefined;
	#state: LedgerHealth['state'] = 'ok';
	#integrity: LedgerHealth['integrity'] = 'unchecked';
	#setAside: string | undefined;
	#verification: BackgroundJob<LedgerReport> | undefined;
	readonly #denied = new Map<RedemptionId, Redeemed>();
	/** Redemptions whose commit failed: their rows may still be found on the disk, and must not stay granted. */
	readonly #doubtful = new Set<RedemptionId>();
	#denials: Denials = noDenials;
	#denialTimer: NodeJS.Timeout | undefined;
	readonly #checkpointer: Checkpointer;
	readonly verified: Promise<LedgerReport | undefined>;

	constructor(options: SqliteLedgerOptions, lock: Lock) {
		this.#options = options;
		this.#nowMs = options.nowMs ?? Date.now;
		this.#lock = lock;
		// Monotonic, so that a clock that is set does not end or begin an idle time.
		this.#checkpointer = createCheckpointer({ nowMs: () => performance.now(), log: options.log });
		this.#file = this.#open('trusted');
		this.verified = options.verifyAtStart === false ? Promise.resolve(undefined) : this.#verify();
	}

	get epoch(): string {
		return this.#file.epoch;
	}

	async history(request: RedeemRequest): Promise<History> {
		return this.#read((store) => store.history(request, ledgerTime(this.#file.head, request.atMs)).history);
	}

	async redeem(request: RedeemRequest, decide: (history: History) => Decision): Promise<Redeemed> {
		const { redemptionId } = request;
		const denied = this.#denied.get(redemptionId);
		if (denied !== undefined) return denied;
		try {
			const answer = this.#write((tx) => redeem(tx, request, decide));
			if (answer.kind === 'denied') keepAnswer(this.#denied, redemptionId, answer);
			return answer;
		} catch (error) {
			if (this.#suspect === 'suspect') this.#doubtful.add(redemptionId);
			throw error;
		}
	}

	async settle(settlement: Settlement, atMs: number): Promise<void> {
		this.#write((tx) => settle(tx, settlement, atMs));
	}

	async record(fact: Fact, atMs: number): Promise<void> {
		assertRecordable(fact);
		this.#write((tx) => record(tx, fact, atMs));
	}

	deny(denial: Denial): void {
		if (this.#state === 'closed') return;
		this.#denials = addDenial(this.#denials, denial);
		this.#armDenials();
	}

	async flush(): Promise<void> {
		this.#flushDenials();
	}

	async openGrants(): Promise<readonly Grant[]> {
		return this.#read((store) => store.openGrants());
	}

	async lanes(): Promise<readonly LaneMemory[]> {
		return this.#read((store) => store.lanes());
	}

	async learn(changes: readonly Learned[], notes: Notes = {}): Promise<void> {
		this.#write((tx) => learn(tx, changes, notes));
	}

	async replaceLearned(state: LearnedState): Promise<void> {
		this.#write((tx) => replaceLearned(tx, state));
	}

	async release(redemptionId: RedemptionId, lane: string, atMs: number): Promise<'found' | 'released'> {
		return this.#write((tx) => release(tx, { redemptionId, lane }, atMs));
	}

	async beginEpoch(): Promise<void> {
		this.#usable();
		this.#reopen('behind');
		// Its answers belong to the journal that was left.
		this.#denied.clear();
	}

	async rows(after: number, limit: number): Promise<readonly JournalRow[]> {
		assert(limit >= 1 && limit <= rowsLimitMax, `rows are read 1 to ${rowsLimitMax} at a time`);
		return this.#read((store) => store.journalAfter(after, limit).map(({ text }) => parseRow(text)));
	}

	async stored(after: number, limit: number): Promise<StoredRun> {
		assert(limit >= 1 && limit <= rowsLimitMax, `rows are read 1 to ${rowsLimitMax} at a time`);
		return this.#read((store) => {
			const found = after === 0 ? store.journalAfter(0, limit) : store.journalAfter(after - 1, limit + 1);
			const [before, ...others] = found;
			const rows = after === 0 ? found : others;
			return {
				before: new Uint8Array((after === 0 ? undefined : before?.hash) ?? genesisHash),
				rows: rows.map((row) => ({ ...row, hash: new Uint8Array(row.hash) })),
			};
		});
	}

	async newestSeq(): Promise<number> {
		return this.#read(() => this.#file.head.seq);
	}

	async latestMs(): Promise<number> {
		return this.#read(() => this.#file.head.atMs);
	}

	async clockEpoch(): Promise<number> {
		return this.#read(() => this.#file.head.clockEpoch);
	}

	async remember(name: string, value: string): Promise<void> {
		this.#write(({ store }) => store.putNote(name, value));
	}

	async recall(name: string): Promise<string | undefined> {
		return this.#read((store) => store.note(name));
	}

	async backup(path: string): Promise<void> {
		this.#usable();
		await backupInBackground(this.#file.db.name, path).result;
	}

	health(): LedgerHealth {
		const { db, head } = this.#file;
		return {
			state: this.#state,
			integrity: this.#integrity,
			rows: head.seq,
			walBytes: db.open && this.#suspect === undefined ? walBacklogBytes(db) : 0,
			denialsWaiting: this.#denials.waiting.size,
			...(this.#setAside === undefined ? {} : { setAside: this.#setAside }),
		};
	}

	async close(): Promise<void> {
		if (this.#state === 'closed') return;
		clearTimeout(this.#denialTimer);
		this.#checkpointer.stop();
		try {
			this.#writeDenials(takeAllDenials(this.#denials, this.#nowMs()));
		} catch (error) {
			// A full disk at the end costs some refused scans in the journal, never an admission.
			this.#options.log('denials_lost', { code: codeOf(error), count: this.#denials.waiting.size });
		}
		this.#state = 'closed';
		await this.#verification?.stop();
		await this.verified;
		this.#closeFile('TRUNCATE');
		this.#lock.release();
	}

	#open(state: FileState): LedgerFile {
		const { dir, device, newEpoch, maxBytes, log } = this.#options;
		const file = openLedgerFile({ dir, device, newEpoch, nowMs: this.#nowMs, maxBytes }, state);
		if (file.setAside !== undefined) {
			this.#setAside = file.setAside.path;
			this.#integrity = 'unchecked';
			log('ledger_set_aside', { ...file.setAside, epoch: file.epoch });
		}
		return file;
	}

	#usable(): LedgerFile {
		if (this.#state === 'closed') throw new StilewardError('ledger_io', 'the ledger is closed');
		if (this.#suspect !== undefined) this.#reopen(this.#suspect);
		return this.#file;
	}

	/** Never retried in place: what failed is closed, opened anew and verified before anything is granted on it. */
	#reopen(state: Exclude<FileState, 'trusted'>): void {
		this.#closeFile();
		this.#file = this.#open(state);
		this.#suspect = undefined;
		this.#options.log('ledger_recovered', { epoch: this.#file.epoch, rows: this.#file.head.seq });
		this.#takeBackDoubtful();
	}

	/** A commit that failed may have reached the disk all the same: the visitor was told no, so the use goes back. */
	#takeBackDoubtful(): void {
		for (const redemptionId of this.#doubtful) {
			const back = { redemptionId, outcome: 'not_taken', taken: 0, back: true, counted: false } as const;
			this.#write((tx) => settle(tx, back, this.#nowMs()));
			this.#doubtful.delete(redemptionId);
		}
	}

	#read<T>(work: (store: Store) => T): T {
		const file = this.#usable();
		try {
			return work(file.store);
		} catch (error) {
			throw this.#fault(error);
		}
	}

	#write<T>(work: (tx: Transaction) => T): T {
		const file = this.#usable();
		const tx: Transaction = { store: file.store, head: file.head };
		try {
			const before = file.store.changes();
			const result = file.transact(() => work(tx));
			const isLonger = tx.head.seq !== file.head.seq;
			file.head = tx.head;
			if (isLonger) this.#options.onRows?.();
			const written = file.store.changes() - before;
			// Only a write proves that the disk takes one: a refusal reads and commits nothing.
			if (written === 0) return result;
			this.#state = 'ok';
			this.#checkpointer.wrote(file.db, written);
			return result;
		} catch (error) {
			throw this.#fault(error);
		}
	}

	#fault(error: unknown): unknown {
		const fault = faultOf(error, this.#options.dir);
		if (fault === undefined) return error;
		if (fault.code !== this.#state) this.#options.log('ledger_fault', { code: fault.code, message: fault.message });
		this.#state = fault.code;
		if (fault.code === 'ledger_corrupt') this.#suspect = 'damaged';
		if (fault.code === 'ledger_io') this.#suspect = 'suspect';
		// A file that must be opened anew is not written to before.
		if (this.#suspect !== undefined) this.#checkpointer.stop();
		return fault;
	}

	#closeFile(last?: 'TRUNCATE'): void {
		const { db } = this.#file;
		this.#checkpointer.stop();
		if (!db.open) return;
		try {
			if (last !== undefined && this.#suspect === undefined) checkpoint(db, last);
			db.close();
		} catch (error) {
			// What the log holds is safe there; the next start copies it back.
			this.#options.log('ledger_checkpoint_failed', { code: codeOf(error) });
			if (db.open) db.close();
		}
	}

	#armDenials(inMs = denialsDueInMs(this.#denials, this.#nowMs())): void {
		if (this.#denialTimer !== undefined || inMs === undefined) return;
		this.#denialTimer = setTimeout(() => {
			this.#denialTimer = undefined;
			try {
				this.#flushDenials();
				this.#armDenials();
			} catch (error) {
				this.#options.log('denials_waiting', { code: codeOf(error), count: this.#denials.waiting.size });
				this.#armDenials(denialRetryMs);
			}
		}, inMs).unref();
	}

	#flushDenials(): void {
		const nowMs = Math.max(this.#nowMs(), this.#file.head.atMs);
		const { rows, rest } = takeDenials(this.#denials, nowMs);
		this.#writeDenials(rows);
		this.#denials = rest;
	}

	#writeDenials(rows: ReturnType<typeof takeAllDenials>): void {
		if (rows.length === 0) return;
		this.#write((tx) => {
			for (const { fact, atMs } of rows) append(tx, fact, atMs);
		});
	}

	async #verify(): Promise<LedgerReport | undefined> {
		this.#integrity = 'checking';
		const checked = this.#file;
		this.#verification = verifyInBackground(checked.db.name);
		try {
			const report = await this.#verification.result;
			if (checked === this.#file) this.#judge(report);
			return report;
		} catch (error) {
			if (this.#state !== 'closed') this.#options.log('ledger_verification_failed', { message: String(error) });
			this.#integrity = 'unchecked';
			return undefined;
		}
	}

	#judge(report: LedgerReport): void {
		this.#integrity = report.ok ? 'whole' : 'damaged';
		const { log } = this.#options;
		log(report.ok ? 'ledger_verified' : 'ledger_damaged', { rows: report.rows, problems: report.problems });
		if (report.ok || this.#state === 'closed') return;
		try {
			this.#reopen('damaged');
		} catch (error) {
			this.#suspect = 'damaged';
			throw this.#fault(error);
		}
	}
}

function codeOf(error: unknown): string {
	return error instanceof StilewardError
		? error.code
		: error instanceof Error && 'code' in error
			? String(error.code)
			: 'bug';
}
