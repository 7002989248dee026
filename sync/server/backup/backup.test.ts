import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ServerUnderTest, startServerUnderTest } from '../running-server.suite.ts';
import { expectKept, startLoad } from '../store-crash.suite.ts';
import { openSqliteStore } from '../stores/sqlite.ts';
import { claimOf } from '../testing/device-journal.ts';
import { restoreBackup } from './restore-backup.ts';
import { writeBackup } from './write-backup.ts';

let dir: string;
let to: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-backup-'));
	to = join(dir, 'one.backup');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const evt = 'lantern-2026';

/** A server with one device that has claimed ticket 1, backed up, and gone on with ticket 2 after that. */
async function backedUpServer() {
	const server = await startServerUnderTest({ dir: join(dir, 'server') });
	const session = await server.login();
	const device = await server.device(session);
	const policy = { evt, timeZone: 'UTC', dayStartsAtMinutes: 0, classes: {}, unknownClass: 'admit', sessions: {} };
	await server.ask({ method: 'PUT', path: `/v1/office/events/${evt}`, body: { policy } }, session);
	await claim(server, device.token, 1);
	const contents = await writeBackup({ dir: server.dir, to });
	await claim(server, device.token, 2);
	return { server, session, device, contents };
}

function claim({ ask }: Pick<ServerUnderTest, 'ask'>, token: string, idx: number) {
	const { claim: body } = claimOf('harbor', '', { idx });
	return ask({ method: 'POST', path: '/v1/claims', body: { claims: [body] } }, token);
}

describe('a backup', () => {
	it('is a whole copy of one moment, also while the server is busy', async () => {
		const path = join(dir, 'venue.db');
		const load = startLoad(path, 0);
		try {
			await load.until(30);
			const acknowledged = [...load.acknowledged];
			await writeBackup({ dir, to });
			expect(load.acknowledged.length).toBeGreaterThan(acknowledged.length);
			await restoreBackup({ dir: join(dir, 'again'), from: to });
			// Without its mark, so that the claims can be asked for once more.
			const copy = join(dir, 'again', 'venue.db');
			const file = new Sqlite(copy);
			file.exec('UPDATE heads SET behind = 0');
			file.close();
			const store = await openSqliteStore(copy);
			await expectKept(store, acknowledged);
			await store.close();
		} finally {
			await load.kill();
		}
	});

	it('brings a server back with its keys, operators and admissions, which grants nothing in its old epoch', async () => {
		const { server, device, session } = await backedUpServer();
		await server.server.close();
		const again = join(dir, 'again');
		await restoreBackup({ dir: again, from: to });
		const store = await openSqliteStore(join(again, 'venue.db'));
		await expect(store.claim([claimOf('harbor', device.id, { idx: 3 })])).rejects.toMatchObject({
			code: 'authority_lost',
		});
		await store.close();
		const back = await startServerUnderTest({ dir: again, issuer: server.issuer });
		try {
			expect(back.server.fingerprint).toBe(server.server.fingerprint);
			expect((await claim(back, device.token, 3)).body).toMatchObject({ answers: [{ result: 'granted' }] });
			expect((await claim(back, device.token, 1)).body).toMatchObject({ answers: [{ reason: 'in_progress' }] });
			const { epoch } = (await claim(back, device.token, 4)).body as { epoch: number };
			expect(epoch).toBeGreaterThan(1_000_000);
			// The device's cursor is of the epoch that is over, and what it has seen of it is not asked for.
			const feed = await back.ask({ method: 'GET', path: '/v1/feed?since=1.1.0' }, device.token);
			expect(feed.body).toMatchObject({ code: 'cursor_gone' });
			const snapshot = await back.client.send({
				method: 'GET',
				path: '/v1/snapshot',
				headers: { authorization: `Bearer ${device.token}` },
			});
			expect(snapshot.headers.etag).toContain(`${epoch}.`);
			// A session that was open when the backup was made is over.
			const devices = { method: 'GET', path: '/v1/office/devices' } as const;
			expect((await back.ask(devices, session)).body).toMatchObject({ code: 'token_invalid' });
			expect(back.log.join('')).toContain('"why":"restored"');
		} finally {
			await back.close();
		}
	});

	it('that is copied back by hand is noticed all the same', async () => {
		const { server, device } = await backedUpServer();
		await server.server.close();
		await copyFile(to, join(server.dir, 'venue.db'));
		const back = await startServerUnderTest({ dir: server.dir, issuer: server.issuer });
		try {
			const { epoch } = (await claim(back, device.token, 3)).body as { epoch: number };
			expect(epoch).toBeGreaterThan(1_000_000);
			// A backup of this server is no copy of that backup.
			await writeBackup({ dir: back.dir, to: join(dir, 'two.backup') });
			await restoreBackup({ dir: join(dir, 'again'), from: join(dir, 'two.backup') });
		} finally {
			await back.close();
		}
		await server.close();
	});

	it('is refused where it is damaged, is none, or would overwrite', async () => {
		const { server, contents } = await backedUpServer();
		await server.server.close();
		expect(contents.venues).toMatchObject([{ venue: 'harbor', epoch: 1 }]);
		expect(contents.files.map(({ path }) => path)).toEqual(
			expect.arrayContaining(['office.db', 'server-keys.private.json', 'tls/authority.private.pem']),
		);
		const restore = (from: string, name = 'again') => restoreBackup({ dir: join(dir, name), from });
		await expect(writeBackup({ dir: server.dir, to })).rejects.toMatchObject({ code: 'output_exists' });
		await expect(restoreBackup({ dir: server.dir, from: to })).rejects.toMatchObject({ code: 'output_exists' });

		const bytes = await readFile(to);
		const damaged = join(dir, 'damaged.backup');
		const places = [20, bytes.indexOf('"policy"'), bytes.indexOf('gate-1'), bytes.indexOf('BEGIN PRIVATE KEY')];
		for (const at of places) {
			const changed = Buffer.from(bytes);
			expect(at).toBeGreaterThan(0);
			changed[at + 2] = (changed[at + 2] ?? 0) ^ 1;
			await writeFile(damaged, changed);
			await expect(restore(damaged)).rejects.toMatchObject({ code: 'backup_invalid' });
		}
		await writeFile(damaged, bytes.subarray(0, bytes.length / 2));
		await expect(restore(damaged)).rejects.toMatchObject({ code: 'backup_invalid' });
		await expect(restore(join(server.dir, 'venue.db'))).rejects.toMatchObject({ code: 'backup_invalid' });
		await expect(restore(join(dir, 'none'))).rejects.toMatchObject({ code: 'backup_invalid' });
		expect(await readdir(dir)).not.toContain('again');

		// The rest of another database would be applied to this one.
		await writeFile(join(server.dir, '..', 'venue.db-wal'), 'frames');
		await expect(restoreBackup({ dir, from: to })).rejects.toMatchObject({ code: 'output_exists' });
		await server.close();
	});

	it('of PostgreSQL is left to its own tools, and says so', async () => {
		const store = 'postgres://db.example.org/stileward';
		await expect(writeBackup({ dir, store, to })).rejects.toMatchObject({ code: 'backup_elsewhere' });
		await expect(restoreBackup({ dir, store, from: to })).rejects.toMatchObject({ code: 'backup_elsewhere' });
	});
});
