import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { expect } from 'vitest';

/** A row as a test compares it. */
export type Row = Readonly<Record<string, unknown>>;

/** Reads the tables of a server past its program. */
export interface VenueTables {
	rows(text: string): Promise<readonly Row[]>;
	close(): Promise<void>;
}

/** Opens what a server keeps in its folder, also while it runs. */
export function tablesOf(dir: string): VenueTables {
	const file = new Sqlite(join(dir, 'venue.db'), { readonly: true, timeout: 5_000 });
	return {
		rows: async (text) => file.prepare(text).all() as Row[],
		close: async () => void file.close(),
	};
}

/** Opens what a server keeps in PostgreSQL. */
export async function postgresTables(url: string): Promise<VenueTables> {
	const client = new pg.Client({ connectionString: url });
	await client.connect();
	return {
		// PostgreSQL gives its eight-byte integers as text.
		rows: async (text) => (await client.query(text)).rows.map(withNumbers),
		close: () => client.end(),
	};
}

function withNumbers(row: Row): Row {
	const members = Object.entries(row).map(([name, value]) => {
		return [name, typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value];
	});
	return Object.fromEntries(members);
}

const questions = {
	log: 'SELECT epoch, n, change FROM admission_log ORDER BY epoch, n',
	redemptions: `SELECT device, redemption, evt, idx, allowance, uses, reentry, rung, lane, state, taken, returned,
		taken_epoch, taken_n FROM redemptions WHERE state IN ('granted', 'settled') ORDER BY device, redemption`,
	rights: 'SELECT evt, idx, allowance, use, used, held, taken FROM rights WHERE used > 0 OR held > 0 ORDER BY 1, 2, 3',
	journals: `SELECT device, device_epoch, max(to_seq) AS through FROM segments GROUP BY device, device_epoch
		ORDER BY device, device_epoch`,
	people: 'SELECT evt, quarter, entered, gone FROM people WHERE entered + gone > 0 ORDER BY evt, quarter',
	revoked: 'SELECT evt, page FROM revoked_pages ORDER BY evt, page',
} as const;

/** What two servers of a venue must have alike. */
export async function expectSame(centre: VenueTables, hub: VenueTables): Promise<void> {
	for (const [name, text] of Object.entries(questions)) {
		expect({ [name]: await centre.rows(text) }).toEqual({ [name]: await hub.rows(text) });
	}
}

/** A log has each number once, from 1 on, in each epoch. */
export async function expectGapless(tables: VenueTables): Promise<void> {
	const epochs = await tables.rows(
		'SELECT epoch, min(n) AS first, max(n) AS last, count(*) AS size FROM admission_log GROUP BY epoch',
	);
	for (const { epoch, first, last, size } of epochs) {
		expect({ epoch, first, last }).toEqual({ epoch, first: 1, last: Number(size) });
	}
}
