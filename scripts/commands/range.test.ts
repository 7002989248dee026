import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { verify } from '../../gate-agent/core/verify.ts';
import { loadTrust } from '../../gate-agent/keys/key-folder.ts';
import { runCli, temporaryFolder } from './cli.suite.ts';
import { startVenue } from './venue.suite.ts';

it('lets a ticket window issue leased numbers offline, while the server goes on beside them', async () => {
	await using folder = await temporaryFolder();
	const before = await startVenue(folder.path);
	const keys = join(before.data, 'keys');
	const window = join(folder.path, 'window');
	const order = ['order', 'issue', '--event', 'lantern-2026', '--class', 'adult', '--count', '2', '--order'];
	await before.login();
	await before.cli(['event', 'create', '--id', 'lantern-2026', '--class', 'adult']);
	const sold = (await before.cli([...order, 'A-1'])).out;
	const lease = ['range', 'lease', '--event', 'lantern-2026', '--count', '50', '--holder', 'window-1', '--json'];
	const { from, to } = JSON.parse((await before.cli(lease)).out) as { from: number; to: number };
	const key = JSON.parse((await runCli(['keys', 'issuer', '--dir', window, '--json'])).out).key as string;
	const range = ['--event', 'lantern-2026', '--from', String(from), '--to', String(to)];
	const signed = await runCli(['keys', 'lease', '--dir', keys, ...range, '--key', key]);
	expect(signed).toMatchObject({ code: 0 });
	expect(signed.out).toMatch(new RegExp(` lantern-2026 +${from}-${to} +valid`));
	// The server still has the old manifest; what it signed now could lie outside the range of its key.
	const stale = await before.cli([...order, 'A-2']);
	expect(stale).toMatchObject({ code: 1, out: '' });
	expect(stale.err).toMatch(/key manifest .* has changed.*\[forbidden\]/);
	expect(await before.end()).toBe(0);

	const after = await startVenue(folder.path, before.data);
	try {
		await after.login();
		const again = (await after.cli([...order, 'A-1'])).out;
		const next = (await after.cli([...order, 'A-2'])).out;
		expect(again).toBe(sold);
		for (const file of ['manifest.jws', 'root.public.jwk']) await copyFile(join(keys, file), join(window, file));
		const issue = ['ticket', 'issue', '--keys', window, '--event', 'lantern-2026', '--class', 'adult'];
		const times = ['--from', '2026-01-01', '--until', '2027-01-01'];
		const offline = await runCli([...issue, ...times, '--first-idx', String(from), '--count', '50']);
		expect(offline).toMatchObject({ code: 0 });
		const beyond = await runCli([...issue, ...times]);
		expect(beyond).toMatchObject({ code: 1, out: '' });
		const { keyset } = await loadTrust(keys);
		const tickets = [sold, next, offline.out].flatMap((out) => out.trimEnd().split('\n'));
		expect(tickets).toHaveLength(54);
		const numbers = new Set<number>();
		for (const ticket of tickets) {
			const verified = await verify(ticket, keyset);
			if (verified.kind === 'ticket') numbers.add(verified.ticket.idx);
		}
		expect(numbers.size).toBe(54);
	} finally {
		expect(await after.end()).toBe(0);
	}
}, 300_000);
