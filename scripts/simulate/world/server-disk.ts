import Sqlite from 'better-sqlite3';
import type { Store } from '../../../sync/server/store.ts';
import { sqliteStoreOf } from '../../../sync/server/stores/sqlite.ts';

/** The disk of a server: an SQLite database that outlives every process. */
export interface ServerDisk {
	/** The real store, slowed down by the time that a disk takes. */
	readonly store: Store;
	/** Reads what is durable, without the program: an auditor with the disk in hand. */
	read<Row>(query: string): readonly Row[];
	/** A copy of all that is durable now. */
	copy(): Buffer;
}

/** Opens a disk, empty or from a copy. `delayMs` is drawn for each end of each call. */
export async function openServerDisk(copy: Buffer | undefined, delayMs: () => number): Promise<ServerDisk> {
	const file = copy === undefined ? new Sqlite(':memory:') : new Sqlite(copy);
	return {
		store: slowed(await sqliteStoreOf(file), delayMs),
		// The caller names the columns that it asked for.
		read: <Row>(query: string) => file.prepare(query).all() as Row[],
		copy: () => file.serialize(),
	};
}

/** The same store, whose calls take time before they begin and before their answer comes: so they overlap. */
function slowed(store: Store, delayMs: () => number): Store {
	const wait = () => new Promise<void>((resolve) => void setTimeout(resolve, delayMs()));
	const methods = Object.entries(store).map(([name, method]) => {
		// Every member of a store is a method that gives a promise.
		const call = method as (...given: unknown[]) => Promise<unknown>;
		const slow = async (...given: unknown[]) => {
			await wait();
			const answer = await call(...given);
			await wait();
			return answer;
		};
		return [name, slow];
	});
	// Each name keeps its own method.
	return Object.fromEntries(methods) as Store;
}
