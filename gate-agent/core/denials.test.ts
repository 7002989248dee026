import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
	addDenial,
	type Denials,
	denialsDueInMs,
	denialsWaitingMax,
	noDenials,
	putBackDenials,
	takeAllDenials,
	takeDenials,
	type WaitingDenial,
} from './denials.ts';
import { type Denial, denialFlushMs, denialsPerMinuteMax } from './ledger.ts';
import { ticketId } from './ticket.ts';

const minuteMs = 60_000;
const unreadable = (atMs: number, lane = 'lane-1'): Denial => ({ reason: 'unreadable', lane, atMs });
const all = (denials: readonly Denial[]): Denials => denials.reduce(addDenial, noDenials);

function scansIn(rows: readonly WaitingDenial[]): number {
	return rows.reduce(
		(sum, { fact }) =>
			sum + (fact.kind === 'denied' ? fact.count : Object.values(fact.counts).reduce((a, b) => a + b, 0)),
		0,
	);
}

test('every denial is in exactly one row, and no lane makes more rows than its limit in a minute', () => {
	const denial = fc.record({
		laterMs: fc.oneof(fc.nat(500), fc.nat(2 * minuteMs)),
		reason: fc.constantFrom('revoked' as const, 'expired' as const),
		lane: fc.constantFrom('lane-1', 'lane-2'),
		n: fc.nat(200),
		flush: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(denial, { maxLength: 300 }), (steps) => {
			let denials = noDenials;
			let atMs = 0;
			const written: WaitingDenial[] = [];
			for (const { laterMs, reason, lane, n, flush } of steps) {
				atMs += laterMs;
				denials = addDenial(denials, { reason, lane, ticketId: ticketId('lantern-2026', n), atMs });
				if (!flush) continue;
				const { rows, rest } = takeDenials(denials, atMs);
				written.push(...rows);
				denials = rest;
			}
			written.push(...takeAllDenials(denials, atMs));
			expect(scansIn(written)).toBe(steps.length);
			const rows = Object.groupBy(
				written.filter(({ fact }) => fact.kind === 'denied'),
				(row) => `${row.fact.lane} ${Math.floor(row.atMs / minuteMs)}`,
			);
			for (const perMinute of Object.values(rows)) {
				expect(perMinute?.length).toBeLessThanOrEqual(denialsPerMinuteMax);
			}
		}),
	);
});

test('the time of a row is never after the moment it is written', () => {
	const flooded = all(Array.from({ length: 100 }, (_, n) => ({ ...unreadable(10), ticketId: ticketId('e', n) })));
	expect(Math.max(...takeAllDenials(flooded, 20).map(({ atMs }) => atMs))).toBe(20);
});

test('says when something is due: soon for a row, at the end of the minute for counts', () => {
	expect(denialsDueInMs(noDenials, 0)).toBeUndefined();
	expect(denialsDueInMs(all([unreadable(5)]), 5)).toBe(denialFlushMs);
	const flood = Array.from({ length: 61 }, (_, n) => ({ ...unreadable(1000), ticketId: ticketId('e', n) }));
	const { rest } = takeDenials(all(flood), 1000);
	expect(denialsDueInMs(rest, 1000)).toBe(59_000);
	expect(takeDenials(rest, 59_999).rows).toEqual([]);
	expect(takeDenials(rest, minuteMs).rows).toMatchObject([
		{ fact: { kind: 'denied_many', counts: { unreadable: 1 } } },
	]);
});

test('stays small while the disk takes nothing, and loses no count', () => {
	let denials = noDenials;
	const total = 40 * 120;
	for (let n = 0; n < total; n++) {
		const lane = `lane-${n % 4}`;
		denials = addDenial(denials, { ...unreadable(n * 500, lane), ticketId: ticketId('e', n) });
		expect(denials.waiting.size).toBeLessThanOrEqual(denialsWaitingMax + 4);
	}
	expect(scansIn(takeAllDenials(denials, total * 500))).toBe(total);
});

test('rows that could not be written wait again in front of newer ones, and equal ones become one row', () => {
	const flood = Array.from({ length: 61 }, (_, n) => ({ ...unreadable(1000), ticketId: ticketId('e', n % 61) }));
	const { rows, rest } = takeDenials(all(flood), minuteMs);
	const meanwhile = addDenial(
		addDenial(rest, { ...unreadable(minuteMs), ticketId: ticketId('e', 1) }),
		unreadable(minuteMs),
	);
	const again = takeDenials(putBackDenials(meanwhile, rows), minuteMs).rows;
	expect(again.map(({ fact }) => fact.kind)).toEqual([...rows.map(({ fact }) => fact.kind), 'denied']);
	expect(again[1]).toEqual({ atMs: 1000, fact: { ...rows[1]?.fact, count: 2 } });
	expect(scansIn(again)).toBe(63);
});
