import { expect } from 'vitest';
import type { Report } from '../protocol/report.ts';
import type { Laws, Trial } from './store.suite.ts';
import { deviceNamed, evt, journalOf, newRedemption, nowMs } from './testing/device-journal.ts';

const report: Report = { version: '0.1.0', waiting: 0, clockTrusted: true, lanes: [] };

/** Makes a code and brings it with the key that a name stands for. */
async function enroll({ store, venue }: Trial, name: string, more: { key?: string; replaces?: true } = {}) {
	const codeHash = newRedemption();
	await store.addEnrollmentCode({ venue, name, codeHash, expiresMs: nowMs + 1, ...more });
	const device = deviceNamed(`${venue}/${more.key ?? name}`);
	return store.enroll({ codeHash, jwk: { kty: 'OKP' }, device, atMs: nowMs });
}

/** An order of one ticket, and what refunds it. */
async function refunded({ store, venue }: Trial, order: string) {
	const issued = { venue, evt, order, cls: 'adult', count: 1, use: 1, claims: {}, atMs: nowMs };
	await store.issueOrder(issued);
	return () => store.refundOrder({ venue, order, atMs: nowMs });
}

/** What enrolment, the status of devices and their reports hold to. */
export const deviceLaws: Laws = {
	'an enrolment code is spent once, however many bring it': async ({ store, venue }) => {
		const codeHash = newRedemption();
		await store.addEnrollmentCode({ venue, name: 'gate-9', codeHash, expiresMs: nowMs + 10 });
		const bring = (name: string, atMs: number, hash = codeHash) =>
			store.enroll({ codeHash: hash, jwk: { kty: 'OKP' }, device: deviceNamed(`${venue}/${name}`), atMs });
		expect(await bring('late', nowMs + 10)).toBeUndefined();
		expect(await bring('wrong', nowMs, newRedemption())).toBeUndefined();
		const made = await Promise.all(Array.from({ length: 20 }, (_, i) => bring(`d-${i}`, nowMs)));
		expect(made.filter((device) => device !== undefined)).toMatchObject([{ venue, name: 'gate-9', status: 'active' }]);
		expect(await store.devices(venue)).toHaveLength(3);
	},
	'a device enrolls again with its own key only where its code says so, and keeps its journal': async (trial) => {
		const { store, venue, a } = trial;
		const journal = journalOf(venue, a);
		journal.admit({ idx: 1, taken: 1 });
		await store.ingest([journal.segment(1)]);
		await store.setDeviceStatus({ venue, device: a, status: 'quarantined', atMs: nowMs });
		await expect(enroll(trial, 'gate-c', { key: 'gate-a' })).rejects.toMatchObject({ code: 'key_enrolled' });
		const copied = enroll(trial, 'gate-c', { key: 'gate-a', replaces: true });
		await expect(copied).rejects.toMatchObject({ code: 'key_enrolled' });
		expect(await store.device(venue, a)).toMatchObject({ status: 'quarantined' });
		const again = await enroll(trial, 'gate-a', { replaces: true });
		expect(again).toMatchObject({ device: a, status: 'active', acceptedThrough: 2, deviceEpoch: 'epoch-1' });
		expect(await store.devices(venue)).toHaveLength(2);
	},
	'a name has one device: another takes its place only where its code says so': async (trial) => {
		const { store, venue, a, b } = trial;
		await expect(enroll(trial, 'gate-a', { key: 'new' })).rejects.toMatchObject({ code: 'name_taken' });
		const made = await enroll(trial, 'gate-a', { key: 'new', replaces: true });
		expect(made).toMatchObject({ name: 'gate-a', status: 'successor', acceptedThrough: 0 });
		expect(await store.device(venue, a)).toMatchObject({ status: 'disabled' });
		expect(await store.device(venue, b)).toMatchObject({ status: 'active' });
		const page = await store.feed(venue, { epoch: 1, control: 0, admissions: 0 }, 10);
		expect(page?.entries.map(({ change }) => change)).toContainEqual({ kind: 'device', device: a, status: 'disabled' });
		const back = store.setDeviceStatus({ venue, device: a, status: 'active', atMs: nowMs });
		await expect(back).rejects.toMatchObject({ code: 'name_taken' });
		expect(await store.device(venue, a)).toMatchObject({ status: 'disabled' });
	},
	'who has a name after another has its home tickets when an operator says so': async (trial) => {
		const { store, venue, a } = trial;
		await store.setDeviceStatus({ venue, device: a, status: 'disabled', atMs: nowMs });
		const made = await enroll(trial, 'gate-a', { key: 'new' });
		expect(made).toMatchObject({ status: 'successor' });
		const device = made?.device ?? '';
		const told = async () => {
			const page = await store.feed(venue, { epoch: 1, control: 0, admissions: 0 }, 100);
			return page?.entries.flatMap(({ change }) =>
				'status' in change && change.device === device ? change.status : [],
			);
		};
		expect(await told()).toEqual(['successor']);
		await store.setDeviceStatus({ venue, device, status: 'active', atMs: nowMs });
		expect(await told()).toEqual(['successor', 'active']);
		const [back, again] = [store.device(venue, device), enroll(trial, 'gate-a', { key: 'new', replaces: true })];
		expect([(await back)?.status, (await again)?.status]).toEqual(['active', 'active']);
	},
	'two codes of one name make one device, and the code that is refused is not spent': async (trial) => {
		const { store, venue } = trial;
		const hashes = [newRedemption(), newRedemption()] as const;
		for (const codeHash of hashes) {
			await store.addEnrollmentCode({ venue, name: 'gate-9', codeHash, expiresMs: nowMs + 1 });
		}
		const bring = (codeHash: string, key: string) =>
			store.enroll({ codeHash, jwk: { kty: 'OKP' }, device: deviceNamed(`${venue}/${key}`), atMs: nowMs });
		const first = await bring(hashes[0], 'x');
		await expect(bring(hashes[1], 'y')).rejects.toMatchObject({ code: 'name_taken' });
		await store.setDeviceStatus({ venue, device: first?.device ?? '', status: 'disabled', atMs: nowMs });
		expect(await bring(hashes[1], 'y')).toMatchObject({ name: 'gate-9', status: 'successor' });
	},
	'the status of a device is told to the control log with the change': async ({ store, venue, a }) => {
		const before = await store.head(venue);
		for (const status of ['disabled', 'active', 'quarantined', 'active'] as const) {
			await store.setDeviceStatus({ venue, device: a, status, atMs: nowMs });
		}
		const page = await store.feed(venue, { epoch: 1, control: before?.control ?? 0, admissions: 0 }, 10);
		expect(page?.entries.map(({ change }) => 'status' in change && change.status)).toEqual([
			'disabled',
			'active',
			'quarantined',
			'active',
		]);
		const unknown = { venue, device: deviceNamed('none'), status: 'active', atMs: 0 } as const;
		await expect(store.setDeviceStatus(unknown)).rejects.toMatchObject({ code: 'device_unknown' });
	},
	'the newest report of each device is kept, also when many come at once': async ({ store, venue, a, b }) => {
		const say = (device: string, waiting: number) =>
			store.reportDevice({ venue, device, report: { ...report, waiting }, atMs: nowMs + waiting });
		await Promise.all([say(a, 1), say(b, 2), say(a, 3), say(deviceNamed('none'), 4)]);
		expect(await store.device(venue, a)).toMatchObject({
			report: { version: '0.1.0', waiting: 3, atMs: nowMs + 3 },
			lastSeenMs: nowMs + 3,
		});
		expect(await store.device(venue, b)).toMatchObject({ report: { waiting: 2 } });
		expect(await store.devices(venue)).toHaveLength(2);
	},
	'a refund is pending until each device knows of it and all rows from before are here': async (trial) => {
		const { store, venue, a, b } = trial;
		const refund = await refunded(trial, 'o');
		expect(await refund()).toMatchObject({ pending: true, unsynced: ['gate-a', 'gate-b'] });
		const { control = 0 } = (await store.head(venue)) ?? {};
		const say = (device: string, more: Partial<Report>) =>
			store.reportDevice({ venue, device, report: { ...report, ...more }, atMs: nowMs });
		const cursor = { epoch: 1, control, admissions: 0 };
		const rows = journalOf(venue, b);
		rows.admit({ idx: 7, taken: 1 });
		const journal = { epoch: 'epoch-1', head: 2 };
		await say(a, { cursor, journal: { epoch: 'epoch-9', head: 0 } });
		// It knows, but rows of an entry before that may be among those that are not here.
		await say(b, { cursor, journal });
		await store.ingest([rows.segment(1, 1)]);
		await say(b, { cursor, journal });
		expect(await refund()).toMatchObject({ pending: true, unsynced: ['gate-b'] });
		await store.ingest([rows.segment(2)]);
		// Its rows are here, but it does not know and may still admit.
		await say(b, { cursor: { ...cursor, control: control - 1 }, journal });
		// What it knows is of another epoch; its rows are of another journal; it does not say.
		await say(b, { cursor: { ...cursor, epoch: 2 }, journal });
		await say(b, { cursor, journal: { ...journal, epoch: 'epoch-2' } });
		await say(b, { cursor });
		await say(b, { journal });
		expect(await refund()).toMatchObject({ pending: true });
		await say(b, { cursor, journal });
		expect(await refund()).toMatchObject({ pending: false, unsynced: [] });
		// Rows that come after it knew are none of a refunded ticket.
		await say(a, { cursor, journal: { epoch: 'epoch-9', head: 9 } });
		expect(await refund()).toMatchObject({ pending: false });
	},
	'a refund waits for no device that was given up, and for none that came after it': async (trial) => {
		const { store, venue, a, b } = trial;
		const refund = await refunded(trial, 'o');
		await refund();
		await enroll(trial, 'gate-c');
		expect(await refund()).toMatchObject({ unsynced: ['gate-a', 'gate-b'] });
		await store.setDeviceStatus({ venue, device: a, status: 'disabled', atMs: nowMs });
		await store.setDeviceStatus({ venue, device: b, status: 'quarantined', atMs: nowMs });
		// In quarantine it still admits on the authority's word.
		expect(await refund()).toMatchObject({ pending: true, unsynced: ['gate-b'] });
		await store.setDeviceStatus({ venue, device: b, status: 'disabled', atMs: nowMs });
		expect(await refund()).toMatchObject({ pending: false });
		// A later refund waits for the new one, too.
		expect(await (await refunded(trial, 'p'))()).toMatchObject({ unsynced: ['gate-c'] });
	},
};
