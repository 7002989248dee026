import { StilewardError } from '../../../gate-agent/core/errors.ts';

/** How entries are gathered into batches. */
export interface GatheringOptions<Entry, Answer> {
	/** Writes a batch; answers come in its order, and all of it is durable when the promise resolves. */
	readonly write: (batch: readonly Entry[]) => Promise<readonly Answer[]>;
	/** What an entry weighs against the limits: its rows. */
	readonly weightOf: (entry: Entry) => number;
	/** No batch weighs more, unless one entry alone does. */
	readonly weightMax: number;
	/** Entries that weigh more than this in sum are turned away with `server_busy`. */
	readonly waitingMax: number;
}

/**
 * A queue in front of a store that pays for one durable commit per batch. A batch is what arrives in one turn of the
 * event loop, or while another is written: nobody waits for company, and the busier it is, the larger batches are.
 */
export interface GatheringQueue<Entry, Answer> {
	/** Adds an entry. Rejects with `server_busy` where too much waits, and with what the store says of this entry. */
	add(entry: Entry): Promise<Answer>;
	/** What waits now, in weight. */
	waiting(): number;
	/** Takes no more entries and resolves once all are answered. */
	drain(): Promise<void>;
}

/** After this many failures in a row the store itself is at fault, not one entry of the batch. */
const failuresMax = 3;

interface Waiting<Entry, Answer> {
	readonly entry: Entry;
	readonly weight: number;
	readonly resolve: (answer: Answer) => void;
	readonly reject: (error: unknown) => void;
}

/** Makes an empty queue. */
export function createGatheringQueue<Entry, Answer>(
	options: GatheringOptions<Entry, Answer>,
): GatheringQueue<Entry, Answer> {
	const queue: Waiting<Entry, Answer>[] = [];
	const ended: (() => void)[] = [];
	let weight = 0;
	let writing = false;
	let closed = false;
	let soon = false;

	async function flush(): Promise<void> {
		soon = false;
		writing = true;
		const batch = takeBatch(queue, options.weightMax);
		await writeBatch(batch, options.write);
		weight -= sum(batch);
		writing = false;
		if (queue.length > 0) schedule();
		else if (closed) for (const resolve of ended.splice(0)) resolve();
	}

	function schedule(): void {
		if (writing || soon) return;
		soon = true;
		setImmediate(() => void flush());
	}

	return {
		add: (entry) =>
			new Promise((resolve, reject) => {
				const own = options.weightOf(entry);
				if (closed) reject(new StilewardError('server_busy', 'the server is stopping'));
				else if (weight > 0 && weight + own > options.waitingMax) {
					reject(new StilewardError('server_busy', 'the server has more to write than it can at once'));
				} else {
					queue.push({ entry, weight: own, resolve, reject });
					weight += own;
					schedule();
				}
			}),
		waiting: () => weight,
		drain: () =>
			new Promise((resolve) => {
				closed = true;
				ended.push(resolve);
				if (!writing && queue.length === 0) for (const each of ended.splice(0)) each();
				else schedule();
			}),
	};
}

function takeBatch<E, A>(queue: Waiting<E, A>[], weightMax: number): readonly Waiting<E, A>[] {
	let weight = 0;
	let count = 0;
	for (const { weight: own } of queue) {
		if (count > 0 && weight + own > weightMax) break;
		weight += own;
		count += 1;
	}
	return queue.splice(0, count);
}

/** Writes a batch; where it fails, each entry alone, so that one that the store cannot take harms no other. */
async function writeBatch<E, A>(
	batch: readonly Waiting<E, A>[],
	write: GatheringOptions<E, A>['write'],
): Promise<void> {
	const failure = await attempt(batch, write);
	if (failure === undefined) return;
	if (batch.length === 1) {
		batch[0]?.reject(failure.error);
		return;
	}
	let failures = 0;
	for (const waiting of batch) {
		const alone = failures < failuresMax ? await attempt([waiting], write) : failure;
		failures = alone === undefined ? 0 : failures + 1;
		if (alone !== undefined) waiting.reject(alone.error);
	}
}

async function attempt<E, A>(
	batch: readonly Waiting<E, A>[],
	write: GatheringOptions<E, A>['write'],
): Promise<{ readonly error: unknown } | undefined> {
	try {
		const answers = await write(batch.map(({ entry }) => entry));
		if (answers.length !== batch.length) throw new Error('assertion failed: a store answers every entry');
		// One answer for each entry, as was just checked.
		batch.forEach(({ resolve }, at) => void resolve(answers[at] as A));
		return undefined;
	} catch (error) {
		return { error };
	}
}

function sum(batch: readonly { readonly weight: number }[]): number {
	return batch.reduce((total, { weight }) => total + weight, 0);
}
