import { join } from 'node:path';
import Database from 'better-sqlite3';

/** What the centre has on its disk. */
export interface Books {
	/** Everybody who went in, a row each. */
	readonly passages: readonly {
		readonly device: string;
		readonly redemption: string;
		readonly idx: number;
		readonly taken: number;
	}[];
	/** Tickets on which the counts are other than one use and nothing held. */
	readonly oddRights: readonly { readonly idx: number; readonly used: number; readonly held: number }[];
	readonly cases: readonly { readonly kind: string; readonly idx: number | null }[];
	/** Rows of each device's journal. */
	readonly through: ReadonlyMap<string, number>;
}

/** Reads the disk of a centre that may be running. */
export function readBooks(dir: string): Books {
	const db = new Database(join(dir, 'venue.db'), { readonly: true });
	try {
		// Each statement names the columns of its type.
		const all = <Row>(sql: string) => db.prepare(sql).all() as Row[];
		return {
			passages: all('SELECT device, redemption, idx, taken FROM redemptions WHERE taken > 0'),
			oddRights: all('SELECT idx, used, held FROM rights WHERE used <> 1 OR held <> 0'),
			cases: all('SELECT kind, idx FROM cases'),
			through: new Map(
				all<{ device: string; accepted_through: number }>('SELECT device, accepted_through FROM devices').map((row) => {
					return [row.device, row.accepted_through];
				}),
			),
		};
	} finally {
		db.close();
	}
}
