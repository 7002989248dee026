import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from './schema.ts';

/** A value in a set of rows. */
export type Cell = string | number | null;

/** What the two databases say differently. Everything else is one text for both. */
export interface Dialect {
	readonly name: 'sqlite' | 'postgres';
	/** Turns a migration's text into this database's. */
	ddl(text: string): string;
	/** Rows as a table that a statement may read: one parameter for all of SQLite, one a column for PostgreSQL. */
	given(columns: readonly Column[], rows: readonly (readonly Cell[])[]): RawBuilder<unknown>;
	/** Ends a SELECT that locks its rows until the transaction ends. */
	readonly forUpdate: RawBuilder<unknown>;
	/** Keeps two servers from migrating at once. */
	lockSchema?(tx: Transaction<Tables>): Promise<void>;
	/** How many transactions may run at once. */
	readonly writersMax: number;
}

/** Begins or ends the text of a statement that a connection may send together with the next one. */
export const laterMark = '/* later */';

/**
 * Marks a statement that changes something and whose answer nobody needs: how many rows it changed is not said. A
 * failure is told by a later statement of the transaction, its end at the latest.
 */
export const later: RawBuilder<unknown> = sql.raw(laterMark);

/** A column of given rows. */
export interface Column {
	readonly name: string;
	readonly type: 'text' | 'bigint';
}

/** A transaction of a store. */
export interface Work {
	readonly tx: Transaction<Tables>;
	readonly dialect: Dialect;
}

/** An open database. */
export interface Database {
	readonly db: Kysely<Tables>;
	readonly dialect: Dialect;
}

/** Columns from a short text: `idx:bigint` or `evt`. */
export function columns(...texts: readonly string[]): readonly Column[] {
	return texts.map((text) => {
		const [name = '', type] = text.split(':');
		return { name, type: type === 'bigint' ? 'bigint' : 'text' };
	});
}

/** The names of columns, as a list for INSERT and SELECT. */
export function names(list: readonly Column[]): RawBuilder<unknown> {
	return sql.join(list.map(({ name }) => sql.ref(name)));
}

/** Runs work in one transaction that sees what was committed before each of its statements. */
export function transact<T>({ db, dialect }: Database, work: (work: Work) => Promise<T>): Promise<T> {
	return db
		.transaction()
		.setIsolationLevel('read committed')
		.execute((tx) => work({ tx, dialect }));
}

/** Runs reads that all see the same moment. */
export function readAtOnce<T>({ db, dialect }: Database, work: (work: Work) => Promise<T>): Promise<T> {
	return db
		.transaction()
		.setIsolationLevel('repeatable read')
		.setAccessMode('read only')
		.execute((tx) => work({ tx, dialect }));
}
