import { writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/**
 * The control of the power-cut test: the same number of rows with the library's default `synchronous=NORMAL`, which
 * acknowledges what a power cut takes away. With a count it writes and stays alive; with `list` it prints the numbers that
 * are there, without either how many there are. Arguments: data folder, how many.
 */
function main([dir = '', count]: readonly string[]): void {
	const db = new Database(join(dir, 'control.db'));
	db.pragma('journal_mode = WAL');
	db.pragma('synchronous = NORMAL');
	db.exec('CREATE TABLE IF NOT EXISTS redemptions (idx INTEGER PRIMARY KEY)');
	if (count === 'list') {
		for (const idx of db.prepare('SELECT idx FROM redemptions').pluck().all()) writeSync(1, `${idx}\n`);
		return;
	}
	if (count === undefined) {
		writeSync(1, String(db.prepare('SELECT count(*) FROM redemptions').pluck().get()));
		return;
	}
	const insert = db.prepare('INSERT INTO redemptions VALUES (?)');
	for (let idx = 0; idx < Number(count); idx++) {
		insert.run(idx);
		writeSync(1, `${idx}\n`);
	}
	writeSync(1, 'done\n');
	setInterval(() => undefined, 60_000);
}

if (import.meta.main) main(process.argv.slice(2));
