import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from './cli.suite.ts';
import { startVenue } from './venue.suite.ts';

const event = ['event', 'create', '--id', 'lantern-2026', '--class', 'adult'];
const order = ['order', 'issue', '--event', 'lantern-2026', '--class', 'adult', '--count', '3', '--order'];

describe('stileward server backup', () => {
	it('copies a working server, which comes back with everything that was sold and begins a new epoch', async () => {
		await using folder = await temporaryFolder();
		const venue = await startVenue(folder.path);
		const to = join(folder.path, 'one.backup');
		await venue.login();
		expect(await venue.cli(event)).toMatchObject({ code: 0 });
		const { out: tickets } = await venue.cli([...order, 'A-1']);
		const made = await venue.cli(['server', 'backup', '--data', venue.data, '--to', to]);
		expect(made).toMatchObject({ code: 0, err: '' });
		expect(made.out).toMatch(/verified copy of venue \(epoch 1, 0 admissions\)/);
		expect((await stat(to)).mode & 0o777).toBe(0o600);
		expect(await venue.end()).toBe(0);

		await rm(venue.data, { recursive: true });
		const data = join(folder.path, 'again');
		const restored = await runCli(['server', 'restore', '--data', data, '--from', to, '--json']);
		expect(JSON.parse(restored.out)).toMatchObject({ data, venues: [{ venue: 'venue', epoch: 1 }] });
		expect(restored.code).toBe(0);
		const back = await startVenue(folder.path, data);
		try {
			expect(back.fingerprint).toBe(venue.fingerprint);
			await back.login();
			expect((await back.cli([...order, 'A-1'])).out).toBe(tickets);
			// Numbers that were sold after the backup are not sold again.
			const { out } = await back.cli([...order, 'B-1', '--json']);
			expect(Number(JSON.parse(out.split('\n')[0] ?? '').idx)).toBeGreaterThan(1_000_000);

			const begun = await back.cli(['server', 'new-epoch', '--data', data, '--json']);
			const { epoch, before, server } = JSON.parse(begun.out);
			expect({ higher: epoch > before, server }).toEqual({ higher: true, server: 'centre' });
		} finally {
			expect(await back.end()).toBe(0);
		}
	}, 240_000);

	it('leaves PostgreSQL to pg_dump, and says so', async () => {
		await using folder = await temporaryFolder();
		const store = ['--data', folder.path, '--store', 'postgres://db.example.org/stileward'];
		for (const act of [
			['backup', '--to', join(folder.path, 'x')],
			['restore', '--from', join(folder.path, 'x')],
		]) {
			const refused = await runCli(['server', ...act, ...store]);
			expect(refused).toMatchObject({ code: 1, out: '' });
			expect(refused.err).toMatch(/pg_dump.*new-epoch.*\[backup_elsewhere\]/);
		}
	});
});
