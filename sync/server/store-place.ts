import { join } from 'node:path';
import { StilewardError } from '../../gate-agent/core/errors.ts';

/** Where a server keeps what it knows. */
export interface DataOptions {
	/** Folder of its keys and, unless `store` says otherwise, of its data. */
	readonly dir: string;
	/** `sqlite:PATH` or `postgres://…`; absent means a file in `dir`. */
	readonly store?: string;
}

/** Where the store of a server is. */
export type StorePlace =
	| { readonly kind: 'sqlite'; readonly path: string }
	| { readonly kind: 'postgres'; readonly url: string };

/** Reads where the store is. Throws `usage`. */
export function storePlaceOf({ dir, store = `sqlite:${join(dir, 'venue.db')}` }: DataOptions): StorePlace {
	if (/^postgres(ql)?:\/\//.test(store)) return { kind: 'postgres', url: store };
	const path = /^sqlite:(.+)$/.exec(store)?.[1];
	if (path === undefined) throw new StilewardError('usage', 'a store reads sqlite:PATH or postgres://…');
	return { kind: 'sqlite', path };
}

/** The file of operators, sessions and audit, where the store is not PostgreSQL. */
export function officeFileOf({ dir }: DataOptions): string {
	return join(dir, 'office.db');
}
