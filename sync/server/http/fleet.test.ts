import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { isResponse } from '../../protocol/paths.ts';
import { type DeviceUnderTest, newKey, type ServerUnderTest, startServerUnderTest } from '../running-server.suite.ts';
import { claimOf } from '../testing/device-journal.ts';

let venue: ServerUnderTest;
let session: string;
let aheadMs = 0;
beforeAll(async () => {
	venue = await startServerUnderTest({ nowMs: () => Date.now() + aheadMs });
	session = await venue.login();
});
afterAll(() => venue.close());

const post = (path: string, body: unknown) => venue.ask({ method: 'POST', path: `/v1/office${path}`, body }, session);
const get = async (path: string) => (await venue.ask({ method: 'GET', path: `/v1/office${path}` }, session)).body;
const claim = (device: DeviceUnderTest, idx: number) =>
	venue.ask(
		{ method: 'POST', path: '/v1/claims', body: { claims: [claimOf('harbor', '', { idx }).claim] } },
		device.token,
	);
const lane = { lane: 'lane-1', mode: 'entry', phase: 'idle', emergency: false, missing: [], alarms: ['sensor_dead'] };

async function enroll(code: string, key: object) {
	return venue.ask({ method: 'POST', path: '/v1/enroll', body: { code, key, name: 'x', version: '1' } });
}

async function codeOf(name: string, replace?: true): Promise<string> {
	const { body } = await post('/codes', { name, ...(replace && { replace }) });
	return (body as { code: string }).code;
}

describe('the devices of a venue', () => {
	it('say how they stand, and are told how far their journal is here', async () => {
		const device = await venue.device(session);
		const report = {
			version: '0.1.0',
			waiting: 7,
			listAgeMs: 1_200,
			clockTrusted: true,
			clockOffsetMs: -3.5,
			lanes: [lane],
		};
		const said = await venue.ask({ method: 'POST', path: '/v1/report', body: report }, device.token);
		expect(said).toMatchObject({ status: 200, body: { status: 'active' } });
		expect(isResponse('report', said.body)).toBe(true);
		const { devices } = (await get('/devices')) as { devices: { device: string }[] };
		expect(devices.find((each) => each.device === device.id)).toMatchObject({ name: 'gate-1', report });
		const lost = await venue.ask(
			{ method: 'POST', path: '/v1/report', body: { ...report, waiting: -1 } },
			device.token,
		);
		expect(lost.body).toMatchObject({ code: 'malformed' });
	});

	it('that are dead hold claims until staff release them, and not while they are heard of', async () => {
		const device = await venue.device(session);
		await claim(device, 1);
		await claim(device, 2);
		const open = `/devices/${device.id}/claims`;
		const { claims } = (await get(open)) as { claims: { redemption: string; idx: number }[] };
		expect(claims).toMatchObject([
			{ evt: 'lantern-2026', idx: 1, uses: 1, lane: 'lane-1', journal: 'epoch-1' },
			{ idx: 2 },
		]);
		const report = { version: '0.1.0', waiting: 0, clockTrusted: true, lanes: [] };
		await venue.ask({ method: 'POST', path: '/v1/report', body: report }, device.token);
		expect((await post(`${open}/release`, {})).body).toMatchObject({ code: 'device_alive' });
		const [first] = claims.map(({ redemption }) => redemption);
		expect((await post(`${open}/release`, { redemptions: [first], force: true })).body).toMatchObject({
			released: [first],
		});
		aheadMs = 600_000;
		try {
			expect((await post(`${open}/release`, {})).body).toMatchObject({ released: [claims[1]?.redemption] });
		} finally {
			aheadMs = 0;
		}
		expect(await get(open)).toEqual({ claims: [] });
		const other = await venue.device(session);
		expect((await claim(other, 2)).body).toMatchObject({ answers: [{ result: 'granted' }] });
		const audit = (await get('/audit')) as { rows: { act: string; subject: string }[] };
		expect(audit.rows).toContainEqual(
			expect.objectContaining({ act: 'claim.release', subject: `${device.id} all`, operator: 'mina' }),
		);
		expect(await get(`/devices/${'x'.repeat(43)}/claims`)).toMatchObject({ code: 'not_found' });
	});

	it('take orders for their lanes, signed with the operator’s own name, and none that is given at the lane alone', async () => {
		const device = await venue.device(session);
		const path = `/devices/${device.id}/commands`;
		const order = { lane: 'lane-1', command: { kind: 'emergency_open', by: 'somebody' } };
		expect((await post(path, order)).status).toBe(200);
		const feed = await venue.ask({ method: 'GET', path: '/v1/feed?since=1.0.0' }, device.token);
		const { entries } = feed.body as { entries: { change: { kind?: string } }[] };
		expect(entries.findLast(({ change }) => change.kind === 'command')?.change).toMatchObject({
			device: device.id,
			command: { kind: 'emergency_open', by: 'mina' },
		});
		for (const kind of ['emergency_reset', 'dance', 'set_mode']) {
			expect((await post(path, { ...order, command: { kind } })).body).toMatchObject({ code: 'malformed' });
		}
		expect((await post(`/devices/${'x'.repeat(43)}/commands`, order)).body).toMatchObject({ code: 'not_found' });
	});

	it('are replaced by a device of the same name where the code says so, and are out soon', async () => {
		const device = await venue.device(session);
		const { devices } = (await get('/devices')) as { devices: { device: string; name: string }[] };
		const name = devices.find((each) => each.device === device.id)?.name ?? '';
		expect((await post('/codes', { name })).body).toMatchObject({ code: 'name_taken' });
		// The same key again, as after a new installation that kept it.
		const same = await enroll(await codeOf(name, true), onlyPublic(device.key));
		expect(same).toMatchObject({ status: 200, body: { device: device.id } });
		expect((await claim(device, 8)).status).toBe(200);
		const made = await enroll(await codeOf(name, true), onlyPublic(await newKey()));
		expect(made).toMatchObject({ status: 200 });
		const refused = async () => (await claim(device, 9)).body;
		await expect.poll(refused, { timeout: 20_000 }).toMatchObject({ code: 'device_disabled' });
		const back = { method: 'PUT', path: `/v1/office/devices/${device.id}/status`, body: { status: 'active' } } as const;
		expect((await venue.ask(back, session)).body).toMatchObject({ code: 'name_taken' });
	});
});
