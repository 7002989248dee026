import { type Database, storeNames } from './schema.ts';
import { createStore, type Store } from './store.ts';

/**
 * One transaction: what it reads and what it writes. Resolves once the browser says that it is on the disk, which is
 * later than the last write. Rejects with the reason why the browser ended it, or with what `work` threw; then nothing
 * of it was written.
 */
export async function commit<T>(db: Database, work: (store: Store) => Promise<T>): Promise<T> {
	// The default is relaxed: it answers before the disk has anything.
	const tx = db.transaction(storeNames, 'readwrite', { durability: 'strict' });
	const ended = tx.done.then(
		() => undefined,
		(error: unknown) => error ?? new DOMException('the transaction was aborted', 'AbortError'),
	);
	try {
		const result = await work(createStore(tx));
		tx.commit();
		const failure = await ended;
		if (failure !== undefined) throw failure;
		return result;
	} catch (error) {
		abort(tx);
		await ended;
		// The cause: a request of a transaction that the browser ended says no more than that.
		throw tx.error ?? error;
	}
}

function abort(tx: Pick<IDBTransaction, 'abort'>): void {
	try {
		tx.abort();
	} catch {
		// It has ended by itself.
	}
}
