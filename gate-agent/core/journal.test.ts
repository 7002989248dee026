import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendRow, emptyJournal, parseRow, type StoredRow, verifyChain } from './journal.ts';
import type { Fact } from './redemption.ts';

const start = emptyJournal('epoch-1');

function journal(count: number): StoredRow[] {
	const rows: StoredRow[] = [];
	let head = start;
	for (let n = 1; n <= count; n++) {
		const fact: Fact = { kind: 'alarm', lane: '检票口 1', alarm: 'tamper', on: n % 2 === 0 };
		const next = appendRow(head, fact, n);
		rows.push(next.row);
		head = next.head;
	}
	return rows;
}

test('a row is its number, epoch, time and fact, and its hash covers the row before', () => {
	const [first, second] = journal(2);
	expect(first?.text).toBe(
		'{"seq":1,"epoch":"epoch-1","at":1,"kind":"alarm","lane":"检票口 1","alarm":"tamper","on":false}',
	);
	const one = createHash('sha256')
		.update(new Uint8Array(32))
		.update(first?.text ?? '', 'utf8')
		.digest();
	const two = createHash('sha256')
		.update(one)
		.update(second?.text ?? '', 'utf8')
		.digest();
	expect(Buffer.from(second?.hash ?? [])).toEqual(two);
	expect(parseRow(second?.text ?? '')).toMatchObject({ seq: 2, at: 2, kind: 'alarm' });
});

test('time never goes back', () => {
	const fact: Fact = { kind: 'alarm', lane: 'lane-1', alarm: 'fire', on: true };
	const later = appendRow(start, fact, 5000.7).head;
	expect(later.atMs).toBe(5000);
	expect(appendRow(later, fact, 10).head.atMs).toBe(5000);
});

test('time goes back where a newer clock epoch begins, and only there', () => {
	const fact: Fact = { kind: 'alarm', lane: 'lane-1', alarm: 'fire', on: true };
	const poisoned = appendRow(start, fact, 9_000_000).head;
	const reset = appendRow(poisoned, startedIn(2), 5_000).head;
	expect(reset).toMatchObject({ atMs: 5_000, clockEpoch: 2 });
	expect(appendRow(reset, startedIn(2), 10).head).toMatchObject({ atMs: 5_000, clockEpoch: 2 });
	expect(appendRow(reset, startedIn(1), 10).head).toMatchObject({ atMs: 5_000, clockEpoch: 2 });
});

function startedIn(clockEpoch: number): Fact {
	return { kind: 'started', agent: 'gate-1', version: '1.0.0', clock: 'trusted', clockEpoch };
}

test('a whole chain holds, from the start and from any row in it', () => {
	const rows = journal(50);
	expect(verifyChain(rows, start)).toMatchObject({ kind: 'whole', rows: 50 });
	const anchor = rows[19];
	expect(anchor && verifyChain(rows.slice(20), { ...anchor, epoch: 'epoch-1' })).toMatchObject({ rows: 30 });
	expect(verifyChain([], start)).toMatchObject({ kind: 'whole', rows: 0 });
});

test('any row that is changed, lost, doubled or swapped breaks the chain there', () => {
	const rows = journal(12);
	const position = fc.nat(rows.length - 1);
	fc.assert(
		fc.property(position, fc.constantFrom('text', 'hash', 'lost', 'doubled'), (at, damage) => {
			const row = rows[at] as StoredRow; // `position` lies within the rows.
			const damaged = {
				text: [{ ...row, text: row.text.replace('tamper', 'fire') }],
				hash: [{ ...row, hash: row.hash.map((byte) => byte ^ 1) }],
				lost: [],
				doubled: [row, row],
			}[damage] as StoredRow[];
			const check = verifyChain(rows.toSpliced(at, 1, ...damaged), start);
			const endLost = damage === 'lost' && at === rows.length - 1;
			expect(check.kind).toBe(endLost ? 'whole' : 'broken');
			if (check.kind === 'broken') expect(check.atSeq).toBe(damage === 'doubled' ? at + 2 : at + 1);
		}),
	);
});

test('rows of another epoch do not continue a chain', () => {
	expect(verifyChain(journal(1), emptyJournal('epoch-2'))).toEqual({ kind: 'broken', atSeq: 1, why: 'text' });
});
