import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { createHttpsClient, type HttpsRequest } from '../../sync/node/https-client.ts';
import { deviceIdOf } from '../../sync/protocol/enroll.ts';
import { readEnrollmentLink, readHandheldLink } from '../../sync/protocol/enrollment-link.ts';
import { signSegment } from '../../sync/protocol/segment-jws.ts';
import { askToken, newKey } from '../../sync/server/running-server.suite.ts';
import { claimOf, journalOf } from '../../sync/server/testing/device-journal.ts';
import { temporaryFolder } from './cli.suite.ts';
import { startVenue, type Venue } from './venue.suite.ts';

/** Dozens of commands, each a process of its own, on a machine that does other work. */
const patience = 300_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let venue: Venue;
beforeAll(async () => {
	folder = await temporaryFolder();
	venue = await startVenue(folder.path);
	await venue.login();
	const create = ['event', 'create', '--id', 'lantern-2026', '--class', 'adult', '--time-zone', 'Asia/Shanghai'];
	const session = ['--session', 'evening,2026-12-01T19:00+08:00,2026-12-01T22:00+08:00,15'];
	expect(await venue.cli([...create, ...session, '--capacity', '3'])).toMatchObject({ code: 0, err: '' });
}, patience);
afterAll(async () => {
	expect(await venue.end()).toBe(0);
	await folder[Symbol.asyncDispose]();
}, patience);

/** A device in this process that enrolls with what a QR code says. */
async function deviceOf(link: string) {
	const read = readEnrollmentLink(link);
	if (read === undefined) throw new Error('it is no link');
	const client = createHttpsClient({ ...read, trustedNowMs: Date.now });
	const ask = async (request: HttpsRequest, token?: string) => {
		const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
		const { status, body } = await client.send({ ...request, headers });
		return { status, body: JSON.parse(body.toString()) as Record<string, unknown> };
	};
	const key = await newKey();
	const body = { code: read.code, key: onlyPublic(key), name: 'x', version: '0.1.0' };
	expect(await ask({ method: 'POST', path: '/v1/enroll', body })).toMatchObject({ status: 200 });
	const id = await deviceIdOf(onlyPublic(key));
	const token = ((await askToken(ask, { id, key }, { venue: 'venue' })).body as { access_token: string }).access_token;
	const journal = journalOf('venue', id);
	return {
		id,
		journal,
		post: (path: string, sent: unknown) => ask({ method: 'POST', path, body: sent }, token),
		get: (path: string) => ask({ method: 'GET', path }, token),
		push: async (from: number) => {
			const { to, prevHash, rows } = journal.segment(from);
			const segment = { device: id, epoch: journal.segment(from).deviceEpoch, from, to, prevHash, rows: [...rows] };
			return ask({ method: 'POST', path: '/v1/segments', body: { segment: await signSegment(segment, key) } }, token);
		},
		close: () => client.close(),
	};
}

async function enroll(name: string, ...more: readonly string[]) {
	const [made] = await venue.json(['device', 'code', '--name', name, ...more]);
	return deviceOf(String(made?.link));
}

const claimBody = (idx: number) => ({ claims: [claimOf('venue', '', { idx }).claim] });

describe('an administrator at the command line', () => {
	it(
		'gives a device its code as a QR code, in the terminal and for print',
		async () => {
			const drawn = await venue.cli(['device', 'code', '--name', 'gate-1', '--format', 'qr']);
			expect(drawn).toMatchObject({ code: 0, err: '' });
			expect(drawn.out).toMatch(/▀|▄|█/);
			expect(drawn.out).toMatch(/\n[0-9A-Z]{5}(-[0-9A-Z]{5}){3}\n\nOn gate-1, until 20\d\d-/);
			const out = join(folder.path, 'gate-1.svg');
			const printed = await venue.cli(['device', 'code', '--name', 'gate-1', '--format', 'svg', '--out', out]);
			expect(printed.out).toContain(out);
			expect((await stat(out)).mode & 0o777).toBe(0o600);
			expect(await readFile(out, 'utf8')).toMatch(/<text[^>]*>gate-1<\/text>/);
			for (const wrong of [
				['--format', 'png'],
				['--out', out],
				['--format', 'qr', '--json'],
			]) {
				const refused = await venue.cli(['device', 'code', '--name', 'gate-1', ...wrong]);
				expect(refused).toMatchObject({ code: 2, out: '' });
			}
			const phone = await venue.cli(['device', 'code', '--name', 'phone-1', '--handheld']);
			const address = phone.out.split(/\s+/).find((word) => word.includes('#enroll=')) ?? '';
			expect(readHandheldLink(address)).toMatchObject({ url: venue.url, fingerprint: venue.fingerprint });
			expect(phone.out).toContain(`${venue.url}/handheld/trust`);
			const both = await venue.cli(['device', 'code', '--name', 'hub-1', '--hub', '--handheld']);
			expect(both).toMatchObject({ code: 2, out: '' });
			const plain = await venue.cli(['device', 'code', '--name', 'gate-1']);
			expect(plain.out).not.toMatch(/▀|▄|█/);
		},
		patience,
	);

	it(
		'sees how devices stand, changes what they may do, and replaces one',
		async () => {
			const device = await enroll('gate-2');
			const lane = { lane: 'lane-1', mode: 'entry', phase: 'idle', emergency: false, missing: ['scanner'], alarms: [] };
			const report = {
				version: '0.1.0',
				waiting: 7,
				listAgeMs: 240_000,
				clockTrusted: true,
				clockOffsetMs: -12,
				lanes: [lane],
			};
			expect(await device.post('/v1/report', report)).toMatchObject({ status: 200 });
			const list = (await venue.cli(['device', 'list'])).out;
			expect(list).toMatch(
				/gate-2 +active +(now|\d+ s ago) +gate +0\.1\.0 +0 +7 +4 min +-12 ms +lane-1 entry idle ! no scanner +/,
			);
			const [listed] = (await venue.json(['device', 'list'])).filter(({ device: id }) => id === device.id);
			expect(listed).toMatchObject({ name: 'gate-2', report: { waiting: 7, lanes: [lane] } });

			const taken = await venue.cli(['device', 'code', '--name', 'gate-2']);
			expect(taken).toMatchObject({ code: 1, out: '' });
			expect(taken.err).toMatch(/\[name_taken\]/);
			const status = async () => {
				const devices = await venue.json(['device', 'list']);
				return devices.find(({ device: id }) => id === device.id)?.status;
			};
			for (const [act, expected] of [
				['quarantine', 'quarantined'],
				['enable', 'active'],
			]) {
				expect(await venue.cli(['device', String(act), '--device', 'gate-2'])).toMatchObject({ code: 0, err: '' });
				expect(await status()).toBe(expected);
			}
			const other = await enroll('gate-2', '--replace');
			expect(await status()).toBe('disabled');
			const successor = async () =>
				(await venue.json(['device', 'list'])).find(({ device: id }) => id === other.id)?.status;
			expect(await successor()).toBe('successor');
			expect(await venue.cli(['device', 'enable', '--device', 'gate-2'])).toMatchObject({ code: 0, err: '' });
			expect(await successor()).toBe('active');
			// The name stands for the device that has it now.
			expect(await venue.json(['device', 'disable', '--device', 'gate-2'])).toMatchObject([{ device: other.id }]);
			const unknown = await venue.cli(['device', 'enable', '--device', 'gate-99']);
			expect(unknown).toMatchObject({ code: 1, out: '' });
			expect(unknown.err).toMatch(/\[device_unknown\]/);
			device.close();
			other.close();
		},
		patience,
	);

	it(
		'gives a lane an order that the feed brings, and nothing that is no order',
		async () => {
			const device = await enroll('gate-3');
			const command = ['device', 'command', '--device', 'gate-3', '--lane', 'lane-1', '--order'];
			const [given] = await venue.json([...command, 'set_mode', '--mode', 'locked', '--seconds', '30']);
			const { entries } = (await device.get('/v1/feed?since=1.0.0')).body as { entries: { change: object }[] };
			expect(entries.at(-1)?.change).toMatchObject({
				...{ kind: 'command', id: given?.id, device: device.id, lane: 'lane-1', expiresMs: given?.expiresMs },
				command: { kind: 'set_mode', mode: 'locked', by: 'mina' },
			});
			const wrong = await venue.cli([...command, 'set_mode']);
			expect(wrong).toMatchObject({ code: 1, out: '' });
			expect(wrong.err).toMatch(/\[malformed\]/);
			expect(await venue.cli([...command, 'dance'])).toMatchObject({ code: 2, out: '' });
			device.close();
		},
		patience,
	);

	it(
		'releases claims of a dead device, sees who is inside, and closes the case that came of it',
		async () => {
			const [one, two] = [await enroll('gate-4'), await enroll('gate-5')];
			const claim = claimBody(1);
			await one.post('/v1/claims', claim);
			const listed = await venue.cli(['claim', 'list', '--device', 'gate-4']);
			expect(listed.out).toMatch(/gate-4 +20\d\d.* lantern-2026\/1 +ticket +1 +lane-1 /);
			expect(await venue.json(['claim', 'list'])).toMatchObject([{ name: 'gate-4', idx: 1 }]);
			await one.post('/v1/report', { version: '1', waiting: 0, clockTrusted: true, lanes: [] });
			const alive = await venue.cli(['claim', 'release', '--device', 'gate-4']);
			expect(alive.err).toMatch(/\[device_alive\]/);
			const released = await venue.cli(['claim', 'release', '--device', 'gate-4', '--force']);
			expect(released).toMatchObject({
				code: 0,
				out: '1 claims of gate-4 are given back; those tickets may enter again\n',
			});
			expect((await venue.cli(['claim', 'list'])).out).toBe('no claim is open\n');

			const redemption = claim.claims[0]?.redemption ?? '';
			one.journal.admit({ idx: 1, redemption, rung: 'authority', taken: 1 });
			two.journal.admit({ idx: 1, rung: 'authority', taken: 1 });
			for (const device of [one, two]) expect(await device.push(1)).toMatchObject({ status: 200 });
			const id = 'double_entry.lantern-2026.1.ticket';
			expect(await venue.json(['case', 'list'])).toMatchObject([{ id, over: 1, cause: 'claim_released' }]);
			const shown = (await venue.cli(['case', 'show', '--id', id])).out;
			expect(shown).toMatch(/likely cause +a claim was given back/);
			expect(shown).toMatch(/first .* gate-4 +lane-1 +authority +1 /);
			expect(shown).toMatch(/2 .* gate-5 +lane-1 +authority +1 /);
			const close = ['case', 'close', '--id', id, '--text', 'twins with one printout'];
			expect(await venue.cli(close)).toMatchObject({ code: 0, err: '' });
			expect((await venue.cli(['case', 'list'])).out).toMatch(/twins with one printout/);
			expect((await venue.cli(['case', 'show', '--id', 'none'])).err).toMatch(/\[case_unknown\]/);
			const [latest] = await venue.json(['audit', 'list', '--limit', '1']);
			expect(latest).toMatchObject({ operator: 'mina', act: 'case.close', subject: id });
			one.close();
			two.close();
		},
		patience,
	);

	it(
		'shows events and orders, postpones a session, leases numbers',
		async () => {
			const shown = (await venue.cli(['event', 'show', '--id', 'lantern-2026'])).out;
			expect(shown).toMatch(/inside +\d+ of 3/);
			expect(shown).toMatch(/evening +2026-12-01 19:00 \+08:00 – 2026-12-01 22:00 \+08:00 +15 min +0 min/);
			const postpone = ['event', 'postpone', '--id', 'lantern-2026', '--session', 'evening', '--minutes', '45'];
			expect((await venue.cli(postpone)).out).toMatch(
				/evening of lantern-2026 is moved by 45 minutes: 2026-12-01 19:45/,
			);
			expect((await venue.cli(['event', 'list'])).out).toMatch(/lantern-2026 +adult +evening +3/);
			const [event] = await venue.json(['event', 'show', '--id', 'lantern-2026']);
			expect(event).toMatchObject({
				policy: { sessions: { evening: { postponedMs: 2_700_000 } } },
				presence: { capacity: 3 },
			});

			const order = ['order', 'issue', '--event', 'lantern-2026', '--class', 'adult', '--count', '2'];
			await venue.cli([...order, '--order', 'A-1']);
			const lease = ['range', 'lease', '--event', 'lantern-2026', '--count', '10', '--holder', 'window-1'];
			const leased = await venue.cli(lease);
			expect(leased.out).toMatch(/lantern-2026\/10000\d\d to 10000\d\d are for window-1/);
			expect(leased.err).toMatch(/keys lease --event lantern-2026 --from 10000\d\d --to/);
			await venue.cli([...order, '--order', 'A-2']);
			expect(await venue.json(['order', 'show', '--order', 'A-2'])).toMatchObject([
				{ order: 'A-2', from: 2, count: 2, status: 'issued' },
			]);
			const text = (await venue.cli(['order', 'show', '--order', 'A-1'])).out;
			expect(text).toMatch(/status +issued\ntickets +2 of class adult\nnumbers +lantern-2026\/0 to 1\nto type +0-/);
			expect((await venue.cli(['order', 'show', '--order', 'A-9'])).err).toMatch(/\[not_found\]/);
			const refund = (await venue.cli(['order', 'refund', '--order', 'A-1'])).out;
			expect(refund).toMatch(/A-1: \d tickets refunded.*\nnot synced since: .*gate-3/);
		},
		patience,
	);
});
