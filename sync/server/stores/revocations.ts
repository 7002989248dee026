import { sql } from 'kysely';
import { bitPlace, changedPage, isBitSet, pageChanges } from '../../../gate-agent/core/sparse-pages.ts';
import type { ControlChange } from '../../protocol/feed.ts';
import type { Work } from './dialect.ts';
import { logControl } from './heads.ts';
import type { Tables } from './schema.ts';

/** Numbers in one entry of the control log, so that a page of the feed stays within a few megabytes. */
export const numbersPerEntry = 500;

/** Numbers of one event to revoke or to restore. */
export interface RevocationChange {
	readonly venue: string;
	readonly evt: string;
	readonly kind: 'revoked' | 'restored';
	readonly idx: readonly number[];
	readonly atMs: number;
}

/**
 * Revokes or restores numbers of a locked venue and tells the control log of those that changed. A page of 4,096
 * tickets is one row, so that a refund of a million of them stays small. Gives the log's last entry about them.
 */
export async function changeRevoked(work: Work, change: RevocationChange): Promise<number | undefined> {
	const { venue, evt, kind, atMs } = change;
	const moved = await setRevoked(work, change);
	const changes: ControlChange[] = [];
	for (let from = 0; from < moved.length; from += numbersPerEntry) {
		changes.push({ kind, evt, idx: moved.slice(from, from + numbersPerEntry) });
	}
	return changes.length === 0 ? undefined : logControl(work, { venue, changes, atMs });
}

/** Revokes or restores numbers of a locked venue, without an entry of the log, and gives those that changed. */
export async function setRevoked(work: Work, change: Omit<RevocationChange, 'atMs'>): Promise<readonly number[]> {
	const { venue, evt, kind, idx } = change;
	if (idx.length === 0) return [];
	const pages = await readPages(work, change);
	const wanted = kind === 'revoked';
	const moved = idx.filter((number) => isBitSet(pages.get(bitPlace(number).page), number) !== wanted);
	for (const [page, bits] of pageChanges(wanted ? moved : [], wanted ? [] : moved)) {
		await writePage(work, { venue_id: venue, evt, page }, changedPage(pages.get(page), bits));
	}
	return moved;
}

async function readPages(
	{ tx }: Work,
	change: Omit<RevocationChange, 'atMs'>,
): Promise<ReadonlyMap<number, Uint8Array>> {
	const touched = change.idx.map((number) => bitPlace(number).page);
	const rows = await tx
		.selectFrom('revoked_pages')
		.select(['page', 'bits'])
		.where('venue_id', '=', change.venue)
		.where('evt', '=', change.evt)
		.where(
			'page',
			'>=',
			touched.reduce((a, b) => Math.min(a, b)),
		)
		.where(
			'page',
			'<=',
			touched.reduce((a, b) => Math.max(a, b)),
		)
		.execute();
	return new Map(rows.map(({ page, bits }) => [page, bits]));
}

async function writePage(
	{ tx }: Work,
	key: Omit<Tables['revoked_pages'], 'bits'>,
	bits: Uint8Array | undefined,
): Promise<void> {
	if (bits === undefined) {
		await tx
			.deleteFrom('revoked_pages')
			.where('venue_id', '=', key.venue_id)
			.where('evt', '=', key.evt)
			.where('page', '=', key.page)
			.execute();
		return;
	}
	await tx
		.insertInto('revoked_pages')
		// Both drivers want a Buffer.
		.values({ ...key, bits: Buffer.from(bits) })
		.onConflict((conflict) =>
			conflict.columns(['venue_id', 'evt', 'page']).doUpdateSet({ bits: sql.ref('excluded.bits') }),
		)
		.execute();
}
