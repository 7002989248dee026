import pg from 'pg';

/** The least that a database must do to keep rows: one table with one key, one statement and one commit a batch. */
export interface PlainTable {
	insert(rows: readonly PlainRow[]): Promise<void>;
	close(): Promise<void>;
}

/** A journal row with its place. */
export interface PlainRow {
	readonly venue: string;
	readonly device: string;
	readonly seq: number;
	readonly text: string;
}

const insertText = `INSERT INTO plain (venue_id, device, seq, row)
	SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])`;

/** Makes the table in a database of its own. The statement is planned once and the commit is durable. */
export async function openPlainTable(url: string): Promise<PlainTable> {
	const client = new pg.Client({ connectionString: url, options: '-c synchronous_commit=on' });
	await client.connect();
	await client.query(`CREATE TABLE plain (venue_id TEXT NOT NULL, device TEXT NOT NULL, seq BIGINT NOT NULL,
		row TEXT NOT NULL, PRIMARY KEY (venue_id, device, seq))`);
	return {
		insert: async (rows) => {
			const values = [
				rows.map(({ venue }) => venue),
				rows.map(({ device }) => device),
				rows.map(({ seq }) => seq),
				rows.map(({ text }) => text),
			];
			await client.query({ name: 'insert', text: insertText, values });
		},
		close: () => client.end(),
	};
}
