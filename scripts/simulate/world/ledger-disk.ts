import type { Decision } from '../../../gate-agent/core/decide.ts';
import type { StoredRow } from '../../../gate-agent/core/journal.ts';
import { type Denial, denialFlushMs, type LearnedState, type Ledger } from '../../../gate-agent/core/ledger.ts';
import { createMemoryLedger } from '../../../gate-agent/core/memory-ledger.ts';

/** A write that a ledger has made durable, as it can be made again on an empty one. */
type Write = (ledger: Ledger) => Promise<unknown>;

/** A row of a journal and where it belongs: named for ever by device, epoch and number. */
export interface DurableRow {
	readonly device: string;
	readonly epoch: string;
	readonly seq: number;
	readonly text: string;
}

/** What a disk needs of the world. */
export interface DiskOptions {
	readonly device: string;
	/** A new random name of a journal. */
	readonly newEpoch: () => string;
	/** Told of each row at the moment in which no crash can take it any more. */
	readonly onRow: (row: DurableRow) => void;
}

/**
 * The disk of a device. A ledger on it is the core's memory ledger; the disk keeps what was committed and makes the
 * ledger anew from it when a program opens it again.
 */
export interface LedgerDisk {
	/** Opens the ledger for a program. */
	open(program: ProgramOfDisk): Promise<Ledger>;
	/** The rows of the journal that is on the disk. */
	rows(): readonly DurableRow[];
	/** A name for how much is on it, to come back to. */
	readonly mark: number;
	/** An old copy of the disk is put in: everything after the mark is gone. No program may have it open. */
	goBack(mark: number): Promise<void>;
	/** A new disk is put in. */
	loseAll(): void;
}

/** The program that opens a disk. */
export interface ProgramOfDisk {
	/** Time that a write takes before it is durable, and time until the program knows. */
	readonly writeMs: () => readonly [before: number, after: number];
	/** Told after a write that made the journal longer. */
	readonly onRows: () => void;
	/** Told of the steps of each write. */
	readonly onStep: (write: string, step: 'begins' | 'is durable' | 'is known') => void;
}

/** Makes an empty disk. */
export function createLedgerDisk(options: DiskOptions): LedgerDisk {
	let epochs = [options.newEpoch()];
	let writes: Write[] = [];
	let rows: DurableRow[] = [];

	/** A ledger that gives the same names to its epochs as the one whose writes it repeats. */
	function emptyLedger(): Ledger {
		let used = 0;
		const nameOf = (place: number) => {
			epochs[place] ??= options.newEpoch();
			return epochs[place];
		};
		return createMemoryLedger({
			epoch: nameOf(0),
			device: options.device,
			newEpoch: () => {
				used += 1;
				return nameOf(used);
			},
		});
	}

	async function repeat(): Promise<Ledger> {
		const ledger = emptyLedger();
		for (const write of writes) await write(ledger);
		return ledger;
	}

	async function rowsOf(ledger: Ledger): Promise<DurableRow[]> {
		const stored = (await ledger.stored(0, 10_000)).rows;
		return stored.map(({ seq, text }: StoredRow) => ({ device: options.device, epoch: ledger.epoch, seq, text }));
	}

	return {
		open: async (program) =>
			ledgerOn(await repeat(), program, async (ledger, write) => {
				writes.push(write);
				const before = rows.at(-1);
				rows = await rowsOf(ledger);
				const isNew = (row: DurableRow) => row.epoch !== before?.epoch || row.seq > before.seq;
				const added = rows.filter(isNew);
				for (const row of added) options.onRow(row);
				if (added.length > 0) program.onRows();
			}),
		rows: () => rows,
		get mark() {
			return writes.length;
		},
		goBack: async (mark) => {
			writes = writes.slice(0, mark);
			const ledger = await repeat();
			rows = await rowsOf(ledger);
			// A journal that begins after this one gets a name of its own.
			epochs = epochs.slice(0, epochs.indexOf(ledger.epoch) + 1);
		},
		loseAll: () => {
			epochs = [options.newEpoch()];
			writes = [];
			rows = [];
		},
	};
}

type Commit = (ledger: Ledger, write: Write) => Promise<void>;

/** Makes writes one after the other, each in the time that a disk takes. */
interface Writer {
	/** `work` changes the ledger and gives its answer and how to repeat it; nothing to repeat is nothing written. */
	write<T>(name: string, work: () => Promise<{ readonly answer: T; readonly again?: Write }>): Promise<T>;
	/** A write that is repeated with the same call. */
	repeated<T>(name: string, again: (on: Ledger) => Promise<T>): Promise<T>;
}

function createWriter(ledger: Ledger, program: ProgramOfDisk, commit: Commit): Writer {
	const wait = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
	let tail: Promise<unknown> = Promise.resolve();
	const write: Writer['write'] = (name, work) => {
		const result = tail.then(async () => {
			const [beforeMs, afterMs] = program.writeMs();
			program.onStep(name, 'begins');
			await wait(beforeMs);
			const { answer, again } = await work();
			if (again !== undefined) await commit(ledger, again);
			program.onStep(name, 'is durable');
			await wait(afterMs);
			program.onStep(name, 'is known');
			return answer;
		});
		tail = result.catch(() => undefined);
		return result;
	};
	return { write, repeated: (name, again) => write(name, async () => ({ answer: await again(ledger), again })) };
}

/** Denials wait for a moment, as in the ledger on SQLite; a crash takes those that wait. */
function createDenials({ repeated }: Writer) {
	let waiting: Denial[] = [];
	let flushing: NodeJS.Timeout | undefined;
	const flush = (): Promise<void> => {
		clearTimeout(flushing);
		flushing = undefined;
		const denials = waiting;
		waiting = [];
		if (denials.length === 0) return Promise.resolve();
		return repeated('denials', async (on) => {
			for (const denial of denials) on.deny(denial);
			await on.flush();
		});
	};
	return {
		flush,
		deny: (denial: Denial) => {
			waiting.push(denial);
			flushing ??= setTimeout(() => void flush(), denialFlushMs);
		},
	};
}

/** The ledger as a program sees it: writes take time, come one after the other, and end with the program. */
function ledgerOn(ledger: Ledger, program: ProgramOfDisk, commit: Commit): Ledger {
	const writer = createWriter(ledger, program, commit);
	const { repeated } = writer;
	const { flush, deny } = createDenials(writer);
	return {
		get epoch() {
			return ledger.epoch;
		},
		history: (request) => ledger.history(request),
		redeem: (request, decide) =>
			writer.write('redeem', async () => {
				let decision: Decision | undefined;
				const answer = await ledger.redeem(request, (history) => {
					decision = decide(history);
					return decision;
				});
				const made = decision;
				if (answer.kind === 'denied' || made === undefined) return { answer };
				return { answer, again: (on) => on.redeem(request, () => made) };
			}),
		settle: (settlement, atMs) => repeated('settle', (on) => on.settle(settlement, atMs)),
		record: (fact, atMs) => repeated(`record ${fact.kind}`, (on) => on.record(fact, atMs)),
		deny,
		flush,
		openGrants: () => ledger.openGrants(),
		lanes: () => ledger.lanes(),
		learn: (changes, notes) => {
			// Iterables that can be read once are read here.
			const kept = changes.map((change) =>
				change.kind === 'list' ? { ...change, set: [...change.set], clear: [...(change.clear ?? [])] } : change,
			);
			return repeated('learn', (on) => on.learn(kept, notes));
		},
		replaceLearned: (state) => {
			const kept: LearnedState = { ...state, rights: [...state.rights] };
			return repeated('snapshot', (on) => on.replaceLearned(kept));
		},
		release: (redemptionId, lane, atMs) => repeated('release', (on) => on.release(redemptionId, lane, atMs)),
		beginEpoch: () => repeated('new epoch', (on) => on.beginEpoch()),
		rows: async (after, limit) => {
			await flush();
			return ledger.rows(after, limit);
		},
		stored: (after, limit) => ledger.stored(after, limit),
		newestSeq: () => ledger.newestSeq(),
		latestMs: () => ledger.latestMs(),
		clockEpoch: () => ledger.clockEpoch(),
		remember: (name, value) => repeated('note', (on) => on.remember(name, value)),
		recall: (name) => ledger.recall(name),
		close: flush,
	};
}
