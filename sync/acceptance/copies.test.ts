import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteLedger } from '../../gate-agent/ledger/sqlite-ledger.ts';
import type { AdmissionChange, FeedPage } from '../protocol/feed.ts';
import type { Case, Device as KnownDevice } from '../server/store.ts';
import { journalOf } from '../server/testing/device-journal.ts';
import { bodyOf } from './answer.suite.ts';
import { claimOf, connectDevice, type Device, enrollDevice, newId } from './device.suite.ts';
import { type Follower, follow } from './follower.suite.ts';
import { openVenue, until, type Venue } from './venue.suite.ts';

let venue: Venue;
let other: Device;
beforeAll(async () => {
	venue = await openVenue();
	other = await enrollDevice(venue);
});
afterAll(async () => {
	other.close();
	await venue[Symbol.asyncDispose]();
});

let drawn = 0;
async function expectServed(): Promise<void> {
	drawn += 1;
	expect(await other.claim([claimOf(drawn)])).toMatchObject([{ result: 'granted' }]);
}

async function known({ id }: Device): Promise<KnownDevice | undefined> {
	const answer = await venue.office({ method: 'GET', path: '/v1/office/devices' });
	return bodyOf<{ devices: KnownDevice[] }>(answer).devices.find(({ device }) => device === id);
}

async function casesOf({ id }: Device): Promise<readonly string[]> {
	const answer = await venue.office({ method: 'GET', path: '/v1/office/cases' });
	return bodyOf<{ cases: Case[] }>(answer).cases.flatMap(({ device, kind }) => (device === id ? [kind] : []));
}

/** What the venue counts of a device, as `epoch/row`. */
async function counted({ id }: Device): Promise<readonly string[]> {
	const page = bodyOf<FeedPage>(await other.call('feed', { since: '1.0.0' }));
	const changes = page.entries.flatMap(({ log, change }) => (log === 'admissions' ? [change as AdmissionChange] : []));
	return changes.filter(({ device }) => device === id).map(({ deviceEpoch, seq }) => `${deviceEpoch}/${seq}`);
}

/** Segments that contradict what is there are kept as they came. */
function branchesOf({ id }: Device): readonly string[] {
	const db = new Database(join(venue.data, 'venue.db'), { readonly: true });
	try {
		const rows = db.prepare('SELECT jws FROM branches WHERE device = ?').all(id) as { jws: string }[];
		return rows.map(({ jws }) => Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
	} finally {
		db.close();
	}
}

/** A disk with the ledger of a device, which can be copied. */
async function diskOf(device: Device, dir: string): Promise<Follower> {
	const options = { dir, device: device.id, newEpoch: newId, log: () => {}, verifyAtStart: false };
	const { ledger } = await openSqliteLedger(options);
	const { url, fingerprint } = venue;
	return follow(device, { url, fingerprint, ledger });
}

async function end({ stop, ledger }: Follower): Promise<void> {
	await stop();
	await ledger.close();
}

async function untilPushed(follower: Follower): Promise<void> {
	await until('everything pushed', async () => {
		const { waiting, state } = await follower.status();
		return state === 'online' && waiting === 0;
	});
}

describe('a second device with a copied key', () => {
	it('and the copied disk: one of them is the venue’s, the other one’s rows are kept apart', async () => {
		const dir = await mkdtemp(join(tmpdir(), 'stileward-disks-'));
		const device = await enrollDevice(venue);
		const first = await diskOf(device, join(dir, 'first'));
		for (let idx = 100; idx < 103; idx++) await first.admit(idx);
		await untilPushed(first);
		await end(first);
		await cp(join(dir, 'first'), join(dir, 'copy'), { recursive: true });
		// Both programs run from here on, each with a ledger that ends with the same row.
		const [original, copy] = [await diskOf(device, join(dir, 'first')), await diskOf(device, join(dir, 'copy'))];
		await Promise.all([untilPushed(original), untilPushed(copy)]);
		await original.admit(103);
		await untilPushed(original);
		const foreign = await copy.admit(104);
		await until('the quarantine', async () => {
			const states = [await original.status(), await copy.status()];
			return states.some(({ journal }) => journal === 'quarantined');
		});
		expect(await known(device)).toMatchObject({ status: 'quarantined', acceptedThrough: 8 });
		expect(await casesOf(device)).toEqual(['cloned_device']);
		const { epoch } = original.ledger;
		expect(await counted(device)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((seq) => `${epoch}/${seq}`));
		expect(branchesOf(device).join()).toContain(foreign);
		await expectServed();
		await Promise.all([end(original), end(copy)]);
		await rm(dir, { recursive: true });
		device.close();
	});

	it('and a journal of its own: the one that is left behind shows it', async () => {
		const device = await enrollDevice(venue);
		const thief = await connectDevice(venue, device);
		const [mine, theirs] = [journalOf(venue.id, device.id, 'mine'), journalOf(venue.id, device.id, 'theirs')];
		mine.admit({ idx: 200, taken: 1 });
		theirs.admit({ idx: 201, taken: 1 });
		expect(bodyOf(await device.push(mine.segment(1)))).toMatchObject({ acceptedThrough: 2, status: 'active' });
		expect(bodyOf(await thief.push(theirs.segment(1)))).toMatchObject({ acceptedThrough: 2, status: 'active' });
		const later = mine.admit({ idx: 202, taken: 1 });
		expect(bodyOf(await device.push(mine.segment(3)))).toMatchObject({ status: 'quarantined' });
		expect(await casesOf(device)).toEqual(['restored_disk']);
		expect(await known(device)).toMatchObject({ status: 'quarantined' });
		expect(await counted(device)).toEqual(['mine/1', 'mine/2', 'theirs/1', 'theirs/2']);
		expect(branchesOf(device).join()).toContain(later);
		await expectServed();
		device.close();
		thief.close();
	});
});

describe('an old disk', () => {
	it('that is brought back begins a journal of its own before it admits on, and loses nothing', async () => {
		const dir = await mkdtemp(join(tmpdir(), 'stileward-disks-'));
		const device = await enrollDevice(venue);
		const young = await diskOf(device, join(dir, 'disk'));
		await young.admit(300);
		await untilPushed(young);
		await end(young);
		await cp(join(dir, 'disk'), join(dir, 'old'), { recursive: true });
		const grown = await diskOf(device, join(dir, 'disk'));
		await untilPushed(grown);
		await grown.admit(301);
		await untilPushed(grown);
		const { epoch } = grown.ledger;
		await end(grown);

		const old = await diskOf(device, join(dir, 'old'));
		await until('a new journal', () => old.ledger.epoch !== epoch);
		await until('being online', async () => (await old.status()).state === 'online');
		await old.admit(302);
		await untilPushed(old);
		expect(await known(device)).toMatchObject({ status: 'active', acceptedThrough: 2 });
		const next = old.ledger.epoch;
		expect(await counted(device)).toEqual([...[1, 2, 3, 4].map((seq) => `${epoch}/${seq}`), `${next}/1`, `${next}/2`]);
		expect(await casesOf(device)).toEqual([]);
		await expectServed();
		await end(old);
		await rm(dir, { recursive: true });
		device.close();
	});

	it('that writes on all the same is quarantined, and its rows are kept apart', async () => {
		const device = await enrollDevice(venue);
		const journal = journalOf(venue.id, device.id, 'first');
		journal.admit({ idx: 400, taken: 1 });
		const old = journal.copy();
		journal.admit({ idx: 401, taken: 1 });
		expect(bodyOf(await device.push(journal.segment(1)))).toMatchObject({ acceptedThrough: 4 });
		const next = journalOf(venue.id, device.id, 'second');
		next.admit({ idx: 402, taken: 1 });
		expect(bodyOf(await device.push(next.segment(1)))).toMatchObject({ acceptedThrough: 2, status: 'active' });
		const late = old.admit({ idx: 403, taken: 1 });
		expect(bodyOf(await device.push(old.segment(3)))).toMatchObject({ status: 'quarantined' });
		expect(await casesOf(device)).toEqual(['restored_disk']);
		expect(await counted(device)).toEqual(['first/1', 'first/2', 'first/3', 'first/4', 'second/1', 'second/2']);
		expect(branchesOf(device).join()).toContain(late);
		await expectServed();
		device.close();
	});
});
