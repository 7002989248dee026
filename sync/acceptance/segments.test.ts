import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResponseOf } from '../protocol/paths.ts';
import type { Segment } from '../protocol/segments.ts';
import { signText } from '../protocol/signed-text.ts';
import type { Case, Device as KnownDevice, VenueSegment } from '../server/store.ts';
import { type DeviceJournal, journalOf } from '../server/testing/device-journal.ts';
import { type Answer, bodyOf, expectRefusal } from './answer.suite.ts';
import { assertionOf, claimOf, type Device, enrollDevice, signedSegment } from './device.suite.ts';
import { openVenue, type Venue } from './venue.suite.ts';

let venue: Venue;
let other: Device;
let pushed: DeviceJournal;
beforeAll(async () => {
	venue = await openVenue();
	other = await enrollDevice(venue);
	pushed = journalOf(venue.id, other.id);
});
afterAll(() => venue[Symbol.asyncDispose]());

let idx = 0;
/** What happens beside a refusal: nothing. */
async function expectServed(): Promise<void> {
	idx += 1;
	const from = pushed.rows.length + 1;
	const claim = claimOf(idx);
	expect(await other.claim([claim])).toMatchObject([{ result: 'granted' }]);
	pushed.admit({ idx, redemption: claim.redemption, rung: 'authority', taken: 1 });
	const answer = bodyOf<ResponseOf<'segments'>>(await other.push(pushed.segment(from)));
	expect(answer).toEqual({ acceptedThrough: pushed.rows.length, conflicts: [], status: 'active' });
}

/** A device with four rows that nobody has seen. */
async function newcomer(): Promise<{ device: Device; journal: DeviceJournal }> {
	const device = await enrollDevice(venue);
	const journal = journalOf(venue.id, device.id);
	for (let each = 0; each < 2; each++) {
		idx += 1;
		journal.admit({ idx, taken: 1 });
	}
	return { device, journal };
}

function send(device: Device, segment: string): Promise<Answer> {
	return device.call('segments', { segment });
}

async function known({ id }: Device): Promise<KnownDevice | undefined> {
	const answer = await venue.office({ method: 'GET', path: '/v1/office/devices' });
	return bodyOf<{ devices: KnownDevice[] }>(answer).devices.find(({ device }) => device === id);
}

async function casesOf({ id }: Device): Promise<readonly string[]> {
	const answer = await venue.office({ method: 'GET', path: '/v1/office/cases' });
	return bodyOf<{ cases: Case[] }>(answer).cases.flatMap(({ device, kind }) => (device === id ? [kind] : []));
}

/** Signs what no honest program would. */
function dishonest({ id, key }: Device, segment: Partial<Segment>, journal: DeviceJournal): Promise<string> {
	const { deviceEpoch: epoch, from, to, prevHash, rows } = journal.segment(1);
	const whole = { device: id, epoch, from, to, prevHash, rows, ...segment };
	return signText(whole, { typ: 'stileward-segment', kid: id }, key);
}

describe('a segment', () => {
	it('that was tampered with anywhere is refused, and the whole one is taken after it', async () => {
		const { device, journal } = await newcomer();
		const whole = await signedSegment(device, journal.segment(1));
		const dots = [whole.indexOf('.'), whole.lastIndexOf('.')];
		// Both ends of header, payload and signature, the dots, and places between.
		const ends = [0, ...dots.flatMap((dot) => [dot - 1, dot, dot + 1]), whole.length - 1];
		const between = Array.from({ length: 60 }, (_, n) => Math.floor((whole.length * (n + 0.5)) / 60));
		for (const at of new Set([...ends, ...between])) {
			const swapped = whole[at] === 'A' ? 'E' : 'A';
			expectRefusal(await send(device, `${whole.slice(0, at)}${swapped}${whole.slice(at + 1)}`), 'segment_invalid');
		}
		for (const cut of [
			whole.slice(1),
			whole.slice(0, -1),
			`${whole}A`,
			`${whole}.`,
			`${whole}=`,
			` ${whole}`,
			'',
			'..',
		]) {
			expectRefusal(await send(device, cut), 'segment_invalid');
		}
		expect(await known(device)).toMatchObject({ status: 'active', acceptedThrough: 0 });
		expect(bodyOf(await send(device, whole))).toMatchObject({ acceptedThrough: 4, status: 'active' });
		await expectServed();
	});

	it('is of the device that sends it, and nothing else that it has signed', async () => {
		const [{ device, journal }, thief] = [await newcomer(), await newcomer()];
		const whole = await signedSegment(device, journal.segment(1));
		const wrong = [
			[thief.device, whole],
			[device, await signedSegment({ id: device.id, key: thief.device.key }, journal.segment(1))],
			[device, await dishonest(device, { device: thief.device.id }, journal)],
			[device, await assertionOf(device)],
		] as const;
		for (const [from, text] of wrong) expectRefusal(await send(from, text), 'segment_invalid');
		for (const each of [device, thief.device])
			expect(await known(each)).toMatchObject({ status: 'active', acceptedThrough: 0 });
		await expectServed();
	});

	it('has its rows in their order, all of them, each with its own number', async () => {
		const { device, journal } = await newcomer();
		const { rows } = journal.segment(1);
		const [a = '', b = '', c = '', d = ''] = rows;
		const wrong: Partial<Segment>[] = [
			{ rows: [b, a, c, d] },
			{ rows: [a, c, d], to: 3 },
			{ rows: [a, b, c] },
			{ rows: [a, a, b, c, d], to: 5 },
			{ rows: [a, b, c, d], from: 2, to: 5 },
			{ rows: [a, b.replace('"epoch-1"', '"epoch-2"'), c, d] },
			{ epoch: 'epoch-2' },
			{ prevHash: 'A'.repeat(42).concat('E') },
			{ rows: [a, 'no row', c, d] },
			{ from: 0, to: 3 },
			{ rows: [] },
		];
		for (const each of wrong)
			expectRefusal(await send(device, await dishonest(device, each, journal)), 'segment_invalid');
		expect(await known(device)).toMatchObject({ status: 'active', acceptedThrough: 0 });
		await expectServed();
	});

	it('that skips rows is told where to go on, and changes nothing', async () => {
		const { device, journal } = await newcomer();
		const waits = { acceptedThrough: 0, conflicts: [], status: 'active' };
		expect(bodyOf(await device.push(journal.segment(3)))).toEqual(waits);
		expect(bodyOf(await device.push(journal.segment(1, 2)))).toMatchObject({ acceptedThrough: 2 });
		expect(bodyOf(await device.push(journal.segment(4)))).toMatchObject({ acceptedThrough: 2, status: 'active' });
		expect(bodyOf(await device.push(journal.segment(3)))).toMatchObject({ acceptedThrough: 4 });
		expect(await casesOf(device)).toEqual([]);
		await expectServed();
	});

	it.each([
		['another text for a row that is there', (journal: DeviceJournal) => changed(journal, 1)],
		['a new row that does not follow', (journal: DeviceJournal) => changed(journal, 5)],
	])('that forks quarantines its device: %s', async (_what, fork) => {
		const { device, journal } = await newcomer();
		expect(bodyOf(await device.push(journal.segment(1)))).toMatchObject({ acceptedThrough: 4 });
		const answer = bodyOf(await device.push(fork(journal)));
		expect(answer).toEqual({ acceptedThrough: 4, conflicts: [], status: 'quarantined' });
		expect(await known(device)).toMatchObject({ status: 'quarantined', acceptedThrough: 4 });
		expect(await casesOf(device)).toEqual(['cloned_device']);
		expect(await venue.done('case', 'list', '--json')).toContain(`cloned_device.${device.id}`);
		// It still admits by the authority's word.
		idx += 1;
		expect(await device.claim([claimOf(idx)])).toMatchObject([{ result: 'granted' }]);
		await expectServed();
	});
});

/** The journal's rows with another one at `seq`, which its writer has chained as if it had always been so. */
function changed(journal: DeviceJournal, seq: number): VenueSegment {
	const twin = journalOf(journal.venue, journal.device);
	for (let row = 0; row < Math.max(seq, 4) / 2; row++) twin.admit({ idx: 500_000 + row, taken: 1 });
	return seq === 1 ? twin.segment(1) : twin.segment(seq);
}
