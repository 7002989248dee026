import { setTimeout as sleep } from 'node:timers/promises';
import { StilewardError } from './core/errors.ts';
import { within } from './within.ts';

/** Facts that wait for a full disk to get space; those beyond it are lost, and the log says so. */
const pendingMax = 1_000;

/**
 * What is never dropped: a use would stay held, or a lane would forget its mode or its emergency. Each settlement has
 * a durable grant before it and each `lane` row a person, so that a full disk bounds both.
 */
const neverDropped: ReadonlySet<string> = new Set(['settlement', 'lane']);

/** How long to wait before a failed write is tried again. */
const retryMs = 500;

/** Writes settlements and facts one after the other, and again until they are durable. */
export interface LedgerWriter {
	/** Queues a write. It runs after all earlier ones; a full disk delays it. */
	write(what: string, work: () => Promise<void>): void;
	/** Resolves when all is written, or after `withinMs`. */
	drain(withinMs: number): Promise<void>;
	readonly pending: number;
}

/** What the writer tells of. */
export interface WriterEvents {
	readonly onFailing: (what: string, error: StilewardError) => void;
	readonly onDropped: (what: string) => void;
}

/**
 * The order of settlements is the order of events at the lane, so a write that fails blocks those behind it. An error
 * that is not one of operation is a bug and passes on.
 */
export function createLedgerWriter({ onFailing, onDropped }: WriterEvents): LedgerWriter {
	let tail = Promise.resolve();
	let pending = 0;
	const untilDurable = async (what: string, work: () => Promise<void>) => {
		for (let told = false; ; told = true) {
			try {
				return await work();
			} catch (error) {
				if (!(error instanceof StilewardError)) throw error;
				if (!told) onFailing(what, error);
				await sleep(retryMs, undefined, { ref: false });
			}
		}
	};
	return {
		write: (what, work) => {
			if (pending >= pendingMax && !neverDropped.has(what)) return onDropped(what);
			pending += 1;
			tail = tail
				.then(() => untilDurable(what, work))
				.finally(() => {
					pending -= 1;
				});
		},
		drain: (withinMs) => within(tail, withinMs),
		get pending() {
			return pending;
		},
	};
}
