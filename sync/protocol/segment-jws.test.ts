import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { base64url } from 'jose';
import { describe, expect, test } from 'vitest';
import { appendRow, emptyJournal, type JournalHead } from '../../gate-agent/core/journal.ts';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import type { Fact } from '../../gate-agent/core/redemption.ts';
import { ed25519Jwk, jwsOf, p256Jwk } from '../../gate-agent/core/test-issuer.suite.ts';
import { deviceIdOf } from './enroll.ts';
import { genesisPrevHash, lastHashOf, openSegment, signSegment } from './segment-jws.ts';
import { type Segment, segmentBytesMax } from './segments.ts';

const device = await deviceIdOf(onlyPublic(ed25519Jwk));
const own = { device, key: onlyPublic(ed25519Jwk) };
const golden: { segment: string; segmentLastHash: string } = JSON.parse(
	readFileSync(new URL('./vectors/protocol.json', import.meta.url), 'utf8'),
);

/** A journal of `count` rows whose texts hold `word`, cut after `skip` rows. */
function segmentOf(count: number, { skip = 0, word = 'gate' } = {}): Segment {
	const rows: string[] = [];
	let head: JournalHead = emptyJournal('e1');
	let before = head;
	for (let i = 0; i < count; i++) {
		if (i === skip) before = head;
		const fact: Fact = { kind: 'lane', lane: word, mode: 'entry', emergency: false, by: 'agent' };
		const next = appendRow(head, fact, 1_790_000_000_000 + i);
		rows.push(next.row.text);
		head = next.head;
	}
	const prevHash = base64url.encode(before.hash);
	return { device, epoch: 'e1', from: skip + 1, to: count, prevHash, rows: rows.slice(skip) };
}

describe('a signed segment', () => {
	test('opens with its rows verbatim, whatever they hold', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 5 }),
				fc.string({ unit: 'grapheme', maxLength: 40 }),
				async (n, word) => {
					const segment = segmentOf(n, { word });
					const opened = await openSegment(await signSegment(segment, ed25519Jwk), own);
					expect(opened).toMatchObject({ kind: 'opened', segment });
				},
			),
			{ numRuns: 60 },
		);
	});

	test('is the golden vector, and its last hash is SHA-256 over the chain', async () => {
		const segment = segmentOf(3);
		expect(await signSegment(segment, ed25519Jwk)).toBe(golden.segment);
		let hash = Buffer.alloc(32);
		for (const row of segment.rows) hash = createHash('sha256').update(hash).update(row, 'utf8').digest();
		expect(lastHashOf(segment)).toBe(hash.toString('base64url'));
		expect(golden.segmentLastHash).toBe(lastHashOf(segment));
		const byNode = (before: Uint8Array, row: string) => createHash('sha256').update(before).update(row).digest();
		expect(await openSegment(golden.segment, { ...own, hash: byNode })).toMatchObject({
			lastHash: lastHashOf(segment),
		});
	});

	test('joins the one before it', () => {
		expect(segmentOf(5, { skip: 2 }).prevHash).toBe(lastHashOf(segmentOf(2)));
		expect(segmentOf(1).prevHash).toBe(genesisPrevHash);
	});

	test('holds a thousand ordinary rows in less than a megabyte', async () => {
		const jws = await signSegment(segmentOf(1_000), ed25519Jwk);
		expect(jws.length).toBeLessThan(segmentBytesMax);
		expect(await openSegment(jws, own)).toMatchObject({ kind: 'opened' });
	});

	test.each<[string, (segment: Segment) => unknown]>([
		['too few rows', (s) => ({ ...s, rows: s.rows.slice(1) })],
		['rows in another order', (s) => ({ ...s, rows: s.rows.toReversed() })],
		['rows of another epoch', (s) => ({ ...s, epoch: 'e2' })],
		['numbers moved on', (s) => ({ ...s, from: s.from + 1, to: s.to + 1 })],
		['a first row that joins something', (s) => ({ ...s, prevHash: `${'x'.repeat(42)}A` })],
		['a hash with stray bits', (s) => ({ ...s, prevHash: `${'A'.repeat(42)}B` })],
		['another device inside', (s) => ({ ...s, device: 'x'.repeat(43) })],
		['a row 0', (s) => ({ ...s, from: 0, to: s.to - 1 })],
		['no rows', (s) => ({ ...s, rows: [], to: 0 })],
		['a member more', (s) => ({ ...s, note: 1 })],
		['a row that is no text', (s) => ({ ...s, rows: [1, 2, 3] })],
		['a row of 5,000 characters', (s) => ({ ...s, rows: [...s.rows.slice(0, 2), s.rows[2] + ' '.repeat(5_000)] })],
	])('with %s is refused, although its signature holds', async (_, change) => {
		const text = JSON.stringify(change(segmentOf(3)));
		const jws = jwsOf({ alg: 'Ed25519', typ: 'stileward-segment', kid: device }, text, ed25519Jwk);
		expect(await openSegment(jws, own)).toMatchObject({ kind: 'refused', code: 'segment_invalid' });
	});

	test('by another key, under another type, changed or too large is refused', async () => {
		const segment = segmentOf(3);
		const jws = await signSegment(segment, ed25519Jwk);
		const other = { device, key: onlyPublic(p256Jwk) };
		expect(await openSegment(jws, other)).toMatchObject({ code: 'segment_invalid' });
		expect(await openSegment(jws, { ...own, device: 'x'.repeat(43) })).toMatchObject({ code: 'segment_invalid' });
		const assertion = { alg: 'Ed25519', typ: 'stileward-device-assertion+jwt', kid: device };
		expect(await openSegment(jwsOf(assertion, JSON.stringify(segment), ed25519Jwk), own)).toMatchObject({
			code: 'segment_invalid',
		});
		expect(await openSegment('a'.repeat(segmentBytesMax + 1), own)).toMatchObject({ code: 'too_large' });
		await fc.assert(
			fc.asyncProperty(fc.nat(jws.length - 1), async (at) => {
				const changed = jws.slice(0, at) + (jws[at] === 'A' ? 'B' : 'A') + jws.slice(at + 1);
				expect(await openSegment(changed, own)).toMatchObject({ kind: 'refused' });
			}),
			{ numRuns: 100 },
		);
	});

	test('is not made of rows that are not whole', async () => {
		await expect(async () => signSegment({ ...segmentOf(3), to: 4 }, ed25519Jwk)).rejects.toThrow('assertion failed');
	});
});
