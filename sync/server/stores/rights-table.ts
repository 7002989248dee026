import { sql } from 'kysely';
import { bitPlace, isBitSet } from '../../../gate-agent/core/sparse-pages.ts';
import { freshRight, type Right } from '../rights.ts';
import { columns, later, names, type Work } from './dialect.ts';
import { addHeld } from './people.ts';

/** Which right: an allowance of a ticket of a venue. */
export interface RightKey {
	readonly venue: string;
	readonly evt: string;
	readonly idx: number;
	readonly allowance: string;
}

/** One text for each right. */
export function rightText({ venue, evt, idx, allowance }: RightKey): string {
	return `${venue}/${evt}/${idx}/${allowance}`;
}

/** Rights in memory, read once, changed by folding and written once. */
export interface RightsFold {
	/** The right as it is after what was folded so far. `use` counts only for a ticket that nobody here knows. */
	get(key: RightKey, use: number): Right;
	set(key: RightKey, right: Right): void;
	save(): Promise<void>;
}

interface FoundRight {
	pos: number;
	use: number | null;
	used: number | null;
	held: number | null;
	taken: number | null;
	last_lane: string | null;
	last_ms: number | null;
	issued: number | null;
}

const keyColumns = columns('pos:bigint', 'venue_id', 'evt', 'idx:bigint', 'allowance');

/**
 * Reads the rights of locked venues. What a ticket carries is what its order says; for a ticket of an offline issuer it
 * is what the first claim or row said.
 */
export async function loadRights(work: Work, keys: Iterable<RightKey>): Promise<RightsFold> {
	const wanted = new Map([...keys].map((key) => [rightText(key), key]));
	const found = await readRights(work, [...wanted.values()]);
	const rights = new Map<string, Right>();
	const heldBefore = new Map<string, number>();
	const issued = new Map<string, number>();
	for (const [index, text] of [...wanted.keys()].entries()) {
		const row = found.get(index);
		if (row === undefined) continue;
		if (row.issued !== null) issued.set(text, row.issued);
		if (row.use !== null) rights.set(text, rightOf(row));
		heldBefore.set(text, row.held ?? 0);
	}
	const changed = new Map<string, RightKey>();
	return {
		get: (key, use) => {
			const text = rightText(key);
			const carries = issued.get(text);
			const right = rights.get(text) ?? freshRight(use);
			return carries === undefined ? right : { ...right, use: carries };
		},
		set: (key, right) => {
			rights.set(rightText(key), right);
			changed.set(rightText(key), key);
		},
		save: async () => {
			await saveRights(work, changed, rights);
			await addHeld(work, heldChanges(changed, rights, heldBefore));
		},
	};
}

/** How the held uses of each event change. */
function heldChanges(
	changed: ReadonlyMap<string, RightKey>,
	rights: ReadonlyMap<string, Right>,
	heldBefore: ReadonlyMap<string, number>,
): readonly (readonly [venue: string, evt: string, held: number])[] {
	const changes = new Map<string, [string, string, number]>();
	for (const [text, { venue, evt }] of changed) {
		const held = (rights.get(text)?.held ?? 0) - (heldBefore.get(text) ?? 0);
		const [, , before] = changes.get(`${venue}/${evt}`) ?? [venue, evt, 0];
		changes.set(`${venue}/${evt}`, [venue, evt, before + held]);
	}
	return [...changes.values()];
}

async function readRights({ tx, dialect }: Work, keys: readonly RightKey[]): Promise<ReadonlyMap<number, FoundRight>> {
	if (keys.length === 0) return new Map();
	const given = keys.map(({ venue, evt, idx, allowance }, index) => [index, venue, evt, idx, allowance]);
	const { rows } = await sql<FoundRight>`
		SELECT given.pos, r.use, r.used, r.held, r.taken, r.last_lane, r.last_ms,
			(SELECT CASE WHEN o.from_idx + o.size > given.idx THEN o.use END FROM orders o
				WHERE o.venue_id = given.venue_id AND o.evt = given.evt AND o.from_idx <= given.idx
				ORDER BY o.from_idx DESC LIMIT 1) AS issued
		FROM ${dialect.given(keyColumns, given)}
		LEFT JOIN rights r ON r.venue_id = given.venue_id AND r.evt = given.evt AND r.idx = given.idx
			AND r.allowance = given.allowance`.execute(tx);
	return new Map(rows.map((row) => [row.pos, row]));
}

function rightOf({ use, used, held, taken, last_lane, last_ms }: FoundRight): Right {
	const last = last_lane === null || last_ms === null ? {} : { last: { lane: last_lane, atMs: last_ms } };
	return { use: use ?? 1, used: used ?? 0, held: held ?? 0, taken: taken ?? 0, ...last };
}

const rightColumns = columns(
	...['venue_id', 'evt', 'idx:bigint', 'allowance', 'use:bigint', 'used:bigint', 'held:bigint', 'taken:bigint'],
	...['last_lane', 'last_ms:bigint'],
);

async function saveRights(
	{ tx, dialect }: Work,
	changed: ReadonlyMap<string, RightKey>,
	rights: ReadonlyMap<string, Right>,
): Promise<void> {
	if (changed.size === 0) return;
	const rows = [...changed].map(([text, { venue, evt, idx, allowance }]) => {
		const { use, used, held, taken, last } = rights.get(text) ?? freshRight(1);
		return [venue, evt, idx, allowance, use, used, held, taken, last?.lane ?? null, last?.atMs ?? null];
	});
	await sql`${later}
		INSERT INTO rights (${names(rightColumns)})
		SELECT ${names(rightColumns)} FROM ${dialect.given(rightColumns, rows)} WHERE true
		ON CONFLICT (venue_id, evt, idx, allowance) DO UPDATE SET use = excluded.use, used = excluded.used,
			held = excluded.held, taken = excluded.taken, last_lane = excluded.last_lane, last_ms = excluded.last_ms`.execute(
		tx,
	);
}

/** A ticket of a venue. */
export interface TicketKey {
	readonly venue: string;
	readonly evt: string;
	readonly idx: number;
}

const pageColumns = columns('venue_id', 'evt', 'page:bigint');

/** Reads which of these tickets are revoked, and answers from memory. */
export async function loadRevoked(work: Work, tickets: Iterable<TicketKey>): Promise<(ticket: TicketKey) => boolean> {
	const { tx, dialect } = work;
	const wanted = new Map<string, [string, string, number]>();
	for (const { venue, evt, idx } of tickets) {
		const { page } = bitPlace(idx);
		wanted.set(`${venue}/${evt}/${page}`, [venue, evt, page]);
	}
	if (wanted.size === 0) return () => false;
	const { rows } = await sql<{ venue_id: string; evt: string; page: number; bits: Uint8Array }>`
		SELECT p.venue_id, p.evt, p.page, p.bits FROM revoked_pages p
		JOIN ${dialect.given(pageColumns, [...wanted.values()])}
			ON p.venue_id = given.venue_id AND p.evt = given.evt AND p.page = given.page`.execute(tx);
	const pages = new Map(rows.map(({ venue_id, evt, page, bits }) => [`${venue_id}/${evt}/${page}`, bits]));
	return ({ venue, evt, idx }) => isBitSet(pages.get(`${venue}/${evt}/${bitPlace(idx).page}`), idx);
}
