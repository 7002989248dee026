import { describe, expect, it } from 'vitest';
import type { AdmissionChange } from '../protocol/feed.ts';
import type { Case, Device as KnownDevice } from '../server/store.ts';
import { bodyOf } from './answer.suite.ts';
import { type Device, enrollDevice } from './device.suite.ts';
import { issued, type Load, readLogs, startLoad } from './load.suite.ts';
import { emptyStore, storeKinds } from './stores.suite.ts';
import { openVenue, type Venue } from './venue.suite.ts';

const kills = 20;
const devices = 6;

/** Everything that was ever answered holds, and every number was given once. */
async function expectKept(venue: Venue, load: Load, follower: Device): Promise<void> {
	const { acknowledged, journals } = load;
	const logs = await readLogs(follower);
	for (const log of ['control', 'admissions'] as const) {
		for (const [n, change] of acknowledged.feed[log]) expect(logs[log].get(n)).toBe(change);
	}
	const rows = [...logs.admissions.values()].map((text) => JSON.parse(text) as AdmissionChange);
	const names = rows.map(({ device, deviceEpoch, seq }) => `${device} ${deviceEpoch} ${seq}`);
	const written = [...journals].flatMap(([id, { rows: own }]) => own.map(({ seq }) => `${id} epoch-1 ${seq}`));
	expect(names.toSorted()).toEqual(written.toSorted());

	const { devices: known } = bodyOf<{ devices: KnownDevice[] }>(
		await venue.office({ method: 'GET', path: '/v1/office/devices' }),
	);
	for (const [id, through] of acknowledged.through) {
		expect(known.find(({ device }) => device === id)).toMatchObject({ status: 'active', acceptedThrough: through });
	}
	expect(bodyOf<{ cases: Case[] }>(await venue.office({ method: 'GET', path: '/v1/office/cases' })).cases).toEqual([]);
	await expectClaims(load);
	await expectOrders(venue, load);
}

async function expectClaims({ acknowledged: { claims } }: Load): Promise<void> {
	const granted = claims.filter(({ answer }) => answer.result === 'granted').map(({ claim }) => claim.idx);
	expect(new Set(granted).size).toBe(granted.length);
	for (const [device, own] of Map.groupBy(claims, (each) => each.device)) {
		for (let at = 0; at < own.length; at += 64) {
			const part = own.slice(at, at + 64);
			expect(await device.claim(part.map(({ claim }) => claim))).toEqual(part.map(({ answer }) => answer));
		}
	}
}

async function expectOrders(venue: Venue, { acknowledged: { orders } }: Load): Promise<void> {
	const numbers = orders.flatMap(({ idx }) => idx);
	expect(new Set(numbers).size).toBe(numbers.length);
	for (const { order, idx } of orders) expect(await issued(venue, order)).toEqual(idx);
	for (const idx of await issued(venue, 'after')) expect(numbers).not.toContain(idx);
}

describe.each(storeKinds)('a server that keeps its venue in %s', (kind) => {
	it(`loses nothing that it answered by ${kills} times SIGKILL under load`, async () => {
		await using store = await emptyStore(kind);
		await using venue = await openVenue({ store: store.url });
		const all: Device[] = [];
		for (let each = 0; each < devices; each++) all.push(await enrollDevice(venue, { name: `gate-${each}` }));
		const follower = await enrollDevice(venue, { name: 'follower' });
		const load = startLoad(venue, all, follower);
		for (let round = 0; round < kills; round++) {
			await load.more(8 + ((round * 7) % 30));
			if (round === kills / 2 && store.postgres) {
				// The server goes on, and finds its database again by itself.
				await store.postgres.kill('SIGKILL');
				await store.postgres.start();
				await load.more(8);
			}
			await venue.end('SIGKILL');
			await venue.start();
		}
		await load.more(20);
		await load.finish();
		await expectKept(venue, load, follower);
		expect(load.acknowledged.claims.length).toBeGreaterThan(kills * 10);
		expect(await venue.end('SIGTERM')).toBe(0);
		for (const device of [...all, follower]) device.close();
	}, 600_000);
});
