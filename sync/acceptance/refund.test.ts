import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, enrollDevice } from './device.suite.ts';
import { type Follower, follow } from './follower.suite.ts';
import { type GoBetween, type Manner, standBetween } from './go-between.suite.ts';
import { openVenue, until, type Venue } from './venue.suite.ts';

/** How long a refund may take to a gate that is connected. */
const refundMs = 2_000;
const refunds = 10;

let venue: Venue;
let device: Device;
let between: GoBetween;
beforeAll(async () => {
	venue = await openVenue();
	device = await enrollDevice(venue);
	between = await standBetween(venue);
});
afterAll(async () => {
	device.close();
	await between[Symbol.asyncDispose]();
	await venue[Symbol.asyncDispose]();
});

/** How long each refund takes to a follower, from the operator's call to what a lane would decide by. */
async function latencies(follower: Follower, order: string): Promise<readonly number[]> {
	const took: number[] = [];
	for (const idx of await venue.issue(order, refunds)) {
		expect(await follower.isRevoked(idx)).toBe(false);
		const startedMs = performance.now();
		const path = `/v1/office/orders/${order}/refund`;
		expect((await venue.office({ method: 'POST', path, body: { idx: [idx] } })).status).toBe(200);
		await until('the refund', () => follower.isRevoked(idx));
		took.push(performance.now() - startedMs);
	}
	return took.toSorted((a, b) => a - b);
}

function tell(how: string, took: readonly number[]): void {
	const [median = 0, slowest = 0] = [took[took.length >> 1], took.at(-1)];
	process.stdout.write(`a refund ${how}: median ${median.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms\n`);
}

describe('a refund reaches a connected gate in two seconds', () => {
	it('by the stream of the feed', async () => {
		let polls = 0;
		let streams = 0;
		between.behave(({ path, request, pass }) => {
			if (path === '/v1/feed') request.headers.accept === 'text/event-stream' ? streams++ : polls++;
			return pass();
		});
		const follower = await follow(device, { url: between.url, fingerprint: venue.fingerprint });
		await until('the stream', () => streams > 0);
		const before = polls;
		const took = await latencies(follower, 'S-1');
		tell('by stream', took);
		expect(took.at(-1)).toBeLessThan(refundMs);
		expect(polls).toBe(before);
		await follower.stop();
	});

	it('by long polls behind a proxy that holds streams back', async () => {
		let streams = 0;
		let polls = 0;
		/** As a proxy that sends an answer on once it has the whole of it, which a stream never is. */
		const buffering: Manner = async ({ path, request, response, ask }) => {
			if (path === '/v1/feed') request.headers.accept === 'text/event-stream' ? streams++ : polls++;
			const { status, type, text } = await ask();
			response.writeHead(status, { 'content-type': type }).end(text);
		};
		between.behave(buffering);
		const follower = await follow(device, { url: between.url, fingerprint: venue.fingerprint });
		await until('a stream that brought nothing, and a poll in its place', () => streams > 0 && polls > 1);
		expect((await follower.status()).state).toBe('online');
		const took = await latencies(follower, 'P-1');
		tell('by long poll', took);
		expect(took.at(-1)).toBeLessThan(refundMs);
		expect(streams).toBe(1);
		await follower.stop();
	});
});

describe('a gate that was off', () => {
	it('knows a refund before it is online again', async () => {
		between.beHonest();
		const first = await follow(device, { url: between.url, fingerprint: venue.fingerprint });
		const { ledger } = first;
		await until('being online', async () => (await first.status()).state === 'online');
		await first.stop();
		const [idx = -1] = await venue.issue('OFF-1', 1);
		await venue.done('order', 'refund', '--order', 'OFF-1');
		expect(await first.isRevoked(idx)).toBe(false);
		const again = await follow(device, { url: between.url, fingerprint: venue.fingerprint, ledger });
		await until('being online', async () => (await again.status()).state === 'online');
		expect(await again.isRevoked(idx)).toBe(true);
		await again.stop();
	});

	it('and admitted the refunded ticket meanwhile, makes it a case', async () => {
		const [idx = -1] = await venue.issue('OFF-2', 1);
		const gate = await follow(device, { url: between.url, fingerprint: venue.fingerprint });
		await until('being online', async () => (await gate.status()).state === 'online');
		await gate.stop();
		const redemption = await gate.admit(idx);
		expect(await venue.done('order', 'refund', '--order', 'OFF-2')).toMatch(/not synced since/);
		const { url, fingerprint } = venue;
		const back = await follow(device, { url, fingerprint, ledger: gate.ledger });
		const filed = await until('the case', async () => {
			const cases = (await venue.done('case', 'list', '--json')).split('\n').filter((line) => line !== '');
			return cases.map((line) => JSON.parse(line)).find((each) => each.idx === idx);
		});
		expect(filed).toMatchObject({ kind: 'refunded_after_entry', evt: 'lantern-2026' });
		expect(JSON.stringify(filed)).toContain(redemption);
		await back.stop();
	});
});
