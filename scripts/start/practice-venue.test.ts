import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { laneIds, type OrderSample } from './page/practice-wire.ts';
import { type Practice, startPractice } from './practice.suite.ts';
import { type OpenPracticeDevices, openPracticeDevices, openSimulatedDevices } from './practice-devices.ts';

const slow = { timeout: 15_000, interval: 20 } as const;

const openings: readonly (readonly [string, OpenPracticeDevices])[] = [
	...(process.platform === 'linux' ? ([['real serial drivers', openPracticeDevices]] as const) : []),
	['simulated devices', openSimulatedDevices],
];

describe.each(openings)('two gates and a server on %s', (_name, openDevices) => {
	let practice: Practice;
	beforeAll(async () => {
		practice = await startPractice(openDevices);
	}, 60_000);
	afterAll(() => practice.close());

	const lanes = () => laneIds.map((id) => practice.venue.state().lanes[id]);
	/** Visitors that the turnstiles counted. */
	const passed = () => lanes().map(({ passages }) => passages.entry);
	const sum = () => passed().reduce((all, each) => all + each, 0);
	const ticket = (sample: OrderSample) =>
		practice.venue.serverState().tickets.find((each) => each.sample === sample) ?? expect.fail(sample);
	const presentAtBoth = (sample: OrderSample) =>
		practice.venue.act({ kind: 'present', sample, at: 'both', walk: true });
	/** Rows of decisions about a ticket, of both lanes. */
	const decisions = async (sample: OrderSample) => {
		const { idx } = ticket(sample);
		const rows = (await Promise.all(laneIds.map((id) => practice.venue.rowsAfter(id, 0)))).flat();
		const ofTicket = rows.filter((row) => 'ticket' in row && row.ticket === `lantern-2026/${idx}`);
		return ofTicket.flatMap((row) =>
			row.kind === 'granted' ? ['granted'] : row.kind === 'denied' ? [row.reason] : [],
		);
	};

	test('open one gate where one ticket is shown at both at once', async () => {
		const before = sum();
		await presentAtBoth('adult');
		await expect.poll(() => decisions('adult'), slow).toHaveLength(2);
		await expect.poll(() => ticket('adult').entries.length, slow).toBe(1);
		expect(sum()).toBe(before + 1);
		expect((await decisions('adult')).filter((each) => each === 'granted')).toHaveLength(1);
		expect(ticket('adult').entries).toMatchObject([{ rung: 'authority' }]);
	}, 40_000);

	test('refuse a ticket once it is refunded, and admit it once the refund is taken back', async () => {
		const before = sum();
		await practice.venue.act({ kind: 'refund', sample: 'adult_b' });
		expect(ticket('adult_b').refunded).toBe(true);
		await presentAtBoth('adult_b');
		await expect.poll(() => decisions('adult_b'), slow).toEqual(['revoked', 'revoked']);
		expect(sum()).toBe(before);
		await practice.venue.act({ kind: 'restore', sample: 'adult_b' });
		await expect
			.poll(
				async () => {
					// A gate that still looks at the last code lets this one wait.
					if (!ticket('adult_b').used) {
						await practice.venue.act({ kind: 'present', sample: 'adult_b', at: 'lane-2', walk: true });
					}
					return sum();
				},
				{ timeout: 15_000, interval: 2_500 },
			)
			.toBe(before + 1);
		await expect.poll(() => ticket('adult_b').used, slow).toBe(true);
		const refunding = practice.venue.act({ kind: 'refund', sample: 'adult_b' });
		await expect(refunding).rejects.toMatchObject({ code: 'order_closed' });
		expect(ticket('adult_b').refunded).toBe(false);
	}, 60_000);

	test('open both while they are cut off, and tell of it in one case once they are joined again', async () => {
		const before = passed();
		await practice.venue.act({ kind: 'link', at: 'both', up: false });
		await expect.poll(() => lanes().map(({ link }) => link.online), slow).toEqual([false, false]);
		await presentAtBoth('adult_c');
		await expect.poll(passed, slow).toEqual(before.map((count) => count + 1));
		// Each has a grant and a passage that the server does not know of, and perhaps what its alarms wrote.
		const untold = () => lanes().map(({ link }) => link.lastRung === 'local' && link.waiting >= 2);
		await expect.poll(untold, slow).toEqual([true, true]);
		expect(practice.venue.serverState().cases).toEqual([]);
		expect(ticket('adult_c').entries).toEqual([]);
		await practice.venue.act({ kind: 'link', at: 'both', up: true });
		await expect.poll(() => practice.venue.serverState().cases.length, { timeout: 60_000 }).toBe(1);
		await expect.poll(() => lanes().map(({ link }) => link.waiting), { timeout: 60_000 }).toEqual([0, 0]);
		const [found] = practice.venue.serverState().cases;
		expect(found).toMatchObject({ kind: 'double_entry', idx: ticket('adult_c').idx });
		expect(found?.entries.map(({ lane, rung }) => `${lane} ${rung}`).sort()).toEqual(['lane-1 local', 'lane-2 local']);
		await practice.venue.act({ kind: 'close_case', id: found?.id ?? '', text: 'two friends' });
		expect(practice.venue.serverState().cases).toMatchObject([{ outcome: { text: 'two friends' } }]);
	}, 150_000);

	test('go on with the same tickets, uses and cases after a new start', async () => {
		const { tickets, cases } = practice.venue.serverState();
		const codes = practice.venue.samples();
		expect(tickets.every(({ used }) => used)).toBe(true);
		await practice.end();
		practice = await startPractice(openDevices, { dir: practice.dir });
		expect(practice.venue.samples()).toEqual(codes);
		expect(practice.venue.serverState()).toMatchObject({ tickets, cases });
		const refusals = async () => (await decisions('adult')).filter((each) => each === 'already_redeemed').length;
		const before = await refusals();
		await practice.venue.act({ kind: 'present', sample: 'adult', at: 'both' });
		await expect.poll(refusals, slow).toBe(before + 2);
		expect(passed()).toEqual([0, 0]);
	}, 60_000);
});

test('a second practice on the same folder is refused before it touches anything', async () => {
	const practice = await startPractice(openSimulatedDevices);
	await expect(startPractice(openSimulatedDevices, { dir: practice.dir })).rejects.toMatchObject({
		code: 'ledger_busy',
	});
	await practice.close();
}, 60_000);
