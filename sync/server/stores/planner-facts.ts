import type Sqlite from 'better-sqlite3';

/**
 * What a large centre's tables are like, by index: entries, then how many of them have the same first column, the same first
 * two columns, and so on (`sqlite_stat1`, https://sqlite.org/fileformat2.html#stat1tab). Orders of magnitude are enough:
 * ten venues, two hundred devices each, a million tickets a season.
 */
const facts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	venues: { venues: '10 1' },
	heads: { heads: '10 1' },
	upstream: { upstream: '10 1' },
	control_log: { control_log: '1000000 100000 1' },
	admission_log: { admission_log: '20000000 2000000 500000 1' },
	rights: { rights: '10000000 1000000 200000 1 1' },
	redemptions: {
		redemptions: '10000000 1000000 10000 1',
		redemptions_open: '200 20 2',
		redemptions_taken: '10000000 1000000 200000 1',
		redemptions_not_taken: '100000 10000 2000 1',
	},
	revoked_pages: { sqlite_autoindex_revoked_pages_1: '25000 2500 250 1' },
	segments: {
		sqlite_autoindex_segments_1: '10000000 1000000 10000 5000 1',
		segments_arrived: '10000000 1000000 1',
		segments_uncounted: '200 20 1',
		segments_uncounted_of: '200 20 2 2 1',
	},
	branches: { sqlite_autoindex_branches_1: '200 20 10 10 2 1', branches_arrived: '200 20 1' },
	devices: { devices: '2000 200 1' },
	enrollment_codes: { enrollment_codes: '2000 200 1', enrollment_codes_by_hash: '2000 1' },
	events: { sqlite_autoindex_events_1: '200 20 1' },
	counters: { counters: '200 20 1' },
	orders: { sqlite_autoindex_orders_1: '5000000 500000 1', orders_of_numbers: '5000000 500000 50000 1' },
	leases: { leases: '200 20 5 1' },
	people: { people: '200000 20000 2000 1' },
	held_uses: { held_uses: '200 20 1' },
	cases: { cases: '10000 1000 1' },
	case_redemptions: { case_redemptions: '20000 2000 20 1 1', case_redemptions_of_case: '20000 2000 2' },
	epochs: { epochs: '200 20 1' },
	counted: { counted: '10000 1000 5 1' },
	gate_configs: { sqlite_autoindex_gate_configs_1: '20000 2000 20 1' },
	hubs: { sqlite_autoindex_hubs_1: '20 2 1' },
};

/**
 * Tells SQLite's planner what it would otherwise guess: that a venue has ten rows, so that a read of all of them is as good as
 * a key. Plans are then the same on every machine and every day.
 */
export function tellPlanner(file: Sqlite.Database): void {
	const rows = Object.entries(facts).flatMap(([table, indexes]) =>
		Object.entries(indexes).map(([index, stat]) => [table, index, stat]),
	);
	// Makes the table of statistics where there is none, and reads nothing else.
	if (!hasStatistics(file)) file.exec('ANALYZE sqlite_schema');
	const told = file.prepare('SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY rowid').raw().all();
	// A start writes nothing where it has nothing new to say.
	if (JSON.stringify(told) === JSON.stringify(rows)) return;
	const put = file.prepare('INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)');
	file.transaction(() => {
		file.exec('DELETE FROM sqlite_stat1');
		for (const row of rows) put.run(...row);
	})();
	file.exec('ANALYZE sqlite_schema');
}

function hasStatistics(file: Sqlite.Database): boolean {
	return file.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").get() !== undefined;
}
