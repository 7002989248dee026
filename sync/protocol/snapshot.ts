import { base64url } from 'jose';
import Type, { type Static } from 'typebox';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { applyChanges, pageBytes, pageChanges, type SparsePages } from '../../gate-agent/core/sparse-pages.ts';
import { statusListBytesMax, type Zlib } from '../../gate-agent/core/status-list.ts';
import { decodeBase64url } from '../../gate-agent/core/strict-jws.ts';
import { ticketIdxMax } from '../../gate-agent/core/ticket.ts';
import { cursorSchema } from './cursor.ts';
import { allowanceName, deviceEpoch, deviceId, deviceStatus, eventId, ticketNumber } from './fields.ts';

const pageBits = pageBytes * 8;
const pagesMax = Math.ceil((ticketIdxMax + 1) / pageBits);
const count = Type.Integer({ minimum: 0, maximum: 10_000 });

/**
 * A set of ticket numbers: the pages of 512 bytes that hold any, as runs of `[first page, how many]`, and their bytes
 * one after the other as base64url of ZLIB (RFC 1950). Bits lie as in a Token Status List; with one run from page 0
 * `lst` is exactly its `lst`. Pages keep one ticket number near 2³¹ from becoming 256 MB.
 */
export const numberSetSchema = Type.Object({
	runs: Type.Array(
		Type.Tuple([Type.Integer({ minimum: 0, maximum: pagesMax - 1 }), Type.Integer({ minimum: 1, maximum: pagesMax })]),
		{ maxItems: 32_768 },
	),
	lst: Type.String({ maxLength: 24 * 1024 * 1024 }),
});
/** @see numberSetSchema */
export type NumberSet = Static<typeof numberSetSchema>;

/** One event of a snapshot. */
export const snapshotEventSchema = Type.Object({
	evt: eventId,
	policy: Type.Unknown({ description: 'The event’s `Policy`, whole.' }),
	redeemed: numberSetSchema,
	revoked: numberSetSchema,
	counts: Type.Array(
		Type.Object({
			allowance: allowanceName,
			rows: Type.Array(Type.Tuple([ticketNumber, count, count, count]), {
				description: 'Ticket number, uses it carries, uses taken, uses held.',
			}),
		}),
	),
});
/** @see snapshotEventSchema */
export type SnapshotEvent = Static<typeof snapshotEventSchema>;

/** `GET /v1/snapshot`: what a new device loads instead of the whole feed. At one cursor it never changes. */
export const snapshotSchema = Type.Object({
	cursor: cursorSchema,
	events: Type.Array(snapshotEventSchema, { maxItems: 1_000 }),
	keys: Type.Optional(Type.String({ description: 'The newest key manifest, a JWS.' })),
	devices: Type.Array(Type.Object({ device: deviceId, status: deviceStatus }), {
		description: 'Devices that are not active.',
	}),
	journals: Type.Array(Type.Object({ device: deviceId, journal: deviceEpoch, through: Type.Integer({ minimum: 1 }) }), {
		description: 'Up to which row the counts include the newest journal of each device.',
	}),
});
/** @see snapshotSchema */
export type Snapshot = Static<typeof snapshotSchema>;

/** Packs a set of ticket numbers. */
export async function packNumbers(numbers: Iterable<number>, zlib: Zlib): Promise<NumberSet> {
	const pages: SparsePages = new Map();
	applyChanges(pages, pageChanges(numbers));
	return packPages(pages, zlib);
}

/** Packs pages as a ledger keeps them. */
export async function packPages(pages: SparsePages, zlib: Zlib): Promise<NumberSet> {
	const order = [...pages.keys()].sort((a, b) => a - b);
	const runs: [number, number][] = [];
	for (const page of order) {
		const last = runs.at(-1);
		if (last !== undefined && last[0] + last[1] === page) last[1] += 1;
		else runs.push([page, 1]);
	}
	const bytes = new Uint8Array(order.length * pageBytes);
	order.forEach((page, i) => {
		bytes.set(pages.get(page) ?? new Uint8Array(pageBytes), i * pageBytes);
	});
	return { runs, lst: base64url.encode(await zlib.deflate(bytes)) };
}

/** Unpacks a set. Throws `status_list_invalid` for runs that overlap, a length that differs, or damaged bytes. */
export async function unpackPages({ runs, lst }: NumberSet, zlib: Zlib): Promise<SparsePages> {
	const order = pagesOf(runs);
	const deflated = decodeBase64url(lst);
	if (deflated === undefined) throw invalid('`lst` must be base64url');
	const bytes = await inflate(deflated, zlib, order.length * pageBytes);
	if (bytes.length !== order.length * pageBytes) throw invalid('`runs` and `lst` differ in length');
	return new Map(order.map((page, i) => [page, bytes.slice(i * pageBytes, (i + 1) * pageBytes)]));
}

/** The ticket numbers of pages, ascending within each page. */
export function* numbersOf(pages: SparsePages): Generator<number> {
	for (const [page, bytes] of pages) {
		for (let at = 0; at < pageBits; at++) {
			if (((bytes[at >> 3] ?? 0) & (1 << (at & 7))) !== 0) yield page * pageBits + at;
		}
	}
}

function pagesOf(runs: NumberSet['runs']): readonly number[] {
	const order: number[] = [];
	for (const [first, length] of runs) {
		if (first <= (order.at(-1) ?? -1)) throw invalid('`runs` must ascend');
		if (first + length > pagesMax) throw invalid('`runs` go beyond the last ticket number');
		if ((order.length + length) * pageBytes > statusListBytesMax) throw invalid('it holds too many pages');
		for (let page = first; page < first + length; page++) order.push(page);
	}
	return order;
}

async function inflate(deflated: Uint8Array, zlib: Zlib, bytesMax: number): Promise<Uint8Array> {
	try {
		return await zlib.inflate(deflated, Math.max(1, bytesMax));
	} catch (cause) {
		throw new StilewardError('status_list_invalid', 'number set: `lst` is damaged or too large', { cause });
	}
}

function invalid(message: string): StilewardError {
	return new StilewardError('status_list_invalid', `number set: ${message}`);
}
