import { assert } from './errors.ts';
import { ticketIdxMax } from './ticket.ts';

/** Bytes of a page: 4,096 tickets, and one page of a million-ticket event changes per admission, not 122 KB. */
export const pageBytes = 512;

const pageBits = pageBytes * 8;

/** Pages by number; a page that is all zero is absent. Bit `idx % 8` of byte `idx / 8`, as in a Token Status List. */
export type SparsePages = Map<number, Uint8Array>;

/** Where the bit of a ticket lies. */
export interface BitPlace {
	readonly page: number;
	readonly byte: number;
	readonly mask: number;
}

/** The place of ticket number `idx` (0 … 2³¹ − 1). */
export function bitPlace(idx: number): BitPlace {
	assert(Number.isInteger(idx) && idx >= 0 && idx <= ticketIdxMax, `ticket number out of range: ${idx}`);
	const bit = idx % pageBits;
	return { page: Math.floor(idx / pageBits), byte: bit >> 3, mask: 1 << (bit & 7) };
}

/** Whether the bit of `idx` is set, given its page (undefined: all zero). */
export function isBitSet(bits: Uint8Array | undefined, idx: number): boolean {
	const { byte, mask } = bitPlace(idx);
	return bits !== undefined && ((bits[byte] ?? 0) & mask) !== 0;
}

/** Bits to set and to clear, page by page. */
export type PageChanges = ReadonlyMap<number, PageChange>;

interface PageChange {
	readonly set: Uint8Array;
	readonly clear: Uint8Array;
}

/** Sorts changes by page, so that a store touches each page once. A number in both `set` and `clear` is cleared. */
export function pageChanges(set: Iterable<number>, clear: Iterable<number> = []): PageChanges {
	const changes = new Map<number, PageChange>();
	for (const idx of set) mark(changes, idx, 'set');
	for (const idx of clear) mark(changes, idx, 'clear');
	return changes;
}

function mark(changes: Map<number, PageChange>, idx: number, list: keyof PageChange): void {
	const { page, byte, mask } = bitPlace(idx);
	let change = changes.get(page);
	if (change === undefined) {
		change = { set: new Uint8Array(pageBytes), clear: new Uint8Array(pageBytes) };
		changes.set(page, change);
	}
	change[list][byte] = (change[list][byte] ?? 0) | mask;
}

/** The page after its changes, or undefined where nothing is left of it. */
export function changedPage(bits: Uint8Array | undefined, change: PageChange): Uint8Array | undefined {
	const after = new Uint8Array(pageBytes);
	let any = 0;
	for (let byte = 0; byte < pageBytes; byte++) {
		const value = ((bits?.[byte] ?? 0) | (change.set[byte] ?? 0)) & ~(change.clear[byte] ?? 0);
		after[byte] = value;
		any |= value;
	}
	return any === 0 ? undefined : after;
}

/** Applies changes to pages in memory. */
export function applyChanges(pages: SparsePages, changes: PageChanges): void {
	for (const [page, change] of changes) {
		const after = changedPage(pages.get(page), change);
		if (after === undefined) pages.delete(page);
		else pages.set(page, after);
	}
}
