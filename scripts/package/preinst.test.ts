import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { schemaVersion as ledgerSchema } from '../../gate-agent/ledger/schema.ts';
import { openSqliteLedger } from '../../gate-agent/ledger/sqlite-ledger.ts';
import { schemaVersion as storeSchema } from '../../sync/server/stores/schema.ts';
import { openSqliteStore } from '../../sync/server/stores/sqlite.ts';

const script = fileURLToPath(new URL('debian/preinst', import.meta.url));

/** A gate's file system that dpkg would install into. */
function gate() {
	const root = mkdtempSync(join(tmpdir(), 'stileward-preinst-'));
	onTestFinished(() => rmSync(root, { recursive: true, force: true }));
	const folder = (name: string) => {
		const dir = join(root, 'var/lib/stileward', name);
		mkdirSync(dir, { recursive: true });
		return dir;
	};
	/** Runs the script of a package that knows these schemas, as dpkg does. */
	const install = ({ ledger, store }: { ledger: number; store: number }, action = 'upgrade') => {
		const file = join(root, 'preinst');
		const text = readFileSync(script, 'utf8')
			.replace('@LEDGER_SCHEMA@', String(ledger))
			.replace('@STORE_SCHEMA@', String(store))
			.replace('@VERSION@', '0.0.9');
		writeFileSync(file, text);
		const { status, stderr } = spawnSync('sh', [file, action, '1.0.0'], {
			env: { PATH: process.env.PATH, DPKG_ROOT: root },
			encoding: 'utf8',
		});
		return { status, stderr };
	};
	return { folder, install };
}

const now = { ledger: ledgerSchema, store: storeSchema };

async function makeLedger(dir: string) {
	const { ledger } = await openSqliteLedger({
		...{ dir, device: 'gate-1', newEpoch: () => 'e1', nowMs: () => 1, onRows: () => undefined, log: () => undefined },
	});
	return ledger;
}

it('installs where there is no database, and beside those of its own schema', async () => {
	const { folder, install } = gate();
	expect(install(now, 'install')).toEqual({ status: 0, stderr: '' });
	await (await makeLedger(folder('gate'))).close();
	await (await openSqliteStore(join(folder('server'), 'venue.db'))).close();
	expect(install(now)).toEqual({ status: 0, stderr: '' });
	expect(install({ ledger: ledgerSchema + 1, store: storeSchema + 1 })).toEqual({ status: 0, stderr: '' });
});

it.each(['gate', 'handheld'])(
	'refuses to go below the schema of the ledger of a %s, and says what to do',
	async (kind) => {
		const { folder, install } = gate();
		await (await makeLedger(folder(kind))).close();
		const { status, stderr } = install({ ...now, ledger: ledgerSchema - 1 });
		expect(status).toBe(1);
		expect(stderr).toContain(`${kind}/ledger.db) has schema ${ledgerSchema}; this package (0.0.9) knows up to`);
		expect(stderr).toContain('Install the version that wrote it, or a newer one');
		expect(stderr).toContain('旧版本无法读取');
	},
);

it('reads the schema of a working ledger, which stands in the write-ahead log alone', async () => {
	const { folder, install } = gate();
	const ledger = await makeLedger(folder('gate'));
	onTestFinished(() => ledger.close());
	expect(install({ ...now, ledger: ledgerSchema - 1 }).status).toBe(1);
	expect(install(now).status).toBe(0);
});

it('refuses to go below the schema of the server’s store', async () => {
	const { folder, install } = gate();
	await (await openSqliteStore(join(folder('server'), 'venue.db'))).close();
	expect(install({ ...now, store: storeSchema - 1 }).stderr).toContain('store of this server');
});

it('takes no other program’s database and no damaged file for a ledger', () => {
	const { folder, install } = gate();
	const db = new Database(join(folder('gate'), 'ledger.db'));
	db.pragma('user_version = 99');
	db.exec('CREATE TABLE t (a)');
	db.close();
	writeFileSync(join(folder('handheld'), 'ledger.db'), 'SQLite');
	expect(install(now)).toEqual({ status: 0, stderr: '' });
});
