import { setImmediate as nextTurn } from 'node:timers/promises';
import { StilewardError } from '../../../gate-agent/core/errors.ts';

/** Work that waits above this is refused at once: the caller asks again. */
const waitingMax = 20_000;

/** What a group commit needs. */
export interface GroupOptions<Item, Result> {
	/** Commits items in one transaction; results come in the same order. */
	commit(items: readonly Item[]): Promise<readonly Result[]>;
	/** Items in one transaction; a call with more of them gets one of its own. */
	readonly itemsMax: number;
	/** Transactions at once. */
	readonly writersMax: number;
}

interface Call<Item, Result> {
	readonly items: readonly Item[];
	readonly resolve: (results: readonly Result[]) => void;
	readonly reject: (error: unknown) => void;
}

/**
 * Makes calls that come while a commit is under way share the next one: a disk sync costs the same for one claim as for
 * a thousand, and nobody waits for a timer. Where a shared commit fails, each call is tried alone, so that one bad call
 * takes no other with it.
 */
export function groupCommit<Item, Result>(
	options: GroupOptions<Item, Result>,
): (items: readonly Item[]) => Promise<readonly Result[]> {
	const { commit, itemsMax, writersMax } = options;
	const waiting: Call<Item, Result>[] = [];
	let count = 0;
	let writers = 0;

	const next = (): Call<Item, Result>[] => {
		let items = 0;
		const fits = waiting.findIndex((call, index) => {
			items += call.items.length;
			return index > 0 && items > itemsMax;
		});
		const calls = waiting.splice(0, fits === -1 ? waiting.length : fits);
		count -= calls.reduce((sum, call) => sum + call.items.length, 0);
		return calls;
	};

	const run = async () => {
		writers += 1;
		// Calls of this turn of the event loop join before the first commit begins.
		await nextTurn();
		while (waiting.length > 0) await settle(next(), commit);
		writers -= 1;
	};

	return (items) => {
		if (items.length === 0) return Promise.resolve([]);
		if (count + items.length > waitingMax) {
			return Promise.reject(new StilewardError('store_busy', `${count} items already wait for the store`));
		}
		return new Promise((resolve, reject) => {
			waiting.push({ items, resolve, reject });
			count += items.length;
			if (writers < writersMax) void run();
		});
	};
}

async function settle<Item, Result>(
	calls: readonly Call<Item, Result>[],
	commit: GroupOptions<Item, Result>['commit'],
): Promise<void> {
	try {
		const results = await commit(calls.flatMap((call) => call.items));
		let from = 0;
		for (const call of calls) {
			call.resolve(results.slice(from, from + call.items.length));
			from += call.items.length;
		}
	} catch (error) {
		if (calls.length === 1) calls[0]?.reject(error);
		else for (const call of calls) await settle([call], commit);
	}
}
