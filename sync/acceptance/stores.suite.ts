import { type PostgresServer, startPostgres } from '../server/testing/postgres.ts';

/** What a venue can be kept in. */
export const storeKinds = ['sqlite', 'postgres'] as const;
export type StoreKind = (typeof storeKinds)[number];

/** An empty store for one venue. */
export interface EmptyStore extends AsyncDisposable {
	/** `--store`; absent for a file in the venue's data folder. */
	readonly url?: string;
	/** The database server, where there is one. */
	readonly postgres?: PostgresServer;
}

/** Makes an empty store; for PostgreSQL a whole server on its own socket. */
export async function emptyStore(kind: StoreKind): Promise<EmptyStore> {
	if (kind === 'sqlite') return { [Symbol.asyncDispose]: async () => {} };
	const postgres = await startPostgres();
	return { url: await postgres.createDatabase(), postgres, [Symbol.asyncDispose]: () => postgres.stop() };
}
