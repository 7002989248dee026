import { createHash } from 'node:crypto';
import { deflateSync, gzipSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Zlib } from '../../gate-agent/core/status-list.ts';
import { ticketIdxMax } from '../../gate-agent/core/ticket.ts';
import { isResponse } from './paths.ts';
import { type NumberSet, numbersOf, packNumbers, packPages, type Snapshot, unpackPages } from './snapshot.ts';

const zlib: Zlib = {
	deflate: (bytes) => deflateSync(bytes),
	inflate: (bytes, bytesMax) => inflateSync(bytes, { maxOutputLength: bytesMax }),
};

const deviceIdOf = (n: number) => createHash('sha256').update(`${n}`).digest('base64url');

/** `share` of the numbers below `size`, chosen by a generator that is the same everywhere (xorshift32). */
function some(size: number, share: number, seed: number): number[] {
	let state = seed;
	const chosen: number[] = [];
	for (let idx = 0; idx < size; idx++) {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		if ((state >>> 0) / 2 ** 32 < share) chosen.push(idx);
	}
	return chosen;
}

describe('a set of ticket numbers', () => {
	test('comes back as it was packed', async () => {
		const number = fc.oneof(fc.nat(20_000), fc.integer({ min: 0, max: ticketIdxMax }));
		await fc.assert(
			fc.asyncProperty(fc.uniqueArray(number, { maxLength: 200 }), async (numbers) => {
				const packed = await packNumbers(numbers, zlib);
				const pages = await unpackPages(packed, zlib);
				expect([...numbersOf(pages)]).toEqual(numbers.toSorted((a, b) => a - b));
				expect(await packPages(pages, zlib)).toEqual(packed);
			}),
			{ numRuns: 100 },
		);
	});

	test('with one run is the `lst` of a Token Status List', async () => {
		const { runs, lst } = await packNumbers([0, 9, 4095], zlib);
		const bytes = inflateSync(Buffer.from(lst, 'base64url'));
		expect(runs).toEqual([[0, 1]]);
		expect([bytes[0], bytes[1], bytes[511], bytes.length]).toEqual([1, 2, 128, 512]);
	});

	test('is small for one number near the end of the range', async () => {
		expect((await packNumbers([ticketIdxMax], zlib)).lst.length).toBeLessThan(64);
	});

	test('that is damaged, too long or out of order is refused', async () => {
		const good = await packNumbers([1, 5_000, 10_000_000], zlib);
		const bomb = deflateSync(new Uint8Array(50_000_000)).toString('base64url');
		const bad: NumberSet[] = [
			{ ...good, lst: good.lst.slice(0, -8) },
			{ ...good, lst: '!' },
			{ ...good, lst: bomb },
			{ ...good, runs: [...good.runs, [5_000, 1]] },
			{ ...good, runs: good.runs.toReversed() },
			{
				...good,
				runs: [
					[0, 2],
					[1, 1],
				],
			},
			{ runs: [[0, 524_288]], lst: bomb },
			{ runs: [[524_287, 3]], lst: good.lst },
			{ runs: [], lst: good.lst },
		];
		for (const set of bad) await expect(unpackPages(set, zlib)).rejects.toMatchObject({ code: 'status_list_invalid' });
	});
});

describe('a snapshot', () => {
	test('of a million tickets, a fifth redeemed and one in a hundred revoked, with the journals of 150 gates, is at most 150 KB on the wire', async () => {
		const snapshot: Snapshot = {
			cursor: { epoch: 1, control: 10_000, admissions: 200_000 },
			events: [
				{
					evt: 'lantern-2026',
					policy: { evt: 'lantern-2026', timeZone: 'Asia/Shanghai', classes: {} },
					redeemed: await packNumbers(some(1_000_000, 0.2, 1), zlib),
					revoked: await packNumbers(some(1_000_000, 0.01, 2), zlib),
					counts: [{ allowance: 'day:2026-11-22', rows: [[7, 3, 1, 0]] }],
				},
			],
			devices: [],
			journals: Array.from({ length: 150 }, (_, n) => ({
				device: deviceIdOf(n),
				journal: `epoch-${n}`,
				through: 2_000 + n,
			})),
		};
		expect(isResponse('snapshot', snapshot)).toBe(true);
		expect(gzipSync(JSON.stringify(snapshot)).length).toBeLessThanOrEqual(150_000);
	});

	test('of the worst case, half of them redeemed, is at most 250 KB', async () => {
		const sets = [await packNumbers(some(1_000_000, 0.5, 3), zlib), await packNumbers(some(1_000_000, 0.01, 4), zlib)];
		expect(JSON.stringify(sets).length).toBeLessThanOrEqual(250_000);
	});
});
