import { sha256 } from '@noble/hashes/sha2.js';
import type { Fact, JournalRow } from './redemption.ts';

/** The hash before the first row of an epoch: 32 zero bytes. */
export const genesisHash: Uint8Array = new Uint8Array(32);

/** A row as it is stored and sent: its text, verbatim, and the hash that chains it to the row before. */
export interface StoredRow {
	readonly seq: number;
	readonly text: string;
	/** SHA-256(hash of the row before ‖ UTF-8 of the text). */
	readonly hash: Uint8Array;
}

/** The end of a journal: what the next row continues from. */
export interface JournalHead {
	readonly epoch: string;
	/** The newest row's number, 0 where there is none. */
	readonly seq: number;
	readonly hash: Uint8Array;
	/** The newest row's time, 0 where there is none. */
	readonly atMs: number;
	/** The newest clock epoch that a `started` row has begun, 1 before any. */
	readonly clockEpoch: number;
}

/** The head of a journal without rows. */
export function emptyJournal(epoch: string): JournalHead {
	return { epoch, seq: 0, hash: genesisHash, atMs: 0, clockEpoch: 1 };
}

/** The time that a row written now gets: it never goes back within a clock epoch, whatever the clock did. */
export function ledgerTime(head: JournalHead, atMs: number): number {
	return Math.max(head.atMs, Math.trunc(atMs));
}

/**
 * Makes the next row of a journal. The text is made here, once; everybody after this takes it as it is. A `started`
 * row of a newer clock epoch takes the time as it is, also an earlier one: the root key has signed that what the
 * epochs before took for the time was wrong.
 */
export function appendRow(head: JournalHead, fact: Fact, atMs: number): { row: StoredRow; head: JournalHead } {
	const seq = head.seq + 1;
	const begins = fact.kind === 'started' && fact.clockEpoch > head.clockEpoch;
	const at = begins ? Math.trunc(atMs) : ledgerTime(head, atMs);
	const clockEpoch = begins ? fact.clockEpoch : head.clockEpoch;
	const text = JSON.stringify({ seq, epoch: head.epoch, at, ...fact });
	const hash = rowHash(head.hash, text);
	return { row: { seq, text, hash }, head: { epoch: head.epoch, seq, hash, atMs: at, clockEpoch } };
}

/** The hash of a row, synchronous so that it can be made inside a transaction. */
export function rowHash(previous: Uint8Array, text: string): Uint8Array {
	return sha256.create().update(previous).update(new TextEncoder().encode(text)).digest();
}

/** Reads a row that this program wrote. Throws `SyntaxError` where the text is damaged. */
export function parseRow(text: string): JournalRow {
	// The text came from `appendRow`; the hash chain and not a schema proves that it is still the same.
	return JSON.parse(text) as JournalRow;
}

/** How far a chain of rows holds. */
export type ChainCheck =
	| { readonly kind: 'whole'; readonly rows: number; readonly hash: Uint8Array }
	| { readonly kind: 'broken'; readonly atSeq: number; readonly why: 'gap' | 'hash' | 'text' };

/**
 * Follows a chain from the row after `anchor` and says where it first breaks: a number missing or out of order, a
 * hash that does not follow, or a text that does not carry its own number and epoch.
 */
export function verifyChain(
	rows: Iterable<StoredRow>,
	anchor: { readonly epoch: string; readonly seq: number; readonly hash: Uint8Array },
): ChainCheck {
	let { seq, hash } = anchor;
	for (const row of rows) {
		if (row.seq !== seq + 1) return { kind: 'broken', atSeq: seq + 1, why: 'gap' };
		const next = rowHash(hash, row.text);
		if (!sameBytes(next, row.hash)) return { kind: 'broken', atSeq: row.seq, why: 'hash' };
		if (!carries(row, anchor.epoch)) return { kind: 'broken', atSeq: row.seq, why: 'text' };
		seq = row.seq;
		hash = next;
	}
	return { kind: 'whole', rows: seq - anchor.seq, hash };
}

function carries(row: StoredRow, epoch: string): boolean {
	return row.text.startsWith(`{"seq":${row.seq},"epoch":${JSON.stringify(epoch)},"at":`);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
